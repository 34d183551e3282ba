"""Videos, read back."""

import errno
import os

import numpy as np
import pytest
from PIL import Image

from asterism.errors import UserError
from asterism.web import video
from asterism.web.video import write_video

COUNT = 9


def frames(count=COUNT, height=48, width=64):
    """A red square that wanders over blue ground."""
    for i in range(count):
        frame = np.full((height, width, 3), (30, 40, 160), np.uint8)
        frame[20:28, 4 * i : 4 * i + 8] = (220, 40, 40)
        yield frame


def read_gif(path):
    with Image.open(path) as image:
        for i in range(image.n_frames):
            image.seek(i)
            yield image.info["duration"], np.asarray(image.convert("RGB")).astype(int)


def read_mp4(path):
    reader = pytest.importorskip("imageio.v2").get_reader(path, format="FFMPEG")
    return reader.get_meta_data(), [np.asarray(frame).astype(int) for frame in reader]


def test_a_gif_gives_back_frames_and_rate(tmp_path):
    write_video(tmp_path / "new" / "a.gif", frames(), fps=12.5)
    durations, pictures = zip(*read_gif(tmp_path / "new" / "a.gif"), strict=True)
    assert durations == (80,) * COUNT
    assert np.abs(np.stack(pictures) - np.stack(list(frames()))).max() <= 8
    assert os.listdir(tmp_path / "new") == ["a.gif"]


def test_an_mp4_gives_back_frames_and_rate(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    write_video(str(tmp_path / "a.MP4"), frames(height=49, width=65), fps=10)
    meta, pictures = read_mp4(tmp_path / "a.MP4")
    assert len(pictures) == COUNT and meta["fps"] == 10 and meta["codec"].startswith("h264")
    assert meta["size"] == (64, 48)
    for picture, frame in zip(pictures, frames(), strict=True):
        assert np.abs(picture - frame).mean() < 8
    assert os.listdir(tmp_path) == ["a.MP4"]


def test_frames_that_repeat_are_held_longer(tmp_path):
    still = [next(frames())] * 5 + list(frames())[1:]
    write_video(tmp_path / "a.gif", still, fps=10)
    shown = [duration for duration, _ in read_gif(tmp_path / "a.gif")]
    assert sum(shown) == 100 * len(still) and shown[0] == 500


def test_what_stays_takes_no_space(tmp_path):
    noise = np.random.default_rng(0).integers(0, 40, (128, 128, 3), dtype=np.uint8)

    def moving(count):
        for i in range(count):
            frame = noise.copy()
            frame[:8, i : i + 8] = 255
            yield frame

    write_video(tmp_path / "one.gif", moving(1), fps=10)
    write_video(tmp_path / "many.gif", moving(40), fps=10)
    one, many = ((tmp_path / name).stat().st_size for name in ("one.gif", "many.gif"))
    assert many - one < 39 * one / 20


@pytest.mark.parametrize("name", ["a.avi", "a", "gif"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"give the video a name that ends in \.gif or \.mp4"):
        write_video(tmp_path / name, frames(), fps=10)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("fps", [0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_positive(tmp_path, fps):
    with pytest.raises(UserError, match="frames a second: give a positive number"):
        write_video(tmp_path / "a.gif", frames(), fps=fps)


def test_no_frames_and_frames_of_different_sizes(tmp_path):
    with pytest.raises(UserError, match="there is no frame"):
        write_video(tmp_path / "a.gif", [], fps=10)
    for name in ("a.gif", "a.mp4"):
        with pytest.raises(ValueError, match=r"a frame of shape \(32, 64, 3\) in a video of shape \(48, 64, 3\)"):
            write_video(tmp_path / name, [*frames(1), *frames(1, height=32)], fps=10)
    assert os.listdir(tmp_path) == []


def test_mp4_without_its_library(tmp_path, monkeypatch):
    monkeypatch.setattr(video.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="MP4 needs `pip install imageio-ffmpeg`"):
        write_video(tmp_path / "a.mp4", frames(), fps=10)
    write_video(tmp_path / "a.gif", frames(), fps=10)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_full_disk_harms_nothing(tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UserError, match=f"disk full while writing .*{name}"):
        write_video(tmp_path / name, frames(), fps=10)
    assert (tmp_path / name).read_text() == "old" and os.listdir(tmp_path) == [name]


def test_a_failure_of_ffmpeg_is_told(tmp_path, monkeypatch):
    """imageio's own writer would say nothing."""
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text("#!/bin/sh\necho 'muxer: No space left on device' >&2\necho 'the end' >&2\nexit 228\n")
    ffmpeg.chmod(0o755)
    monkeypatch.setattr(pytest.importorskip("imageio_ffmpeg"), "get_ffmpeg_exe", lambda: str(ffmpeg))
    with pytest.raises(UserError, match="disk full while writing .*a.mp4"):
        write_video(tmp_path / "a.mp4", frames(200, width=1024), fps=10)
    ffmpeg.write_text("#!/bin/sh\ncat > /dev/null\necho 'unknown encoder' >&2\nexit 1\n")
    with pytest.raises(UserError, match="cannot write .*a.mp4: unknown encoder"):
        write_video(tmp_path / "a.mp4", frames(), fps=10)
    assert os.listdir(tmp_path) == ["ffmpeg"]
