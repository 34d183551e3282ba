"""A game as an agent needs to know it: unit types, actions, upgrades. Another game is another description."""

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.errors import UserError
from asterism.interface.action import Action, ActionParts
from asterism.interface.observation import Observation, Privileged, Strategy
from asterism.interface.sizes import InterfaceSize


@dataclass(frozen=True)
class UnitType:
    """A unit type of the game; `id` is the game's own (StarCraft II's unit type id)."""

    id: int
    name: str


@dataclass(frozen=True)
class ActionType:
    """A row of the action table; `id` is StarCraft II's raw function's, `units` names the types that can take it."""

    id: int
    name: str
    ability_id: int
    general_id: int
    queued: bool
    selects: bool
    target_unit: bool
    location: bool
    repeat: bool = False
    units: tuple[str, ...] = ()
    on_screen: bool = False
    """Its target must be inside the camera."""


@dataclass(frozen=True)
class GameDescription:
    """All that interface, agent and demos know of a game. Index 0 of `unit_types` is "none", of `actions` no_op."""

    name: str
    unit_types: tuple[UnitType, ...]
    actions: tuple[ActionType, ...]
    upgrades: tuple[str, ...]
    effects: tuple[str, ...]
    map_cells: int
    """Side of the largest map, in cells (game units)."""
    loops_per_second: float = 22.4

    def __post_init__(self):
        if self.unit_types[0].name != "none" or self.actions[0].name != "no_op":
            raise UserError(f"game {self.name}: the first unit type must be 'none' and the first action 'no_op'")

    @cached_property
    def unit_index(self) -> dict[str, int]:
        """Index of each unit type by name."""
        return {unit.name: index for index, unit in enumerate(self.unit_types)}

    @cached_property
    def action_index(self) -> dict[str, int]:
        """Index of each action by name."""
        return {action.name: index for index, action in enumerate(self.actions)}

    @cached_property
    def selectable(self) -> Bool[np.ndarray, "A U"]:
        """Which unit types can take which action."""
        table = np.zeros((len(self.actions), len(self.unit_types)), bool)
        for row, action in zip(table, self.actions, strict=True):
            row[[self.unit_index[name] for name in action.units]] = True
        return table

    @cached_property
    def on_screen(self) -> Bool[np.ndarray, " A"]:
        """Which actions need their target inside the camera; none where the interface is the whole map."""
        return np.array([action.on_screen for action in self.actions], bool)

    @cached_property
    def uses(self) -> ActionParts:
        """Which parts ([A] each) each action type uses; every action has a type and a delay."""
        always = np.ones(len(self.actions), bool)

        def column(name):
            return np.array([getattr(action, name) for action in self.actions], bool)

        return ActionParts(
            action_type=always,
            delay=always,
            queued=column("queued"),
            repeat=column("repeat"),
            units=column("selects"),
            target_unit=column("target_unit"),
            location=column("location"),
        )


class TimeStep(NamedTuple):
    """What a game returns. Everything but `done` has the two players as its first axis."""

    observation: Observation
    privileged: Privileged
    reward: Float[Array, "*b 2"]
    done: Bool[Array, "*b"]
    acting: Bool[Array, "*b 2"]
    """Whose observation is due: delays make turns asynchronous; what a player gives who is not acting is ignored."""
    result: Int[Array, "*b 2"]
    """`ActionResult` of each player's last action, or of what came of it since."""


@runtime_checkable
class Game(Protocol):
    """A game of two players as pure functions, unbatched."""

    description: GameDescription
    size: InterfaceSize

    def draw_races(self, key: PRNGKeyArray) -> Int[Array, " 2"]:
        """`Race` of both players of a game, as its settings have it."""

    def reset(self, key: PRNGKeyArray, z: Strategy, races: Int[Array, " 2"] | None = None) -> tuple[Any, TimeStep]:
        """A new game in which player p is asked to follow z[p]; of the given races, or of races drawn with the key."""

    def step(self, state: Any, action: Action) -> tuple[Any, TimeStep]:
        """Applies the acting players' actions ([2, ...]) and advances to the next moment at which somebody acts."""


def raw_functions() -> dict[str, dict]:
    """StarCraft II's 564 raw functions by name, as pysc2 numbers them."""
    text = resources.files("asterism.interface").joinpath("data/actions.json").read_text()
    return {row["name"]: row for row in json.loads(text)}
