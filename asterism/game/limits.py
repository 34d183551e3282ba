"""What keeps players from acting at will: the camera, and the rate of their actions (AlphaStar, Methods: Interface)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.settings import GameSettings
from asterism.game.state import Pace, State
from asterism.game.world import World
from asterism.interface.action import Action, ActionResult
from asterism.interface.description import ActionType, GameDescription
from asterism.interface.observation import CAMERA, POSITION_SCALE
from asterism.interface.sizes import InterfaceSize

ON_SCREEN = (
    *("Attack_unit", "Harvest_Gather_unit", "Land_", "Load_", "Morph_Root_", "UnloadAllAt_unit"),
    *("Build_", "TrainWarp_", "Effect_"),
)
"""Beginnings of the names of actions whose target must be inside the camera."""
ANYWHERE = frozenset(
    (
        "Effect_AdeptPhaseShift_pt Effect_Blink_pt Effect_CalldownMULE_pt Effect_InjectLarva_unit Effect_MassRecall_pt "
        "Effect_NukeCalldown_pt Effect_Scan_pt Effect_SpawnLocusts_pt Effect_SpawnLocusts_unit Effect_TacticalJump_pt "
        "Effect_ViperConsume_unit Build_CreepTumor_pt"
    ).split()
)
"""Actions among those that players aim over the minimap, too: the open-source AlphaStar leaves them free."""


def seen_through_camera(game: GameDescription) -> GameDescription:
    """The game as the camera interface has it: some actions need their target inside the camera."""

    def limited(action: ActionType) -> bool:
        targets = action.target_unit or action.location
        return targets and action.name.startswith(ON_SCREEN) and action.name not in ANYWHERE

    return replace(game, actions=tuple(replace(action, on_screen=limited(action)) for action in game.actions))


def on_screen(camera: Float[Array, "*#n 2"], place: Float[Array, "*n 2"]) -> Bool[Array, "*n"]:
    """Which places, at the grain of the entity list, a camera shows whose middle is at `camera`."""
    place = jnp.floor(place * POSITION_SCALE) / POSITION_SCALE
    return (jnp.abs(place - camera) <= jnp.array(CAMERA) / 2).all(-1)


def camera_cells(camera: Float[Array, " 2"], cells: int, side: int) -> Bool[Array, "side side"]:
    """The plane of the camera: its cells whose middle is on screen. Targets on the map are valid in those."""
    middle = (jnp.arange(side) + 0.5) * (cells / side)
    x, y = (jnp.abs(middle - camera[axis]) <= CAMERA[axis] / 2 for axis in range(2))
    return y[:, None] & x


def no_pace(settings: GameSettings, size: InterfaceSize) -> Pace | None:
    """Players who have not acted yet."""
    if not settings.limits_rate:
        return None
    loops = jnp.full((2, settings.rate_limit), -settings.rate_window)
    return Pace(loops, jnp.full((2, 5 + size.selected), -1))


def too_fast(world: World, state: State) -> Bool[Array, " 2"]:
    """Players who have given as many actions within the window as the limit allows."""
    if state.turn.pace is None:
        return jnp.zeros(2, bool)
    return state.turn.pace.loops[:, 0] > state.loop - world.settings.rate_window


def off_screen(
    world: World,
    state: State,
    action: Action,
    named: Int[Array, " 2"],
    place: Float[Array, "2 2"],
    size: InterfaceSize,
    game: GameDescription,
) -> Bool[Array, " 2"]:
    """Players whose action needs a target inside the camera and has one outside.

    Args:
      named, place: the target as the entity list has it (-1 for a place), and where it is.
    """
    camera, cells = state.players.camera, world.terrain.level.shape[1]
    shown = jax.vmap(lambda camera: camera_cells(camera, cells, size.map))(camera)
    x, y = action.location % size.location, action.location // size.location
    grain = size.location // size.map
    at_place = shown[jnp.arange(2), y // grain, x // grain]
    inside = jnp.where(named >= 0, on_screen(camera, place), at_place)
    return jnp.asarray(game.on_screen)[action.action_type] & ~inside


def admit(
    world: World,
    state: State,
    action: Action,
    acting: Bool[Array, " 2"],
    named: Int[Array, " 2"],
    place: Float[Array, "2 2"],
    size: InterfaceSize,
    game: GameDescription,
) -> tuple[Action, Int[Array, " 2"], Pace | None]:
    """Drops the actions that a player may not give now: they become no-ops with the same delay.

    Args:
      state: in which the players decided.
      named, place: as in `off_screen`.
    Returns:
      The actions, why each was dropped (`ActionResult`; 0 where it was not), and the pace after them.
    """
    refusal, pace = jnp.zeros(2, jnp.int32), state.turn.pace
    if game.on_screen.any():
        code = jnp.where(named >= 0, ActionResult.MUST_TARGET_VISIBLE_UNIT, ActionResult.MUST_TARGET_VISIBLE_LOCATION)
        refusal = jnp.where(off_screen(world, state, action, named, place, size, game), code, refusal)
    if pace is not None:
        asks = action.action_type != 0
        refusal = jnp.where(too_fast(world, state) & asks, ActionResult.RETRY, refusal)
        given = acting & asks & (refusal == 0)
        parts = _signature(state, action, named, size, game)
        counts = given & ~(parts == pace.last).all(1)
        later = jnp.concatenate([pace.loops[:, 1:], jnp.broadcast_to(state.loop, (2, 1))], 1)
        pace = Pace(jnp.where(counts[:, None], later, pace.loops), jnp.where(given[:, None], parts, pace.last))
    return action._replace(action_type=jnp.where(refusal > 0, 0, action.action_type)), refusal, pace


def _signature(
    state: State, action: Action, named: Int[Array, " 2"], size: InterfaceSize, game: GameDescription
) -> Int[Array, "2 D"]:
    """The parts of the actions that their types use, but for the delay, with units as slots."""
    uses = jax.tree.map(lambda used: jnp.asarray(used)[action.action_type], game.uses)
    slots = jnp.take_along_axis(state.turn.entities, jnp.clip(action.units, 0, size.entities - 1), 1)
    slots = jnp.where((action.units >= 0) & uses.units[:, None], slots, -1)
    single = (
        action.action_type,
        jnp.where(uses.queued, action.queued, 0),
        jnp.where(uses.repeat, action.repeat, 0),
        jnp.where(uses.target_unit, named, -1),
        jnp.where(uses.location, action.location, -1),
    )
    return jnp.concatenate([jnp.stack(single, 1), slots], 1).astype(jnp.int32)
