"""All tasks by name."""

from asterism.interface.description import GameDescription
from asterism.interface.sizes import InterfaceSize
from asterism.tasks.choosing import action_type, delay, follow_z, memory, queue
from asterism.tasks.pointing import location, marines, match, scatter, weakest
from asterism.tasks.scene import Studio
from asterism.tasks.task import Task


def suite(game: GameDescription, size: InterfaceSize) -> dict[str, Task]:
    """The tasks on the interface of a game that has the Terran units of the first rules."""
    studio = Studio(game, size)
    makers = (action_type, marines, weakest, match, location, delay, queue, memory, follow_z, scatter)
    return {task.name: task for task in (make(studio) for make in makers)}
