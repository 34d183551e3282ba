"""The network as everybody else sees it: a record of pure functions, so that losses and league import none of it."""

from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Bool, Float, PRNGKeyArray

from asterism.interface.action import Action, ActionParts
from asterism.interface.observation import Observation, Privileged

Carry = Any
"""State of the recurrent core, a pytree."""


class Params(NamedTuple):
    """Weights. An agent that only acts needs `policy` alone."""

    policy: Any
    value: Any


class UnrollOutput(NamedTuple):
    """What learning needs of T steps. S: selected units, E: entities, N: location cells."""

    logits: ActionParts
    """Masked logits: [T, A], [T, D], [T, 2], [T, R], units [T, S, E + 1] (last: end of selection), [T, E], [T, N]."""
    log_probs: ActionParts
    """[T] each, of the given actions; 0 for parts that the action type does not use; units: the sum of all rounds."""
    unit_rounds: Bool[Array, "T S"]
    """The rounds of the unit selection that took place, the end of selection included."""
    values: Float[Array, "T 5"]
    """One for each reward: win/loss, build order, units, upgrades, effects."""


class Step(Protocol):
    def __call__(
        self, policy: Any, carry: Carry, observation: Observation, key: PRNGKeyArray
    ) -> tuple[Carry, Action, ActionParts]:
        """Samples an action for one observation; the log-probabilities are of the distribution that acts."""


class Unroll(Protocol):
    def __call__(
        self,
        params: Params,
        carry: Carry,
        observation: Observation,
        privileged: Privileged,
        action: Action,
        reset: Bool[Array, " T"],
        mask: Bool[Array, " T"] | None = None,
    ) -> tuple[Carry, UnrollOutput]:
        """Scores T given actions (teacher forcing). `privileged` is [T, 2, ...], the player itself first.

        The carry is set to zero before a step whose `reset` is true: the first of a game. It passes by the steps whose
        `mask` is false (padding): they are scored, but leave no trace.
        """


class ValueUnits(NamedTuple):
    """PopArt: values that are learned in units of their targets' deviation, which is kept with the weights."""

    scale: Any
    """Params -> [5], the deviation of each reward's targets."""
    follow: Any
    """(Params, targets [..., 5], mask [...], step) -> Params whose statistics are nearer to the targets', by a share of
    `step` of the way. All values stay what they were."""


class Network(NamedTuple):
    """An agent's network."""

    init: Any
    """key -> Params"""
    initial_carry: Any
    """() -> Carry"""
    step: Step
    unroll: Unroll
    learn_only: Any
    """(Params, names of blocks of the policy) -> the same Params, of which gradients reach these blocks and the values.

    No name: all blocks. UserError for a name that is none."""
    temperature: Any
    """policy -> what it divides the logits of all parts but the delay by, when it acts."""
    cooled: Any
    """(Params, factor) -> the same Params, whose temperature is this factor times what it was."""
    value_units: ValueUnits | None = None
    """None: values are learned as they are."""
