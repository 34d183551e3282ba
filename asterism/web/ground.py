"""The ground of a map as a picture."""

import numpy as np
from jaxtyping import UInt8
from scipy.ndimage import gaussian_filter

from asterism.game.map import Map

LEVELS = np.array([(56, 60, 68), (84, 82, 78), (116, 109, 96)], np.float32)
"""Ground of each terrain level, the higher the lighter."""
ROCK = np.array((30, 31, 37), np.float32)


def paint_ground(game_map: Map, scale: int) -> UInt8[np.ndarray, "h w 3"]:
    """The map without anything on it, `scale` pixels a cell, north up.

    The higher the lighter; ramps are stepped; cliffs stand in relief, lit from the upper left.
    """
    up = lambda grid: np.kron(grid[::-1].astype(np.float32), np.ones((scale, scale), np.float32))  # noqa: E731
    blur = lambda field, cells: gaussian_filter(field, cells * scale)  # noqa: E731
    walkable = blur(up(game_map.pathable), 0.3) > 0.5  # blurred, so that corners come out round
    ground = up(game_map.pathable)
    level = up(game_map.height)
    smooth = lambda cells: blur(level * ground, cells) / np.maximum(blur(ground, cells), 1e-3)  # noqa: E731
    ramp = (up(game_map.pathable & ~game_map.buildable) > 0) & walkable
    level = np.where(ramp, smooth(1.2), smooth(0.3))
    steep = np.clip(np.hypot(*np.gradient(level)) * scale * 12, 0, 1)
    shades = [np.interp(level, range(len(LEVELS)), LEVELS[:, channel]) for channel in range(3)]
    ground = np.stack(shades, -1)
    ground[ramp] *= (1.0 + 0.1 * steep * np.sign(np.sin(level * 36)))[ramp][:, None]
    depth = blur(walkable.astype(np.float32), 0.45)
    face = ROCK + np.where(walkable, 0, np.clip(depth - 0.1, 0, 1) * 0.8)[..., None] * (ground - ROCK)
    height = blur(np.where(walkable, 1.0 + 0.4 * level, 0.0), 0.18) * scale
    down, right = np.gradient(height)
    relief = np.clip((right + down) * 0.16, -0.4, 0.4)[..., None]
    texture = blur(np.random.default_rng(0).standard_normal(level.shape).astype(np.float32), 0.25)
    texture *= 0.02 / max(float(texture.std()), 1e-6)
    lit = np.where(walkable[..., None], ground * (1 + texture[..., None]), face) * (1 + relief)
    return np.clip(lit, 0, 255).astype(np.uint8)
