"""Health, shields and energy that come and go by themselves."""

import jax.numpy as jnp

from asterism.game.accounting import finished
from asterism.game.modifiers import Modifiers
from asterism.game.state import State
from asterism.game.tables import load_economy
from asterism.game.world import World
from asterism.interface.observation import Race


def regenerate(world: World, state: State, mods: Modifiers, dt: int) -> State:
    """Zerg units mend, shields and Reapers do out of combat, casters gain energy, Terran structures near death burn."""
    units, table, economy = state.units, world.units, load_economy()
    kind, done = units.type, finished(units)
    quiet = units.quiet + dt
    # Loops of this tick that lie beyond the delay.
    calm = jnp.clip(quiet - economy.regen_delay, 0.0, dt)
    mending = jnp.where(table.race[kind] == Race.ZERG, dt, calm)
    health = units.health + jnp.where(done & (units.health > 0), table.health_regen[kind] * mending, 0.0)
    health = jnp.minimum(health, jnp.maximum(mods.health, units.health))
    burns = done & table.structure[kind] & (table.race[kind] == Race.TERRAN)
    burns &= units.health < economy.burn_below * mods.health
    health = jnp.where(burns, health - economy.burn_rate * dt, health)
    shield = units.shield + jnp.where(done, table.shield_regen[kind] * calm, 0.0)
    energy = units.energy + jnp.where(done, mods.energy_regen * dt, 0.0)
    return state._replace(
        units=units._replace(
            quiet=quiet,
            health=health,
            shield=jnp.minimum(shield, jnp.maximum(table.shield[kind], units.shield)),
            energy=jnp.minimum(energy, jnp.maximum(table.energy[kind], units.energy)),
        )
    )
