"""Writing frames as a video: a GIF, which plays everywhere, or an MP4, which is smaller."""

import importlib.util
import math
import os
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from asterism.errors import UserError
from asterism.files import disk_is_full, writing

Frame = UInt8[np.ndarray, "h w 3"]
PALETTE_SAMPLES = 24
"""Frames, evenly spread, from which a GIF's colours are taken."""


def write_video(path: Path | str, frames: Iterable[Frame], fps: float) -> None:
    """Writes frames of one size to `path`, the whole file or none; its suffix names the form: .gif or .mp4 (H.264).

    A GIF shows each frame for a whole number of hundredths of a second, so that its rate is near `fps`, not equal to
    it; a frame that repeats the one before it makes that one stay longer. An MP4 has an even width and height: an odd
    one loses a row or column.

    Raises:
      UserError: another suffix, no frame, a rate that is not positive, MP4 without imageio-ffmpeg, or a full disk.
    """
    path = Path(path)
    encode = _encoder(path)
    if not 0 < fps < math.inf:
        raise UserError(f"cannot write {path} with {fps} frames a second: give a positive number")
    frames = _same_size(iter(frames))
    first = next(frames, None)
    if first is None:
        raise UserError(f"cannot write {path}: there is no frame to show")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            unfinished = Path(folder) / path.name
            encode(unfinished, chain([first], frames), fps)
            os.replace(unfinished, path)


def _same_size(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The frames; raises ValueError at one that is larger or smaller than the first."""
    shape = None
    for frame in frames:
        shape = shape or frame.shape
        if frame.shape != shape:
            raise ValueError(f"a frame of shape {frame.shape} in a video of shape {shape}")
        yield frame


def check_suffix(path: Path) -> None:
    """Raises UserError where `write_video` could not write a file of that name."""
    _encoder(path)


def _encoder(path: Path) -> Callable[[Path, Iterator[Frame], float], None]:
    encoders = {".gif": _write_gif, ".mp4": _write_mp4}
    encode = encoders.get(path.suffix.lower())
    if encode is None:
        raise UserError(f"cannot write {path}: give the video a name that ends in {' or '.join(encoders)}")
    if encode is _write_mp4 and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise UserError(
            f"cannot write {path}: MP4 needs `pip install imageio-ffmpeg`; a name that ends in .gif does not"
        )
    return encode


def _write_mp4(path: Path, frames: Iterator[Frame], fps: float) -> None:
    """Through a pipe to ffmpeg, since imageio's writer does not notice when ffmpeg fails, on a full disk for one."""
    import imageio_ffmpeg

    first = next(frames)
    height, width = (side // 2 * 2 for side in first.shape[:2])
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24"]
    command += ["-video_size", f"{width}x{height}", "-framerate", str(fps), "-i", "-", "-c:v", "libx264", "-crf", "20"]
    command += ["-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as encoder:
        with suppress(BrokenPipeError):  # it has ended early: why is in its messages
            for frame in chain([first], frames):
                encoder.stdin.write(np.ascontiguousarray(frame[:height, :width]).tobytes())
        _, messages = encoder.communicate()
    if encoder.returncode:
        lines = messages.decode(errors="replace").strip().splitlines()
        raise OSError(
            next((line for line in lines if disk_is_full(OSError(line))), lines[-1] if lines else "ffmpeg failed")
        )


def _write_gif(path: Path, frames: Iterator[Frame], fps: float) -> None:
    """One palette for all frames and no dithering, so that what does not change between frames takes no space."""
    first = next(frames)
    packed = [zlib.compress(np.ascontiguousarray(frame).tobytes(), 1) for frame in chain([first], frames)]
    unpack = lambda data: Image.fromarray(np.frombuffer(zlib.decompress(data), np.uint8).reshape(first.shape))  # noqa: E731
    spread = np.unique(np.linspace(0, len(packed) - 1, PALETTE_SAMPLES).astype(int))
    # 255 colours: Pillow uses one more for the pixels that stay.
    palette = Image.fromarray(np.concatenate([unpack(packed[i]) for i in spread])).quantize(
        255, dither=Image.Dither.NONE
    )
    reduced = (unpack(data).quantize(palette=palette, dither=Image.Dither.NONE) for data in packed)
    hundredths = max(round(100 / fps), 1)
    next(reduced).save(
        path, save_all=True, append_images=reduced, duration=10 * hundredths, loop=0, optimize=True, disposal=1
    )
