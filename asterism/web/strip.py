"""The strip above a picture: time, and what each player has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from asterism.game.rules import UnitTable
from asterism.game.snapshot import Snapshot
from asterism.interface.description import GameDescription
from asterism.web.colours import DIM, INK, MINERAL, NIGHT, PLAYERS, VESPENE, Colour, font, mix

STRIP = 10
"""Height of the strip, in 64ths of the picture's width."""


@dataclass(frozen=True)
class Strip:
    """Paints the strip of a picture `side` pixels wide."""

    game: GameDescription
    units: UnitTable
    side: int

    def paint(self, draw: ImageDraw.ImageDraw, snapshot: Snapshot, players: Sequence[str], values) -> None:
        """Time in the middle, a card for each player beside it."""
        u = self.side / 64
        seconds = int(snapshot.loop / self.game.loops_per_second)
        draw.text((32 * u, 2.2 * u), f"{seconds // 60}:{seconds % 60:02}", INK, font(2.7 * u), anchor="mm")
        for player, colour in enumerate(PLAYERS):
            left = 32 * u * player
            draw.rectangle((left, 9.7 * u, left + 32 * u, STRIP * u), fill=mix(colour, NIGHT, 0.8))
            card = _Card(draw, u, (1.2 if player == 0 else 36.8) * u, left + 32 * u, colour)
            rows = np.linspace(0, 9.6, 5 if values is None else 6)[1:-1] * u
            self._fill_card(card, rows, snapshot, player, players[player])
            if values is not None:
                card.balance(rows[3], float(values[player]))

    def _fill_card(self, card: "_Card", rows: np.ndarray, snapshot: Snapshot, player: int, name: str):
        kinds = np.split(snapshot.type, 2)[player]
        kinds = kinds[kinds > 0]
        workers = int(self.units.worker[kinds].sum())
        army = int((~self.units.worker & ~self.units.structure & (self.units.supply > 0))[kinds].sum())
        used, cap = snapshot.supply[player].tolist()
        done = [short_name(self.game.upgrades[i]) for i in np.flatnonzero(snapshot.upgrades[player])]
        card.title(rows[0], name)
        card.number(rows[1], 0, snapshot.minerals[player], "", MINERAL, sides=4)
        card.number(rows[1], 1, snapshot.vespene[player], "", VESPENE)
        card.number(rows[1], 2, f"{used}/{cap}", "supply")
        card.number(rows[2], 0, workers, "workers", card.colour, sides=4)
        card.number(rows[2], 1, army, "army", card.colour)
        card.upgrades(rows[2], 2, done)


@dataclass(frozen=True)
class _Card:
    """One player's part of the strip; `u` is a 64th of the picture's width, the others its edges, all in pixels."""

    draw: ImageDraw.ImageDraw
    u: float
    left: float
    right: float
    colour: Colour

    COLUMNS = (0.0, 10.0, 17.6)
    WIDTH = 26.0

    def title(self, y: float, name: str):
        letters = font(2.0 * self.u)
        while name and letters.getlength(name) > self.WIDTH * self.u:
            name = name[:-2] + "…" if len(name) > 2 else ""
        self.draw.text((self.left, y), name, mix(self.colour, INK, 0.8), letters, anchor="lm")

    def number(self, y: float, column: int, value: object, unit: str, colour: Colour | None = None, sides: int = 0):
        """A value, a sign before it (a diamond or disc, where it has a colour), a word behind it (if there is room)."""
        x, letters = self.left + self.COLUMNS[column] * self.u, font(1.6 * self.u)
        if colour is not None:
            _draw_sign(self.draw, x + 0.7 * self.u, y, 0.7 * self.u, colour, sides)
            x += 2.0 * self.u
        self.draw.text((x, y), str(value), INK, letters, anchor="lm")
        x, letters = x + letters.getlength(f"{value} "), font(1.45 * self.u)
        if x + letters.getlength(unit) <= self.right:
            self.draw.text((x, y), unit, DIM, letters, anchor="lm")

    def upgrades(self, y: float, column: int, names: Sequence[str]):
        """Their initials, or how many they are where there is no room for that."""
        text = " ".join(names)
        if font(1.6 * self.u).getlength(text) <= (self.WIDTH - self.COLUMNS[column]) * self.u:
            self.number(y, column, text, "")
        else:
            self.number(y, column, f" {len(names)}", "upgrades")

    def balance(self, y: float, value: float):
        """A bar from the middle: right of it the player thinks to win, left of it to lose."""
        u, width = self.u, self.WIDTH - 5.0
        middle, half = self.left + width / 2 * u, width / 2 * u
        self.draw.rounded_rectangle(
            (middle - half, y - 0.4 * u, middle + half, y + 0.4 * u), 0.4 * u, fill=mix(DIM, NIGHT, 0.3)
        )
        end = middle + half * min(max(value, -1.0), 1.0)
        self.draw.rectangle((min(middle, end), y - 0.4 * u, max(middle, end), y + 0.4 * u), fill=self.colour)
        self.draw.line((middle, y - 0.6 * u, middle, y + 0.6 * u), fill=INK)
        self.draw.text((self.left + self.WIDTH * u, y), f"{value:+.2f}", INK, font(1.5 * u), anchor="rm")


def _draw_sign(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour, sides: int):
    if sides:
        draw.regular_polygon((x, y, radius * 1.15), sides, 45, fill=colour)
    else:
        draw.circle((x, y), radius, fill=colour)


def short_name(upgrade: str) -> str:
    """Initials of an upgrade, without the race: IW1 for TerranInfantryWeaponsLevel1."""
    return "".join(re.findall("[A-Z0-9]", re.sub("^(Terran|Protoss|Zerg)|Level", "", upgrade)))
