"""Why an action did nothing: what StarCraft II's API reports as the action's result."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import conditions, leveled, units_with_queue
from asterism.game.castable import lacks
from asterism.game.creep import on_creep
from asterism.game.power import in_power, powered
from asterism.game.spellbook import TARGET
from asterism.game.state import State, by_player
from asterism.game.tasks import QUEUED, Kind
from asterism.game.world import World, is_kind
from asterism.interface.action import ActionResult


def action_results(
    world: World,
    state: State,
    wanted: Int[Array, " N"],
    place: Float[Array, "2 2"],
    queued: Bool[Array, " 2"],
    taken: Bool[Array, " 2"],
    unselected: Bool[Array, " 2"],
) -> Int[Array, " 2"]:
    """`ActionResult` of both players' actions, in the state before them.

    Args:
      wanted: what the action is for each unit that was selected for it and is able to, available or not.
      place: where it was asked for.
      queued: it was to come behind other orders.
      taken: some unit took it.
      unselected: the action needs no units.
    """
    player = jnp.arange(2)
    known = state.players.upgrades
    task = leveled(world, by_player(wanted).max(1), known)
    kind, product = world.tasks.kind[task], world.tasks.product[task]
    met = conditions(world, state)
    room = by_player(units_with_queue(world, state.units) & is_kind(world.tasks.kind[wanted], *QUEUED)).any(1)
    every = lambda lack: by_player(lack | (wanted == 0)).all(1)  # noqa: E731
    dark, full = every(~powered(world, state.units)), every(state.units.order_action[:, -1] > 0)
    lit = in_power(world, state.units, place, player)
    creep = on_creep(world, state, place)
    builds, makes = kind == Kind.BUILD, is_kind(kind, *QUEUED)
    # The first that applies is the answer, in the order in which the real game checks.
    checks = (
        (unselected | taken, ActionResult.SUCCESS),
        (task == 0, ActionResult.NOT_SUPPORTED),
        (builds & ~met.tech[player, task], ActionResult.BUILD_TECH_REQUIREMENTS_NOT_MET),
        (~met.tech[player, task], ActionResult.TECH_REQUIREMENTS_NOT_MET),
        (~met.minerals[player, task], ActionResult.NOT_ENOUGH_MINERALS),
        (~met.vespene[player, task], ActionResult.NOT_ENOUGH_VESPENE),
        (~met.food[player, task], ActionResult.NOT_ENOUGH_FOOD),
        (makes & ~room, ActionResult.QUEUE_IS_FULL),
        (makes & dark, ActionResult.CANT_TRAIN_TOO_FAR_FROM_POWER_SOURCE),
        (queued & full, ActionResult.ORDER_QUEUE_IS_FULL),
        *_casting(world, state, wanted, kind, every),
        (builds & world.units.needs_power[product] & ~lit, ActionResult.CANT_BUILD_TOO_FAR_FROM_POWER_SOURCE),
        (builds & world.units.needs_creep[product] & ~creep, ActionResult.CANT_BUILD_TOO_FAR_FROM_CREEP_SOURCE),
        (builds & world.units.blocked_by_creep[product] & creep, ActionResult.CANT_BUILD_TOO_CLOSE_TO_CREEP_SOURCE),
        (builds, ActionResult.CANT_BUILD_LOCATION_INVALID),
        (kind == Kind.LAND, ActionResult.CANT_LAND_LOCATION_INVALID),
        ((kind == Kind.WARP) & ~lit, ActionResult.CANT_WARP_IN_UNITS_THERE),
        (kind == Kind.WARP, ActionResult.COOLDOWN),
    )
    result = jnp.full(2, ActionResult.ERROR)
    for applies, code in reversed(checks):
        result = jnp.where(applies, code, result)
    return result


def _casting(world: World, state: State, wanted: Int[Array, " N"], kind: Int[Array, " 2"], every) -> tuple:
    """The checks of spells, which are reported where they apply to every unit that was told to cast."""
    if state.spells is None:
        return ()
    casts, spell = kind == Kind.CAST, world.tasks.spell[wanted]
    lack = lacks(world, state, spell)
    aimed = by_player(world.magic.spells.subject[spell] == TARGET).any(1)
    return (
        (casts & every(lack.time), ActionResult.COOLDOWN),
        (casts & every(lack.energy), ActionResult.NOT_ENOUGH_ENERGY),
        (casts & every(lack.life), ActionResult.NOT_ENOUGH_LIFE),
        (casts & aimed, ActionResult.CANT_TARGET_THAT_UNIT),
    )
