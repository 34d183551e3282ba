"""Pictures of a game: the map from above, north (large y) up, under a strip with what each player has."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from PIL import Image, ImageDraw

from asterism.game.game import EmbeddedGame
from asterism.game.snapshot import CREEP_SCALE, Snapshot
from asterism.game.tables import load_economy
from asterism.web.colours import CREEP, INK, MINERAL, NIGHT, OUTLINE, PLAYERS, VESPENE, Colour, mix
from asterism.web.ground import paint_ground
from asterism.web.pieces import Piece, Pieces
from asterism.web.strip import STRIP, Strip

OVERSAMPLING = 3
"""The map is drawn this much larger and reduced, for smooth edges."""
FOG = 0.42
"""Share of the light that is left where a player sees nothing."""
GRAIN = 4
"""Points a cell at which it is worked out where creep and power are."""
CREEP_TINT, POWER_TINT, POWER_EDGE = 130, 24, 80
"""Opacity, of 255, of creep, of power fields and of their edges."""
EDGE = 0.3
"""Cells that the edge of a power field is wide."""


def seen_cells(snapshot: Snapshot, player: int) -> Bool[np.ndarray, "h w"]:
    """Cells that a player sees, [y, x]."""
    return np.unpackbits(np.asarray(snapshot.visible)[player], axis=-1).astype(bool)


class GamePainter:
    """Draws snapshots of one game's map and rules.

    Args:
      game: whose map and unit types are drawn.
      scale: pixels a map cell; 8 makes a map of 64 x 64 cells 512 pixels wide.
    """

    def __init__(self, game: EmbeddedGame, scale: int = 8):
        self.map, self.units, self.scale = game.map, game.rules.units, scale
        resources = {resource.name: resource.contents for resource in load_economy().resources}
        self.full = (resources["MineralField"], resources["VespeneGeyser"])
        self.fine = scale * OVERSAMPLING
        self.side = self.map.cells * scale
        self.pieces = Pieces([unit.name for unit in game.description.unit_types], self.units, self.fine)
        self.strip = Strip(game.description, self.units, self.side)

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
        self.strip.paint(ImageDraw.Draw(picture), snapshot, players, values)
        return np.asarray(picture)

    def _draw_map(self, snapshot: Snapshot, fog_of: int | None) -> Image.Image:
        canvas, slots = self._ground.copy(), self._shown(snapshot, fog_of)
        self._draw_creep(canvas, snapshot, slots)
        self._draw_resources(ImageDraw.Draw(canvas), snapshot)
        if fog_of is not None:
            canvas = self._fog(canvas, ~seen_cells(snapshot, fog_of))
        self._draw_power(canvas, snapshot, slots)
        draw = ImageDraw.Draw(canvas, "RGBA")
        everyone = self._everyone(snapshot)
        shown = [everyone[slot] for slot in slots.tolist() if slot in everyone]
        units = self.units
        key = lambda piece: (not units.structure[piece.kind], not units.worker[piece.kind], piece.y)  # noqa: E731
        shown.sort(key=lambda piece: (bool(units.flying[piece.kind]), *key(piece)))
        for piece in shown:
            if units.flying[piece.kind]:
                self.pieces.shadow(draw, piece)
        for piece in shown:
            self.pieces.draw(draw, piece)
        for piece in shown:
            if piece.target in everyone:
                self.pieces.shot(draw, piece, everyone[piece.target])
        for piece in shown:
            self.pieces.bars(draw, piece)
        return canvas

    def _shown(self, snapshot: Snapshot, fog_of: int | None) -> Int[np.ndarray, " n"]:
        """Slots that are not hidden by the fog."""
        slots = np.arange(len(snapshot.type))
        if fog_of is None:
            return slots
        own = slots // (len(slots) // 2) == fog_of
        x, y = np.clip(snapshot.position.astype(int), 0, self.map.cells - 1).T
        return slots[own | seen_cells(snapshot, fog_of)[y, x]]

    def _everyone(self, snapshot: Snapshot) -> dict[int, Piece]:
        """The living, by slot."""
        half, columns = len(snapshot.type) // 2, (snapshot.carrying, snapshot.target)
        shares = (snapshot.health, snapshot.shield, snapshot.energy, snapshot.built)
        return {
            slot: Piece(
                int(snapshot.type[slot]),
                slot // half,
                *self._pixel(*map(float, snapshot.position[slot])),
                *(float(share[slot]) / 255 for share in shares),
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

    def _covered(self, x: np.ndarray, y: np.ndarray, reach: np.ndarray) -> Bool[np.ndarray, "g g"]:
        """Points of the map within `reach` cells of one of the places."""
        points = (np.arange(self.map.cells * GRAIN) + 0.5) / GRAIN
        covered = np.zeros((len(points), len(points)), bool)
        for column, line, radius in zip(x.astype(float), y.astype(float), reach.astype(float), strict=True):
            covered |= (points[:, None] - line) ** 2 + (points - column) ** 2 <= radius**2
        return covered & np.kron(self.map.pathable, np.ones((GRAIN, GRAIN), bool))

    def _tint(self, canvas: Image.Image, colour: Colour, opacity: np.ndarray):
        """Lays a colour over the canvas, at the opacity (0 to 255) of each point."""
        mask = Image.fromarray(opacity[::-1].astype(np.uint8)).resize(canvas.size, Image.Resampling.BILINEAR)
        canvas.paste(colour, mask=mask)

    def _draw_creep(self, canvas: Image.Image, snapshot: Snapshot, slots: np.ndarray):
        """The creep of the units in `slots`."""
        reach = np.where(snapshot.type[slots] > 0, snapshot.creep[slots] / CREEP_SCALE, 0.0)
        sources = slots[reach > 0]
        if len(sources):
            covered = self._covered(*snapshot.position[sources].T, reach[reach > 0])
            self._tint(canvas, CREEP, covered * CREEP_TINT)

    def _draw_power(self, canvas: Image.Image, snapshot: Snapshot, slots: np.ndarray):
        """The power fields of the units in `slots`: faint, with an edge."""
        for player, own in enumerate(np.split(np.arange(len(snapshot.type)), 2)):
            built = slots[np.isin(slots, own) & (snapshot.built[slots] == 255)]
            sources = built[self.units.power_radius[snapshot.type[built]] > 0]
            if len(sources):
                reach = self.units.power_radius[snapshot.type[sources]]
                inner, outer = (self._covered(*snapshot.position[sources].T, r) for r in (reach - EDGE, reach))
                opacity = np.where(inner, POWER_TINT, np.where(outer, POWER_EDGE, 0))
                self._tint(canvas, mix(PLAYERS[player], INK, 0.7), opacity)

    def _draw_resources(self, draw: ImageDraw.ImageDraw, snapshot: Snapshot):
        """Crystals and geysers, the smaller the less is left."""
        fields, f = len(self.map.minerals), self.fine
        places = np.concatenate([self.map.minerals, self.map.geysers])
        for i, (place, left) in enumerate(zip(places, snapshot.amounts.tolist(), strict=True)):
            x, y = self._pixel(*place)
            if i >= fields:
                size = f * (0.45 + 0.75 * min(left / self.full[1], 1.0))
                draw.circle((x, y), f * 1.35, fill=mix(VESPENE, NIGHT, 0.22), outline=OUTLINE, width=f // 8)
                draw.circle((x, y), size, fill=mix(VESPENE, NIGHT, 0.75 if left else 0.3))
                draw.circle((x, y), size * 0.5, fill=mix(VESPENE, INK, 0.75) if left else NIGHT)
            elif left:
                size = f * (0.35 + 0.6 * min(left / self.full[0], 1.0))
                for dx, half in ((-0.6, 0.55), (0.65, 0.5), (0.05, 0.75)):
                    self._draw_crystal(draw, x + dx * size, y, half * size)

    def _draw_crystal(self, draw: ImageDraw.ImageDraw, x: float, y: float, half: float):
        top, bottom, left, right = (x, y - 1.1 * half), (x, y + half), (x - 0.75 * half, y), (x + 0.75 * half, y)
        draw.polygon([top, right, bottom, left], fill=mix(MINERAL, NIGHT, 0.72), outline=OUTLINE, width=self.fine // 12)
        draw.polygon([top, (x, y + 0.2 * half), left], fill=mix(MINERAL, INK, 0.75))
