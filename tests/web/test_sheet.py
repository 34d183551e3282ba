"""Contact sheets, read back."""

import numpy as np
import pytest
from PIL import Image

from asterism.errors import UserError
from asterism.web.sheet import GAP, write_sheet


def frames(count, height=30, width=40):
    return [np.full((height, width, 3), (200, 20 * i, 30), np.uint8) for i in range(count)]


def test_pictures_stand_in_rows_of_four(tmp_path):
    write_sheet(tmp_path / "new" / "a.png", frames(6))
    sheet = np.asarray(Image.open(tmp_path / "new" / "a.png").convert("RGB")).astype(int)
    assert sheet.shape == (2 * 30 + GAP, 4 * 40 + 3 * GAP, 3)
    for i in range(6):
        corner = sheet[(i // 4) * (30 + GAP) + 15, (i % 4) * (40 + GAP) + 20]
        assert np.abs(corner - (200, 20 * i, 30)).max() <= 6


def test_a_sheet_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_sheet(tmp_path / "file" / "a.png", frames(1))
