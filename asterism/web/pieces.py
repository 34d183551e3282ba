"""Units and structures on the canvas of a map."""

import math
from dataclasses import dataclass

from PIL import ImageDraw

from asterism.game.rules import UnitTable
from asterism.interface.observation import Race
from asterism.web.colours import (
    DIM,
    DYING,
    ENERGY,
    HEALTHY,
    HURT,
    INK,
    MINERAL,
    NIGHT,
    OUTLINE,
    PLAYERS,
    SHIELD,
    SHOT,
    VESPENE,
    Colour,
    font,
    mix,
)
from asterism.web.shapes import Points, buried, label, shape

BURIED = 110
"""Opacity, of 255, of what lies under the ground."""
SHADOW = (0.3, 0.45)
"""Cells from a flyer to its shadow."""


@dataclass(frozen=True)
class Piece:
    """One unit to draw; `x` and `y` are its place on the canvas, in pixels, shares are from 0 to 1."""

    kind: int
    player: int
    x: float
    y: float
    health: float
    shield: float
    energy: float
    built: float
    carrying: int
    target: int


class Pieces:
    """Draws pieces with `fine` pixels a map cell.

    Args:
      names: of the unit types.
      units: the table of the same types.
      fine: pixels a cell.
    """

    def __init__(self, names: list[str], units: UnitTable, fine: int):
        self.names, self.units, self.fine = names, units, fine

    def half(self, kind: int) -> float:
        """Half the side of a type's footprint, in cells; of what has none (a structure in the air), its radius."""
        return float(self.units.footprint[kind]) / 2 or float(self.units.radius[kind])

    def draw(self, draw: ImageDraw.ImageDraw, piece: Piece) -> None:
        """A unit or structure."""
        (self._structure if self.units.structure[piece.kind] else self._unit)(draw, piece)

    def shadow(self, draw: ImageDraw.ImageDraw, piece: Piece) -> None:
        """What a flyer leaves on the ground."""
        size = self.fine * float(self.units.radius[piece.kind]) * 0.85
        x, y = piece.x + SHADOW[0] * self.fine, piece.y + SHADOW[1] * self.fine
        draw.ellipse((x - size, y - 0.7 * size, x + size, y + 0.7 * size), fill=(0, 0, 0, 90))

    def _structure(self, draw: ImageDraw.ImageDraw, piece: Piece):
        """The footprint with the initials of its name; one under construction fills up from below."""
        f, colour = self.fine, PLAYERS[piece.player]
        x, y, half = piece.x, piece.y, f * (self.half(piece.kind) - 0.08)
        box, corner = (x - half, y - half, x + half, y + half), self._corner(piece.kind, half)
        full = mix(colour, NIGHT, 0.62)
        draw.rounded_rectangle(box, corner, fill=full if piece.built >= 1 else mix(colour, NIGHT, 0.2))
        if piece.built < 1:
            self._filling(draw, piece, half, corner)
        draw.rounded_rectangle(box, corner, outline=OUTLINE, width=f // 4)
        inner = (box[0] + f / 10, box[1] + f / 10, box[2] - f / 10, box[3] - f / 10)
        draw.rounded_rectangle(
            inner, corner, outline=colour if piece.built >= 1 else mix(colour, NIGHT, 0.75), width=f // 6
        )
        text = label(self.names[piece.kind])
        letters = font(half * (1.3 if len(text) == 1 else 0.9))
        draw.text((x, y), text, INK if piece.built >= 1 else DIM, letters, anchor="mm")

    def _corner(self, kind: int, half: float) -> float:
        """How round a structure is: Zerg ones like eggs, Protoss ones not at all."""
        round_by_race = {Race.ZERG: 0.85 * half, Race.PROTOSS: 0.08 * half}
        return round_by_race.get(int(self.units.race[kind]), 0.35 * self.fine)

    def _filling(self, draw: ImageDraw.ImageDraw, piece: Piece, half: float, corner: float):
        """The part of a structure that is done, from below."""
        x, y, colour = piece.x, piece.y, mix(PLAYERS[piece.player], NIGHT, 0.45)
        top = y + half - 2 * half * piece.built
        if corner <= 0.4 * half:
            draw.rectangle((x - half, top, x + half, y + half), fill=colour)
        else:
            low = math.asin(min(max(1 - 2 * piece.built, -1.0), 1.0))
            turns = (low + (math.pi - 2 * low) * step / 24 for step in range(25))
            draw.polygon([(x + half * math.cos(turn), y + half * math.sin(turn)) for turn in turns], fill=colour)

    def _unit(self, draw: ImageDraw.ImageDraw, piece: Piece):
        f, name = self.fine, self.names[piece.kind]
        picture = shape(name)
        radius, edge = f * float(self.units.radius[piece.kind]), f / 6
        opacity = (BURIED,) if buried(name) else ()
        for size, fill in ((radius + edge, OUTLINE), (radius, PLAYERS[piece.player])):
            _fill(draw, piece.x, piece.y, size, picture.outline, (*fill, *opacity))
        if picture.mark:
            _mark(draw, piece, picture.mark, radius, mix(PLAYERS[piece.player], NIGHT, 0.15))
        if piece.carrying:
            place = (piece.x + 0.7 * radius, piece.y - 0.7 * radius)
            draw.circle(place, 0.2 * f, fill=(MINERAL, VESPENE)[piece.carrying - 1])

    def shot(self, draw: ImageDraw.ImageDraw, piece: Piece, target: Piece) -> None:
        """A line from a unit to what it has under fire."""
        start, end = (piece.x, piece.y), (target.x, target.y)
        draw.line((start, end), fill=(*SHOT, 130), width=self.fine // 6)
        draw.circle(end, self.fine * 0.2, fill=(*SHOT, 160))

    def bars(self, draw: ImageDraw.ImageDraw, piece: Piece) -> None:
        """Health of the damaged, with their shields over it; energy of units that have some."""
        if piece.built < 1:
            return
        kind, structure = piece.kind, self.units.structure[piece.kind]
        size = self.half(kind) - 0.1 if structure else float(self.units.radius[kind])
        shielded = bool(self.units.shield[kind] > 0)
        rows: list[tuple[float, Colour]] = []
        if shielded and min(piece.health, piece.shield) < 1:
            rows.append((piece.shield, SHIELD))
        if min(piece.health, piece.shield if shielded else 1.0) < 1:
            rows.append((piece.health, HEALTHY if piece.health > 0.6 else HURT if piece.health > 0.3 else DYING))
        if self.units.energy[kind] > 0 and not structure:
            rows.append((piece.energy, ENERGY))
        half = self.fine * max(size, 0.5)
        for row, (share, colour) in enumerate(rows):
            self._bar(
                draw, piece.x, piece.y - self.fine * (size + 0.35 + 0.24 * (len(rows) - 1 - row)), half, share, colour
            )

    def _bar(self, draw: ImageDraw.ImageDraw, x: float, y: float, half: float, share: float, colour: Colour):
        f = self.fine
        draw.rectangle((x - half - 2, y - f / 10 - 2, x + half + 2, y + f / 10 + 2), fill=(*OUTLINE, 170))
        draw.rectangle((x - half, y - f / 10, x - half + 2 * half * share, y + f / 10), fill=colour)


def _fill(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, outline: Points, fill) -> None:
    if outline:
        draw.polygon([(round(x + size * dx, 2), round(y + size * dy, 2)) for dx, dy in outline], fill=fill)
    else:
        draw.circle((x, y), size, fill=fill)


def _mark(draw: ImageDraw.ImageDraw, piece: Piece, mark: str, radius: float, colour: Colour) -> None:
    """The mark on a unit, in its middle."""
    x, y, r = piece.x, piece.y, radius
    box = lambda *sides: draw.rectangle([v + r * s for v, s in zip((x, y, x, y), sides, strict=True)], fill=colour)  # noqa: E731
    if mark == "dot":
        draw.circle((x, y), 0.32 * r, fill=colour)
    elif mark == "ring":
        draw.circle((x, y), 0.5 * r, outline=colour, width=max(round(0.2 * r), 1))
    elif mark == "eyes":
        for side in (-0.35, 0.35):
            draw.circle((x + side * r, y - 0.1 * r), 0.2 * r, fill=colour)
    elif mark == "cap":
        box(-0.45, -0.6, 0.45, -0.15)
    elif mark == "stripes":
        for top in (-0.5, -0.05, 0.4):
            box(-0.45, top, 0.45, top + 0.2)
    if mark in ("bar", "cross"):
        box(-0.55, -0.13, 0.55, 0.13)
    if mark in ("pipe", "cross"):
        box(-0.13, -0.55, 0.13, 0.55)
