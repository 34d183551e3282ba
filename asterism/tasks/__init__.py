"""Small tasks on the game's interface, each of which needs one ability of an agent."""

from asterism.tasks.suite import suite
from asterism.tasks.task import Task, Verdict

__all__ = ["Task", "Verdict", "suite"]
