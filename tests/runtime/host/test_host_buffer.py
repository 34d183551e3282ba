"""The buffer of trajectories: bounded, in order, one of each environment, and closed to who was replaced."""

import threading

import pytest
from host_toys import LONG, until

from asterism.runtime.host.buffer import Buffer, Stopped


class Putting(threading.Thread):
    """Puts an item, and remembers whether it could."""

    def __init__(self, buffer, *arguments):
        super().__init__(daemon=True)
        self.buffer, self.arguments, self.outcome = buffer, arguments, None
        self.start()

    def run(self):
        try:
            self.buffer.put(*self.arguments)
            self.outcome = "put"
        except Stopped:
            self.outcome = "stopped"

    def ends(self):
        self.join(LONG)
        return self.outcome


def until_blocked(buffer, number):
    until(lambda: buffer.blocked == number)


def test_one_of_each_environment_the_oldest_first_and_each_in_order():
    buffer = Buffer(3, ahead=2)
    for slot, item in [(1, "a"), (1, "b"), (0, "c"), (2, "d"), (0, "e")]:
        buffer.put(slot, 0, item)
    assert buffer.take(2) == [(1, "a"), (0, "c")]
    assert buffer.take(3) == [(1, "b"), (2, "d"), (0, "e")]


def test_who_is_ahead_waits_until_something_is_taken():
    buffer = Buffer(2, ahead=2)
    buffer.put(0, 0, "a")
    buffer.put(0, 0, "b")
    third = Putting(buffer, 0, 0, "c")
    until_blocked(buffer, 1)
    assert third.outcome is None
    buffer.put(1, 0, "of another")  # who is not held up
    assert buffer.take(1) == [(0, "a")] and third.ends() == "put"
    assert [buffer.take(1)[0][1] for _ in range(3)] == ["b", "of another", "c"]
    assert buffer.blocked == 0


def test_taking_waits_for_as_many_environments():
    buffer, taken = Buffer(2, ahead=2), []
    buffer.put(0, 0, "a")
    buffer.put(0, 0, "b")
    taking = threading.Thread(target=lambda: taken.extend(buffer.take(2)), daemon=True)
    taking.start()
    assert not taken
    buffer.put(1, 0, "c")
    taking.join(LONG)
    assert taken == [(0, "a"), (1, "c")]


def test_who_was_replaced_hands_nothing_over():
    buffer = Buffer(1, ahead=1)
    buffer.put(0, 0, "finished before")
    waits = Putting(buffer, 0, 0, "too late")
    until_blocked(buffer, 1)
    assert buffer.replace(0, 0) and waits.ends() == "stopped"
    with pytest.raises(Stopped):
        buffer.report(0, 0, "too late")
    assert not buffer.replace(0, 0), "replaced twice"
    assert buffer.take(1) == [(0, "finished before")]
    buffer.put(0, 1, "of the next")
    buffer.report(0, 1, "result")
    assert buffer.take(1) == [(0, "of the next")]
    heard = []
    buffer.tell(heard.append)
    buffer.tell(heard.append)
    assert heard == ["result"]


def test_closing_ends_all_waiting():
    buffer = Buffer(1, ahead=1)
    buffer.put(0, 0, "a")
    waits = Putting(buffer, 0, 0, "b")
    until_blocked(buffer, 1)
    buffer.close()
    assert waits.ends() == "stopped" and not buffer.replace(0, 0)
    with pytest.raises(Stopped):
        buffer.take(1)


def test_the_first_error_reaches_who_takes():
    buffer = Buffer(1, ahead=1)
    buffer.fail(ValueError("first"))
    buffer.fail(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        buffer.take(1)
