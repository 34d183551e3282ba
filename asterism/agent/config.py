"""Widths and depths of the network, as data."""

from dataclasses import dataclass, fields, is_dataclass

from asterism.errors import UserError
from asterism.interface.sizes import InterfaceSize


@dataclass(frozen=True)
class TransformerConfig:
    """A stack of self-attention layers."""

    width: int
    """Width of a token."""
    layers: int
    heads: int
    key: int
    """Width of keys, queries and values in each head."""
    mlp: int
    """Hidden width of the MLP after each attention."""


@dataclass(frozen=True)
class EntityConfig:
    """Entity encoder."""

    transformer: TransformerConfig
    output: int
    """Width of the vector that sums up all entities."""
    one_hot: bool
    """Quantities (health, cooldown, ...) as one-hots, as in the paper, or else as floats, which is cheaper."""


@dataclass(frozen=True)
class SpatialConfig:
    """Spatial encoder."""

    scatter: int
    """Channels that entities write into the map."""
    channels: int
    """Channels at the map's own resolution."""
    downsample: tuple[int, ...]
    """Channels after each convolution of stride 2."""
    kernel: int
    """Side of those convolutions' kernels, 2 or 4; 2 is much faster on a CPU."""
    blocks: int
    """Residual blocks, each kept as a skip for the location head."""
    output: int
    """Width of the vector that sums up the map."""


@dataclass(frozen=True)
class ScalarConfig:
    """Scalar encoder: width of each field's embedding."""

    statistics: int
    races: int
    upgrades: int
    enemy_upgrades: int
    time: int
    available_actions: int
    unit_counts: int
    mmr: int
    strategy: int
    """Units, effects and upgrades of z, each."""
    build_order: int
    last_delay: int
    last_action_type: int
    last_repeat: int
    """Last queued and last repeat together."""
    order_transformer: TransformerConfig
    """Over the entries of a build order."""


@dataclass(frozen=True)
class CoreConfig:
    """Recurrent core."""

    width: int
    layers: int


@dataclass(frozen=True)
class HeadConfig:
    """Heads other than pointers and location."""

    width: int
    """Hidden width."""
    blocks: int
    """Residual blocks of the action type head."""
    embedding: int
    """Width of the autoregressive embedding; a multiple of the cells of the coarsest map."""


@dataclass(frozen=True)
class PointerConfig:
    """Selected units and target unit."""

    width: int
    """Hidden width of a query."""
    key: int
    """Width of keys and queries."""


@dataclass(frozen=True)
class LocationConfig:
    """Location head; its residual blocks are as many and as wide as the spatial encoder's skips."""

    upsample: tuple[int, ...]
    """Channels after each doubling of the resolution; the last is 1, the logits."""
    kernel: int
    """Side of the transposed convolutions' kernels, 2 or 4; 2 is much faster on a CPU."""


@dataclass(frozen=True)
class ValueConfig:
    """Each of the five value networks."""

    width: int
    blocks: int
    balanced: bool
    """The win/loss value compares what both players own, and nothing else: swapping them changes its sign. Else it sees
    what the other four see, as AlphaStar's does; with a few hundred games that network learns the games by heart."""


@dataclass(frozen=True)
class Parts:
    """Parts of the network that can be left out, to see what each is worth (AlphaStar, Figure 3; docs/ablations.md)."""

    scatter: bool = True
    """Entities write their embeddings into the map (the scatter connection)."""
    transformer: bool = True
    """Entities attend to each other; else each has its MLPs alone, and they meet in their mean."""
    pointer: bool = True
    """Selected and target units are found by their embeddings; else by their places in the list of entities."""
    opponent: bool = True
    """The values see what the opponent owns and has done; else zeros in its place."""
    popart: bool = False
    """The values are learned in units of the mean and deviation of their targets, and are not squashed (PopArt)."""


@dataclass(frozen=True)
class AgentConfig:
    """The whole network."""

    name: str
    entity: EntityConfig
    spatial: SpatialConfig
    scalar: ScalarConfig
    core: CoreConfig
    head: HeadConfig
    pointer: PointerConfig
    location: LocationConfig
    value: ValueConfig
    parts: Parts = Parts()

    def __post_init__(self):
        for path, value in _numbers(self, "agent"):
            if not isinstance(value, int) or value < 1:
                raise UserError(f"{path} is {value!r}: it must be a whole number of at least 1")
        for path, kernel in (("spatial", self.spatial.kernel), ("location", self.location.kernel)):
            if kernel not in (2, 4):
                raise UserError(f"agent.{path}.kernel is {kernel}: it must be 2 or 4")
        if not self.location.upsample or self.location.upsample[-1] != 1:
            raise UserError(f"agent.location.upsample is {self.location.upsample}: it must end with 1, the logits")

    def check(self, size: InterfaceSize) -> None:
        """Raises UserError where the network does not fit an interface."""
        shrink = 2 ** len(self.spatial.downsample)
        if size.map % shrink:
            raise UserError(f"agent.spatial.downsample divides the map by {shrink}, but its side is {size.map}")
        coarse = size.map // shrink
        reached = coarse * 2 ** len(self.location.upsample)
        if reached != size.location:
            raise UserError(
                f"agent.location.upsample reaches {reached} cells a side, not the {size.location} of the interface"
            )
        if self.head.embedding % coarse**2:
            raise UserError(
                f"agent.head.embedding is {self.head.embedding}: make it a multiple of {coarse**2} map cells"
            )


def _numbers(node, path):
    """Yields (path, value) of every number in a nested config."""
    for field in fields(node):
        value, name = getattr(node, field.name), f"{path}.{field.name}"
        if is_dataclass(value):
            yield from _numbers(value, name)
        elif isinstance(value, tuple):
            yield from ((f"{name}[{index}]", item) for index, item in enumerate(value))
        elif not isinstance(value, bool | str):
            yield name, value


TINY = AgentConfig(
    name="tiny",
    entity=EntityConfig(TransformerConfig(width=32, layers=1, heads=2, key=16, mlp=64), output=64, one_hot=False),
    spatial=SpatialConfig(scatter=8, channels=16, downsample=(32,), kernel=2, blocks=1, output=64),
    scalar=ScalarConfig(
        statistics=32,
        races=8,
        upgrades=8,
        enemy_upgrades=8,
        time=16,
        available_actions=32,
        unit_counts=32,
        mmr=8,
        strategy=16,
        build_order=32,
        last_delay=8,
        last_action_type=16,
        last_repeat=8,
        order_transformer=TransformerConfig(width=16, layers=1, heads=1, key=8, mlp=32),
    ),
    core=CoreConfig(width=128, layers=1),
    head=HeadConfig(width=128, blocks=1, embedding=128),
    pointer=PointerConfig(width=64, key=16),
    location=LocationConfig(upsample=(16, 1), kernel=2),
    value=ValueConfig(width=64, blocks=1, balanced=True),
)

SMALL = AgentConfig(
    name="small",
    entity=EntityConfig(TransformerConfig(width=128, layers=2, heads=2, key=64, mlp=256), output=128, one_hot=True),
    spatial=SpatialConfig(scatter=16, channels=16, downsample=(32, 64), kernel=4, blocks=2, output=128),
    scalar=ScalarConfig(
        statistics=32,
        races=16,
        upgrades=32,
        enemy_upgrades=32,
        time=32,
        available_actions=64,
        unit_counts=64,
        mmr=16,
        strategy=32,
        build_order=64,
        last_delay=32,
        last_action_type=64,
        last_repeat=16,
        order_transformer=TransformerConfig(width=32, layers=1, heads=2, key=8, mlp=32),
    ),
    core=CoreConfig(width=256, layers=1),
    head=HeadConfig(width=256, blocks=4, embedding=512),
    pointer=PointerConfig(width=128, key=32),
    location=LocationConfig(upsample=(32, 16, 1), kernel=4),
    value=ValueConfig(width=128, blocks=4, balanced=True),
)

FULL = AgentConfig(
    name="full",
    entity=EntityConfig(TransformerConfig(width=256, layers=3, heads=2, key=128, mlp=1024), output=256, one_hot=True),
    spatial=SpatialConfig(scatter=32, channels=32, downsample=(64, 128, 128), kernel=4, blocks=4, output=256),
    scalar=ScalarConfig(
        statistics=64,
        races=32,
        upgrades=128,
        enemy_upgrades=128,
        time=64,
        available_actions=64,
        unit_counts=128,
        mmr=64,
        strategy=32,
        build_order=64,
        last_delay=64,
        last_action_type=128,
        last_repeat=256,
        order_transformer=TransformerConfig(width=64, layers=3, heads=2, key=8, mlp=32),
    ),
    core=CoreConfig(width=384, layers=3),
    head=HeadConfig(width=256, blocks=16, embedding=1024),
    pointer=PointerConfig(width=256, key=32),
    location=LocationConfig(upsample=(128, 64, 16, 1), kernel=4),
    value=ValueConfig(width=256, blocks=16, balanced=False),
)

AGENT_SIZES = {config.name: config for config in (TINY, SMALL, FULL)}
"""Presets; each fits the interface size of the same name. `full` has the paper's numbers."""


def agent_config(name: str) -> AgentConfig:
    """The preset called `name`; raises UserError when there is none."""
    if name not in AGENT_SIZES:
        raise UserError(f"unknown agent size {name!r}: choose one of {', '.join(AGENT_SIZES)}")
    return AGENT_SIZES[name]
