"""Recorded games, for imitation: written in shards, read as windows for supervised learning, and the library of z."""

from asterism.demos.batches import Batch, Batches, BatchSettings
from asterism.demos.filters import drop_repeated_camera_moves
from asterism.demos.format import GameInfo, RecordedGame, RecordedPlayer, Steps, Trajectory
from asterism.demos.header import Header
from asterism.demos.info import InfoConfig
from asterism.demos.reader import Demos, Entry, open_demos, split
from asterism.demos.strategies import StrategyLibrary, recorded_strategies, strategy_library
from asterism.demos.writer import ShardWriter

__all__ = [
    "Batch",
    "BatchSettings",
    "Batches",
    "Demos",
    "Entry",
    "GameInfo",
    "Header",
    "InfoConfig",
    "RecordedGame",
    "RecordedPlayer",
    "ShardWriter",
    "Steps",
    "StrategyLibrary",
    "Trajectory",
    "drop_repeated_camera_moves",
    "open_demos",
    "recorded_strategies",
    "split",
    "strategy_library",
]
