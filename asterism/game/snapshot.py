"""What a picture needs of a State, small enough to keep one for every step of a compiled rollout."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float16, Int, Int8, Int16, UInt8

from asterism.game.accounting import supply
from asterism.game.modifiers import modifiers
from asterism.game.sight import visible_cells, visible_enemies
from asterism.game.state import State, by_player
from asterism.game.targets import choose_targets
from asterism.game.world import World

CREEP_SCALE = 16
"""Reach of creep is in 1/16 cell."""


class Snapshot(NamedTuple):
    """One moment of one game, or of many with leading axes.

    N units (player 0's first), R resources, K upgrades, H map cells a side.
    """

    loop: Int[Array, "*b"]
    """Game loop (22.4 a second)."""
    type: Int16[Array, "*b N"]
    """Index into `GameDescription.unit_types`; 0 is an empty slot."""
    position: Float16[Array, "*b N 2"]
    """Cells, (x, y)."""
    health: UInt8[Array, "*b N"]
    """Share of the full health, in 1/255; at least 1 for a living unit."""
    shield: UInt8[Array, "*b N"]
    """Share of the full shields, in 1/255."""
    energy: UInt8[Array, "*b N"]
    """Share of the most energy, in 1/255."""
    creep: UInt8[Array, "*b N"]
    """Cells that the unit's creep reaches, in 1/16."""
    built: UInt8[Array, "*b N"]
    """Share of the construction that is done, in 1/255."""
    carrying: Int8[Array, "*b N"]
    """0 nothing, 1 minerals, 2 vespene."""
    target: Int16[Array, "*b N"]
    """Slot of the enemy that the unit has under fire, -1 for none."""
    amounts: Int16[Array, "*b R"]
    """What is left in each resource, in minerals or vespene."""
    minerals: Int[Array, "*b 2"]
    vespene: Int[Array, "*b 2"]
    supply: Int16[Array, "*b 2 2"]
    """[player, (used, cap)]."""
    upgrades: Bool[Array, "*b 2 K"]
    score: Int[Array, "*b 2"]
    """Value of everything owned, in minerals plus vespene."""
    visible: UInt8[Array, "*b 2 H H/8"]
    """Cells that each player sees, [player, y, x], eight to a byte (`jnp.packbits`)."""


def snapshot(world: World, state: State) -> Snapshot:
    """The picture of a state: about 3.5 kB for 2 x 64 units on 64 x 64 cells. Pure and unbatched."""
    units, players, table = state.units, state.players, world.units
    kind, alive = units.type, units.type > 0
    share = lambda have, most: jnp.clip(have / jnp.maximum(most, 1.0), 0.0, 1.0)  # noqa: E731
    mods = modifiers(world, state)
    health = share(units.health, mods.health)
    creep = jnp.zeros(len(kind)) if state.zerg is None else jnp.where(alive, state.zerg.creep, 0.0)
    built = 1.0 - units.build_left / jnp.maximum(table.build_time[kind], 1.0)
    fights = choose_targets(world, state, mods, visible_enemies(world, state))
    value = by_player(jnp.where(alive, table.value[kind], 0.0)).sum(1)
    return Snapshot(
        loop=state.loop,
        type=kind.astype(jnp.int16),
        position=units.position.astype(jnp.float16),
        health=jnp.where(alive, jnp.ceil(health * 255), 0).astype(jnp.uint8),
        shield=jnp.where(alive, jnp.ceil(share(units.shield, table.shield[kind]) * 255), 0).astype(jnp.uint8),
        energy=jnp.where(alive, share(units.energy, table.energy[kind]) * 255, 0).astype(jnp.uint8),
        creep=jnp.minimum(creep * CREEP_SCALE, 255).astype(jnp.uint8),
        built=(jnp.clip(built, 0.0, 1.0) * 255).astype(jnp.uint8),
        carrying=units.carrying.astype(jnp.int8),
        target=jnp.where(fights.in_range, fights.target, -1).astype(jnp.int16),
        amounts=state.amounts.astype(jnp.int16),
        minerals=players.minerals.astype(jnp.int32),
        vespene=players.vespene.astype(jnp.int32),
        supply=jnp.stack(supply(world, state), 1).astype(jnp.int16),
        upgrades=players.upgrades,
        score=(value + players.minerals + players.vespene).astype(jnp.int32),
        visible=jnp.packbits(visible_cells(world, state, world.terrain.level.shape[0]), axis=-1),
    )
