"""The losses' weights and the ablations, each as the setting that it is; as in `tables.py`."""

from dataclasses import astuple

from tables import table

from asterism.learning.losses import LossWeights
from asterism.runtime.ablations import ABLATIONS, Settings
from asterism.runtime.config_file import setting
from asterism.runtime.league_settings import LeagueTraining


def loss_rows() -> list[tuple]:
    """Each term of the loss: its setting, AlphaStar's weight, and that of `asterism train`."""
    paper, ours = LossWeights(), LeagueTraining().losses
    about = {
        "policy": "policy, each of the five rewards (split V-trace)",
        "upgo": "UPGO, win/loss only",
        "value": "values, half squared error to TD(lambda)",
        "entropy": "entropy of each action part",
        "kl": "divergence from the teacher, each action part",
        "kl_action_type_early": "the same once more on the action type, early in games with a z",
        "early_seconds": "how long early lasts, in seconds",
        "td_lambda": "lambda of the values",
        "rho_clip": "most that an importance ratio counts",
    }

    def shown(value) -> str:
        return f"{value:g}" if isinstance(value, float) else ", ".join(f"{weight:g}" for weight in astuple(value))

    return [
        (what, f"`--league.losses.{setting((name,))}`", shown(getattr(paper, name)), shown(getattr(ours, name)))
        for name, what in about.items()
    ]


def other_rows() -> list[tuple]:
    """Numbers of section "Reinforcement learning" that are no weights."""
    ours = LeagueTraining()
    return [
        ("step size", "`--league.learning-rate`", "3e-05", f"{ours.learning_rate:g}, falling to 0"),
        ("Adam: beta 1, beta 2, epsilon", "`--league.adam`", "0, 0.99, 1e-05", ", ".join(f"{x:g}" for x in ours.adam)),
        ("uses of a trajectory", "`--league.reuse`", "2", str(ours.reuse)),
        ("largest norm of a gradient", "`--league.clip`", "", f"{ours.clip:g}"),
        ("agent steps of a trajectory", "`--league.unroll`", "64", str(ours.unroll)),
        ("share of games with a z", "`--league.z-probability`", "most", f"{ours.z_probability:g}"),
        (
            "chance of each pseudo-reward in them",
            "`--league.reward-probability`",
            "0.25",
            f"{ours.reward_probability:g}",
        ),
    ]


def flags(settings: Settings) -> str:
    """Settings as they are typed."""

    def flag(name: str, value) -> str:
        if isinstance(value, bool):
            group, _, last = name.rpartition(".")
            return f"--{name if value else f'{group}.no-{last}'}"
        return f"--{name} {' '.join(map(str, value)) if isinstance(value, list) else value}".strip()

    return " ".join(f"`{flag(name, value)}`" for name, value in settings.items())


def ablation_rows() -> list[tuple]:
    """Each variant of each ablation, and its settings."""
    rows = []
    for name, ablation in ABLATIONS.items():
        all_of_them = f"; all with {flags(ablation.common)}" if ablation.common else ""
        rows.append((ablation.row, f"`{name}`", "", f"{ablation.question}{all_of_them}"))
        rows += [("", "", variant, flags(settings)) for variant, settings in ablation.variants.items()]
    return rows


def substitutions() -> dict[str, str]:
    """Every table by its name in the pages."""
    return {
        "losses": table(("", "setting", "AlphaStar", "here"), [*loss_rows(), *other_rows()]),
        "ablations": table(("paper", "ablation", "variant", "what it is for, or its settings"), ablation_rows()),
    }
