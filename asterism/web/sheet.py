"""A contact sheet: pictures of a game side by side."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from asterism.files import write_atomic
from asterism.web.colours import NIGHT
from asterism.web.video import Frame

COLUMNS = 4
GAP = 6
"""Pixels between two pictures."""
COLOURS = 224
"""Colours of the file, so that it stays small."""


def write_sheet(path: Path, frames: Sequence[Frame]) -> None:
    """Writes pictures of one size as a PNG, four in a row, the whole file or none. UserError where it cannot."""
    height, width = frames[0].shape[:2]
    columns, rows = min(COLUMNS, len(frames)), -(-len(frames) // COLUMNS)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP), NIGHT)
    for place, frame in enumerate(frames):
        row, column = divmod(place, COLUMNS)
        sheet.paste(Image.fromarray(frame), (column * (width + GAP), row * (height + GAP)))
    content = io.BytesIO()
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(content, "png", optimize=True)
    write_atomic(path, content.getvalue())
