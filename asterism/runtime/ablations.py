"""AlphaStar's ablations as settings (Vinyals et al. 2019, Figure 3, and this file's own for PopArt)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from asterism.errors import UserError
from asterism.runtime.config_file import from_json, to_json
from asterism.runtime.train import TrainConfig

Settings = Mapping[str, Any]
"""Values by the setting's name on the command line of `asterism train`, in JSON's types."""


class Ablation(NamedTuple):
    """Runs that differ in one respect."""

    row: str
    """Panel of the paper's figure; empty for what is not in it."""
    question: str
    variants: Mapping[str, Settings]
    common: Settings = {}
    """What all variants have besides: without it the question would have no answer."""


ALONE = {"league.league.main-exploiters": 0, "league.league.league-exploiters": 0}
NO_PULL = {"league.losses.kl": 0.0, "league.losses.kl-action-type-early": 0.0}
NO_Z = {"league.z-probability": 0.0}


def _shares(self_play: float, pfsp: float) -> Settings:
    shares = {"self-play": self_play, "pfsp": pfsp, "verification": 0.0}
    return {f"league.league.{name}-share": value for name, value in shares.items()}


def _without(*parts: str) -> Settings:
    return {f"setup.parts.{part}": False for part in parts}


ABLATIONS = {
    "composition": Ablation(
        "a, b",
        "which kinds of players the league needs",
        {
            "main-agents": ALONE,
            "main-exploiters": {"league.league.league-exploiters": 0},
            "league-exploiters": {},
        },
    ),
    "matchmaking": Ablation(
        "c, d",
        "whom a main agent should play",
        {
            "self-play": _shares(1.0, 0.0),
            "fsp": {**_shares(0.0, 1.0), "league.league.pfsp-weighting": "UNIFORM"},
            "pfsp": _shares(0.0, 1.0),
            "pfsp-self-play": _shares(0.5, 0.5),
        },
        ALONE,
    ),
    "human-data": Ablation(
        "e",
        "what the recorded games are needed for",
        {
            "none": {"supervised.steps": 0, **NO_PULL, **NO_Z},
            "initialisation": {**NO_PULL, **NO_Z},
            "kl": NO_Z,
            "z": {"league.z-probability": 0.9},
        },
        # From nothing, nothing is learned but with all blocks; so the others learn with all too.
        {"league.learn": []},
    ),
    "architecture": Ablation(
        "f",
        "what the parts of the network add",
        {
            "baseline": _without("scatter", "transformer", "pointer"),
            "scatter": _without("transformer", "pointer"),
            "transformer": _without("pointer"),
            "pointer": {},
        },
    ),
    "rate-limit": Ablation(
        "g",
        "how many actions in 5 seconds a player needs",
        {
            "half": {"setup.game.rate-limit": 11},
            "paper": {"setup.game.rate-limit": 22},
            "none": {"setup.game.rate-limit": 0},
        },
        # At most 28 actions in 5 seconds: with longer steps no limit of these is ever reached.
        {"setup.game.tick": 4, "setup.game.step": 4},
    ),
    "camera": Ablation(
        "h",
        "what it costs to look through a camera",
        {"map": {"setup.game.interface": "map"}, "camera": {"setup.game.interface": "camera"}},
    ),
    "off-policy": Ablation(
        "i",
        "how a policy should learn from games of older weights",
        {
            "td-lambda": {"league.losses.correction": "td_lambda", "league.losses.upgo": 0.0},
            "vtrace": {"league.losses.upgo": 0.0},
            "upgo": {},
        },
        # Learned from once, trajectories are hardly of older weights.
        {"league.reuse": 2},
    ),
    "opponent-value": Ablation(
        "j",
        "whether the values should see the opponent",
        {"own-view": _without("opponent"), "both-views": {}},
    ),
    "popart": Ablation(
        "",
        "whether values should be learned in units of their targets",
        {"off": {}, "on": {"setup.parts.popart": True}},
    ),
}


def with_settings(config: TrainConfig, settings: Settings) -> TrainConfig:
    """The config with these settings; all are checked together. UserError for one that there is not."""
    data = to_json(config)
    for name, value in settings.items():
        *groups, last = name.replace("-", "_").split(".")
        group = data
        for key in groups:
            group = group.get(key, {})
        if last not in group:
            raise UserError(f"there is no setting {name}: asterism train --help lists them")
        group[last] = value
    return from_json(TrainConfig, data, "ablation")


def variants(name: str, base: TrainConfig) -> dict[str, TrainConfig]:
    """The settings of each variant's run."""
    ablation = ABLATIONS[name]
    return {
        variant: with_settings(base, {"name": variant, **ablation.common, **settings})
        for variant, settings in ablation.variants.items()
    }
