"""Makes toy_demos.py, which these tests share and one of them runs as a program, importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
