"""Pictures of a game: the map from above, north (large y) up, under a strip with what each player has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from asterism.game.game import EmbeddedGame
from asterism.game.snapshot import Snapshot
from asterism.game.tables import load_economy
from asterism.web.ground import paint_ground

OVERSAMPLING = 3
"""The map is drawn this much larger and reduced, for smooth edges."""
STRIP = 10
"""Height of the strip, in 64ths of the picture's width."""

Colour = tuple[int, int, int]
PLAYERS: tuple[Colour, Colour] = ((76, 139, 245), (229, 72, 77))
"""Blue and red: told apart by every kind of colour vision, since they differ in blue as well."""
MINERAL, VESPENE, HEALTHY, HURT, DYING = (82, 208, 232), (88, 201, 110), (125, 220, 120), (240, 200, 80), (240, 130, 60)
INK, DIM, NIGHT, OUTLINE, SHOT = (236, 238, 242), (140, 146, 158), (20, 22, 28), (14, 15, 19), (255, 226, 150)
FOG = 0.42
"""Share of the light that is left where a player sees nothing."""

SIDES = {"SCV": (4, 45), "Marauder": (6, 0), "Reaper": (3, 0), "Hellion": (3, 180), "SiegeTank": (4, 0)}
"""Corners and turn (degrees) of the polygon that stands for a unit type; all others are discs."""


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of a, the rest b."""
    return tuple(round(share * x + (1 - share) * y) for x, y in zip(a, b, strict=True))


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(size, 5))


def seen_cells(snapshot: Snapshot, player: int) -> Bool[np.ndarray, "h w"]:
    """Cells that a player sees, [y, x]."""
    return np.unpackbits(np.asarray(snapshot.visible)[player], axis=-1).astype(bool)


@dataclass(frozen=True)
class _Unit:
    """One unit to draw."""

    kind: int
    player: int
    x: float
    y: float
    health: float
    built: float
    carrying: int
    target: int


class GamePainter:
    """Draws snapshots of one game's map and rules.

    Args:
      game: whose map and unit types are drawn.
      scale: pixels a map cell; 8 makes a map of 64 x 64 cells 512 pixels wide.
    """

    def __init__(self, game: EmbeddedGame, scale: int = 8):
        self.map, self.units, self.scale = game.map, game.rules.units, scale
        self.description = game.description
        resources = {resource.name: resource.contents for resource in load_economy().resources}
        self.full = (resources["MineralField"], resources["VespeneGeyser"])
        self.names = [unit.name for unit in game.description.unit_types]
        self.upgrades = game.description.upgrades
        self.fine = scale * OVERSAMPLING
        self.side = self.map.cells * scale

    @cached_property
    def _ground(self) -> Image.Image:
        return Image.fromarray(paint_ground(self.map, self.fine))

    def frame(
        self,
        snapshot: Snapshot,
        players: Sequence[str] = ("blue", "red"),
        values: Sequence[float] | Float[np.ndarray, " 2"] | None = None,
        fog_of: int | None = None,
    ) -> UInt8[np.ndarray, "h w 3"]:
        """One picture: a strip of side * 10 / 64 pixels, under it the map.

        Args:
          snapshot: one moment, without leading axes.
          players: the names of the two.
          values: what each thinks of its prospects, from -1 (lost) to 1 (won).
          fog_of: the player whose view it is: what it does not see is dark, and enemies there are not drawn. None shows
            everything.
        """
        snapshot = Snapshot(*map(np.asarray, snapshot))
        strip = round(self.side * STRIP / 64)
        picture = Image.new("RGB", (self.side, strip + self.side), NIGHT)
        picture.paste(self._draw_map(snapshot, fog_of).reduce(OVERSAMPLING), (0, strip))
        self._draw_strip(ImageDraw.Draw(picture), snapshot, players, values)
        return np.asarray(picture)

    def _draw_map(self, snapshot: Snapshot, fog_of: int | None) -> Image.Image:
        canvas = self._ground.copy()
        self._draw_resources(ImageDraw.Draw(canvas), snapshot)
        if fog_of is not None:
            canvas = self._fog(canvas, ~seen_cells(snapshot, fog_of))
        draw = ImageDraw.Draw(canvas, "RGBA")
        everyone = self._everyone(snapshot)
        shown = list(everyone.values())
        if fog_of is not None:
            seen = np.pad(seen_cells(snapshot, fog_of), (0, 1))
            shown = [unit for unit in shown if unit.player == fog_of or seen[int(unit.y), int(unit.x)]]
        structure, worker = self.units.structure, self.units.worker
        shown.sort(key=lambda unit: (not structure[unit.kind], not worker[unit.kind], -unit.y))
        for unit in shown:
            (self._draw_structure if structure[unit.kind] else self._draw_unit)(draw, unit)
        for unit in shown:
            if unit.target in everyone:
                self._draw_shot(draw, unit, everyone[unit.target])
        for unit in shown:
            self._draw_bar(draw, unit)
        return canvas

    def _everyone(self, snapshot: Snapshot) -> dict[int, _Unit]:
        """The living, by slot."""
        half, columns = len(snapshot.type) // 2, (snapshot.carrying, snapshot.target)
        return {
            slot: _Unit(
                int(snapshot.type[slot]),
                slot // half,
                *map(float, (*snapshot.position[slot], snapshot.health[slot] / 255, snapshot.built[slot] / 255)),
                *(int(column[slot]) for column in columns),
            )
            for slot in np.flatnonzero(snapshot.type).tolist()
        }

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        """Place on the fine canvas."""
        return x * self.fine, (self.map.cells - y) * self.fine

    def _fog(self, canvas: Image.Image, unseen: Bool[np.ndarray, "h w"]) -> Image.Image:
        """Darkens the unseen cells, softly towards their border."""
        mask = Image.fromarray(np.uint8(unseen[::-1] * 255))
        hard = mask.resize(canvas.size, Image.Resampling.NEAREST)
        soft = mask.resize(canvas.size, Image.Resampling.BILINEAR).point(lambda v: max(2 * v - 255, 0))
        dark = Image.blend(Image.new("RGB", canvas.size, OUTLINE), canvas, FOG)
        inside = Image.composite(soft, Image.new("L", canvas.size), hard)
        return Image.composite(dark, canvas, inside)

    def _draw_resources(self, draw: ImageDraw.ImageDraw, snapshot: Snapshot):
        """Crystals and geysers, the smaller the less is left."""
        fields, f = len(self.map.minerals), self.fine
        places = np.concatenate([self.map.minerals, self.map.geysers])
        for i, (place, left) in enumerate(zip(places, snapshot.amounts.tolist(), strict=True)):
            x, y = self._pixel(*place)
            if i >= fields:
                size = f * (0.45 + 0.75 * min(left / self.full[1], 1.0))
                draw.circle((x, y), f * 1.35, fill=_mix(VESPENE, NIGHT, 0.22), outline=OUTLINE, width=f // 8)
                draw.circle((x, y), size, fill=_mix(VESPENE, NIGHT, 0.75 if left else 0.3))
                draw.circle((x, y), size * 0.5, fill=_mix(VESPENE, INK, 0.75) if left else NIGHT)
            elif left:
                size = f * (0.35 + 0.6 * min(left / self.full[0], 1.0))
                for dx, half in ((-0.6, 0.55), (0.65, 0.5), (0.05, 0.75)):
                    self._draw_crystal(draw, x + dx * size, y, half * size)

    def _draw_crystal(self, draw: ImageDraw.ImageDraw, x: float, y: float, half: float):
        top, bottom, left, right = (x, y - 1.1 * half), (x, y + half), (x - 0.75 * half, y), (x + 0.75 * half, y)
        draw.polygon(
            [top, right, bottom, left], fill=_mix(MINERAL, NIGHT, 0.72), outline=OUTLINE, width=self.fine // 12
        )
        draw.polygon([top, (x, y + 0.2 * half), left], fill=_mix(MINERAL, INK, 0.75))

    def _draw_structure(self, draw: ImageDraw.ImageDraw, unit: _Unit):
        """The footprint with the initials of its name; one under construction fills up from below."""
        f, colour = self.fine, PLAYERS[unit.player]
        x, y = self._pixel(unit.x, unit.y)
        half = f * (float(self.units.footprint[unit.kind]) / 2 - 0.08)
        box, corner = (x - half, y - half, x + half, y + half), 0.35 * f
        full = _mix(colour, NIGHT, 0.62)
        draw.rounded_rectangle(box, corner, fill=full if unit.built >= 1 else _mix(colour, NIGHT, 0.2))
        if unit.built < 1:
            done = 2 * half * unit.built
            draw.rectangle((box[0], box[3] - done, box[2], box[3]), fill=_mix(colour, NIGHT, 0.45))
        draw.rounded_rectangle(box, corner, outline=OUTLINE, width=f // 4)
        inner = (box[0] + f / 10, box[1] + f / 10, box[2] - f / 10, box[3] - f / 10)
        draw.rounded_rectangle(
            inner, corner, outline=colour if unit.built >= 1 else _mix(colour, NIGHT, 0.75), width=f // 6
        )
        label = "".join(re.findall("[A-Z]", self.names[unit.kind]))[-2:]
        font = _font(half * (1.3 if len(label) == 1 else 0.9))
        draw.text((x, y), label, INK if unit.built >= 1 else DIM, font, anchor="mm")

    def _draw_unit(self, draw: ImageDraw.ImageDraw, unit: _Unit):
        f, colour = self.fine, PLAYERS[unit.player]
        x, y = self._pixel(unit.x, unit.y)
        radius, edge = f * float(self.units.radius[unit.kind]), f / 6
        sides, turn = SIDES.get(self.names[unit.kind], (0, 0))
        for size, fill in ((radius + edge, OUTLINE), (radius, colour)):
            if sides:
                draw.regular_polygon((x, y, size * (1.3 if sides == 3 else 1.15)), sides, turn, fill=fill)
            else:
                draw.circle((x, y), size, fill=fill)
        if unit.carrying:
            draw.circle((x + 0.7 * radius, y - 0.7 * radius), 0.2 * f, fill=(MINERAL, VESPENE)[unit.carrying - 1])

    def _draw_shot(self, draw: ImageDraw.ImageDraw, unit: _Unit, target: _Unit):
        start, end = self._pixel(unit.x, unit.y), self._pixel(target.x, target.y)
        draw.line((start, end), fill=(*SHOT, 130), width=self.fine // 6)
        draw.circle(end, self.fine * 0.2, fill=(*SHOT, 160))

    def _draw_bar(self, draw: ImageDraw.ImageDraw, unit: _Unit):
        """Health of the damaged."""
        if unit.health >= 1 or unit.built < 1:
            return
        f, structure = self.fine, self.units.structure[unit.kind]
        size = float(self.units.footprint[unit.kind]) / 2 - 0.1 if structure else float(self.units.radius[unit.kind])
        half = f * max(size, 0.5)
        x, y = self._pixel(unit.x, unit.y + size + 0.35)
        colour = HEALTHY if unit.health > 0.6 else HURT if unit.health > 0.3 else DYING
        draw.rectangle((x - half - 2, y - f / 10 - 2, x + half + 2, y + f / 10 + 2), fill=(*OUTLINE, 170))
        draw.rectangle((x - half, y - f / 10, x - half + 2 * half * unit.health, y + f / 10), fill=colour)

    def _draw_strip(self, draw: ImageDraw.ImageDraw, snapshot: Snapshot, players, values):
        """Time in the middle, a card for each player beside it."""
        u = self.side / 64
        seconds = int(snapshot.loop / self.description.loops_per_second)
        draw.text((32 * u, 2.2 * u), f"{seconds // 60}:{seconds % 60:02}", INK, _font(2.7 * u), anchor="mm")
        for player, colour in enumerate(PLAYERS):
            left = 32 * u * player
            draw.rectangle((left, 9.7 * u, left + 32 * u, STRIP * u), fill=_mix(colour, NIGHT, 0.8))
            card = _Card(draw, u, (1.2 if player == 0 else 36.8) * u, colour)
            rows = np.linspace(0, 9.6, 5 if values is None else 6)[1:-1] * u
            self._fill_card(card, rows, snapshot, player, players[player])
            if values is not None:
                card.balance(rows[3], float(values[player]))

    def _fill_card(self, card: "_Card", rows: np.ndarray, snapshot: Snapshot, player: int, name: str):
        kinds = np.split(snapshot.type, 2)[player]
        kinds = kinds[kinds > 0]
        workers = int(self.units.worker[kinds].sum())
        army = len(kinds) - workers - int(self.units.structure[kinds].sum())
        used, cap = snapshot.supply[player].tolist()
        done = [short_name(name) for name, has in zip(self.upgrades, snapshot.upgrades[player], strict=True) if has]
        card.title(rows[0], name)
        card.number(rows[1], 0, snapshot.minerals[player], "", MINERAL, sides=4)
        card.number(rows[1], 1, snapshot.vespene[player], "", VESPENE)
        card.number(rows[1], 2, f"{used}/{cap}", "supply")
        card.number(rows[2], 0, workers, "workers", card.colour, sides=4)
        card.number(rows[2], 1, army, "army", card.colour)
        card.number(rows[2], 2, " ".join(done), "")


@dataclass(frozen=True)
class _Card:
    """One player's part of the strip; `u` is a 64th of the picture's width, `left` its edge, places in pixels."""

    draw: ImageDraw.ImageDraw
    u: float
    left: float
    colour: Colour

    COLUMNS = (0.0, 10.0, 17.6)
    WIDTH = 26.0

    def title(self, y: float, name: str):
        font = _font(2.0 * self.u)
        while name and font.getlength(name) > self.WIDTH * self.u:
            name = name[:-2] + "…" if len(name) > 2 else ""
        self.draw.text((self.left, y), name, _mix(self.colour, INK, 0.8), font, anchor="lm")

    def number(self, y: float, column: int, value: object, unit: str, colour: Colour | None = None, sides: int = 0):
        """A value with a sign before it (a diamond or a disc, where it has a colour) and a word behind it."""
        x, font = self.left + self.COLUMNS[column] * self.u, _font(1.6 * self.u)
        if colour is not None:
            _draw_sign(self.draw, x + 0.7 * self.u, y, 0.7 * self.u, colour, sides)
            x += 2.0 * self.u
        self.draw.text((x, y), str(value), INK, font, anchor="lm")
        self.draw.text((x + font.getlength(f"{value} "), y), unit, DIM, _font(1.45 * self.u), anchor="lm")

    def balance(self, y: float, value: float):
        """A bar from the middle: right of it the player thinks to win, left of it to lose."""
        u, width = self.u, self.WIDTH - 5.0
        middle, half = self.left + width / 2 * u, width / 2 * u
        self.draw.rounded_rectangle(
            (middle - half, y - 0.4 * u, middle + half, y + 0.4 * u), 0.4 * u, fill=_mix(DIM, NIGHT, 0.3)
        )
        end = middle + half * min(max(value, -1.0), 1.0)
        self.draw.rectangle((min(middle, end), y - 0.4 * u, max(middle, end), y + 0.4 * u), fill=self.colour)
        self.draw.line((middle, y - 0.6 * u, middle, y + 0.6 * u), fill=INK)
        self.draw.text((self.left + self.WIDTH * u, y), f"{value:+.2f}", INK, _font(1.5 * u), anchor="rm")


def _draw_sign(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour, sides: int):
    if sides:
        draw.regular_polygon((x, y, radius * 1.15), sides, 45, fill=colour)
    else:
        draw.circle((x, y), radius, fill=colour)


def short_name(upgrade: str) -> str:
    """Initials of an upgrade, without the race: IW1 for TerranInfantryWeaponsLevel1."""
    return "".join(re.findall("[A-Z0-9]", re.sub("^(Terran|Protoss|Zerg)|Level", "", upgrade)))
