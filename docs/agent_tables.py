"""The network's sizes beside the paper's, as a table; as in `tables.py`."""

from tables import table

from asterism.agent.config import AGENT_SIZES, AgentConfig, TransformerConfig
from asterism.interface.sizes import SIZES, InterfaceSize


def attention(config: TransformerConfig) -> str:
    """A transformer in one line."""
    return f"{config.layers} of {config.width}, {config.heads} heads of {config.key}, MLP {config.mlp}"


def numbers(size: InterfaceSize, config: AgentConfig) -> dict[str, str]:
    """What tells one size from another, by row of the table."""
    row = lambda values: ", ".join(map(str, values))  # noqa: E731
    return {
        "entities": str(size.entities),
        "map planes": f"{size.map} x {size.map}",
        "target locations": f"{size.location} x {size.location}",
        "units that an action selects": str(size.selected),
        "entity transformer (layers)": attention(config.entity.transformer),
        "vector of all entities": str(config.entity.output),
        "quantities as one-hots": "yes" if config.entity.one_hot else "no: numbers",
        "scattered channels": str(config.spatial.scatter),
        "channels before, and after each stride of 2": row((config.spatial.channels, *config.spatial.downsample)),
        "kernel of the strides": str(config.spatial.kernel),
        "residual blocks of the map": str(config.spatial.blocks),
        "vector of the map": str(config.spatial.output),
        "build order's transformer": attention(config.scalar.order_transformer),
        "LSTM": f"{config.core.layers} of {config.core.width}",
        "residual blocks of the action type": f"{config.head.blocks} of {config.head.width}",
        "autoregressive embedding": str(config.head.embedding),
        "queries of pointers": f"{config.pointer.width}, keys of {config.pointer.key}",
        "channels of the location, at each doubling": row(config.location.upsample),
        "residual blocks of a value": f"{config.value.blocks} of {config.value.width}",
        "win/loss value": "of what both own alone" if config.value.balanced else "as the others",
    }


PAPER = {
    "entities": "512",
    "map planes": "128 x 128",
    "target locations": "256 x 256",
    "units that an action selects": "64",
    "entity transformer (layers)": "3 of 256, 2 heads of 128, MLP 1024",
    "vector of all entities": "256",
    "quantities as one-hots": "yes",
    "scattered channels": "32",
    "channels before, and after each stride of 2": "32, 64, 128, 128",
    "kernel of the strides": "4",
    "residual blocks of the map": "4",
    "vector of the map": "256",
    "build order's transformer": "keys of 8, MLP 32",
    "LSTM": "3 of 384",
    "residual blocks of the action type": "16 of 256",
    "autoregressive embedding": "1024",
    "queries of pointers": "256, keys of 32",
    "channels of the location, at each doubling": "128, 64, 16, 1",
    "residual blocks of a value": "16 of 256",
    "win/loss value": "as the others",
}
"""Vinyals et al. 2019, Methods and supplementary data."""


def sizes_table() -> str:
    """Each number of the three sizes, and the paper's."""
    sizes = {name: numbers(SIZES[name], config) for name, config in AGENT_SIZES.items()}
    names = tuple(reversed(sizes))
    return table(("", "paper", *names), [(row, PAPER[row], *(sizes[name][row] for name in names)) for row in PAPER])


def substitutions() -> dict[str, str]:
    """Every table by its name in the pages."""
    return {"agent_sizes": sizes_table()}
