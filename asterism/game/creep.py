"""Creep: discs around its sources, that grow. What a source has covered is gone when the source is (the real game's
recedes cell by cell)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from asterism.game.accounting import finished
from asterism.game.skipping import any_of
from asterism.game.state import State
from asterism.game.tables import load_economy
from asterism.game.world import World, cell_index


def spread_creep(world: World, state: State, dt: int) -> State:
    """Finished sources gain a cell of radius in each period, up to their full radius."""
    if state.zerg is None:
        return state
    most = jnp.where(finished(state.units), world.units.creep_radius[state.units.type], 0.0)
    creep = jnp.minimum(state.zerg.creep + dt / load_economy().creep_period, most)
    return state._replace(zerg=state.zerg._replace(creep=creep))


def on_creep(world: World, state: State, place: Float[Array, "*n 2"]) -> Bool[Array, "*n"]:
    """Whether each place has creep, of whichever player: it lies within that of a source, on ground."""
    if state.zerg is None:
        return jnp.zeros(place.shape[:-1], bool)
    source, reach = state.units.position, state.zerg.creep

    def covers(at):
        each = lambda values: values[at].reshape(-1, *[1] * (place.ndim - 1))  # noqa: E731
        x, y = place[..., 0] - each(source[:, 0]), place[..., 1] - each(source[:, 1])
        return x**2 + y**2 <= each(reach) ** 2

    near = any_of(reach > 0, covers, place.shape[:-1])
    return near & world.terrain.pathable.reshape(-1)[cell_index(place, world.terrain.pathable.shape[1])]
