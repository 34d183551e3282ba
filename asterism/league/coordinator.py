"""The league as many actors use it at once: thousands of results a second, each on disk before it is acknowledged."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Lock, Thread

import numpy as np

from asterism.league.league import Checkpoint, League, LeagueReport, Match
from asterism.league.payoff import Result
from asterism.league.player import Snapshot

Pending = tuple[Sequence[Result], "Future[int]"]


class Coordinator:
    """A front of the league for the threads of one process, or, as an actor, for the processes of a cluster.

    Forcing a commit to disk takes as long as hundreds of results. So those that come in while one commit is being made
    share the next (group commit); matches are chosen meanwhile. Source: Vinyals et al. 2019, Methods, "Infrastructure",
    where a coordinator keeps the payoff, samples matches and resets the exploiters.

    Methods raise what those of `League` raise.
    """

    def __init__(self, league: League, seed: int = 0, largest_commit: int = 1000):
        """`largest_commit`: results in one commit, beyond which the others wait for the next."""
        self.league = league
        self._rng = np.random.default_rng(seed)
        self._largest = largest_commit
        self._queue: SimpleQueue[Pending | None] = SimpleQueue()
        self._door, self._closed = Lock(), False
        self._writer = Thread(target=self._write, name="league-results", daemon=True)
        self._writer.start()

    def submit(self, results: Sequence[Result]) -> "Future[int]":
        """Hands in finished games; the future says, once they are on disk and count, how many were new.

        Raises ValueError after `close`.
        """
        self.league.check_players(results)
        future: Future[int] = Future()
        future.set_running_or_notify_cancel()  # What is handed in cannot be taken back.
        with self._door:
            if self._closed:
                raise ValueError("the coordinator is closed")
            self._queue.put((results, future))
        return future

    def record(self, results: Sequence[Result]) -> int:
        """`submit`, and wait for it."""
        return self.submit(results).result()

    def match(self, learner: str) -> Match:
        """A learner's next game."""
        return self.league.match(learner, self._rng)

    def record_steps(self, steps: Mapping[str, int], update: int) -> None:
        """Note how many agent steps learners have taken since the beginning."""
        self.league.record_steps(steps, update)

    def ready_to_checkpoint(self, learner: str) -> bool:
        """Whether a learner should add a copy of itself now."""
        return self.league.ready_to_checkpoint(learner)

    def checkpoint(self, learner: str, weights: Snapshot, steps: int, update: int) -> Checkpoint:
        """Let in a copy of a learner, and say whether the learner starts over."""
        return self.league.checkpoint(learner, weights, steps, update, self._rng)

    def report(self) -> LeagueReport:
        """The league in figures."""
        return self.league.report()

    def close(self) -> None:
        """Writes what was handed in, and ends."""
        with self._door:
            self._closed = True
            self._queue.put(None)
        self._writer.join()

    def __enter__(self) -> "Coordinator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self) -> None:
        while batch := self._next_batch():
            try:
                new = iter(self.league.record_results([result for results, _ in batch for result in results]))
            except Exception as error:  # Nobody but those who wait can be told.
                for _, future in batch:
                    future.set_exception(error)
            else:
                for results, future in batch:
                    future.set_result(sum(islice(new, len(results))))

    def _next_batch(self) -> list[Pending]:
        """What is to be written in one commit; nothing at the end."""
        batch: list[Pending] = []
        count = 0
        pending = self._queue.get()
        while pending is not None:
            batch.append(pending)
            count += len(pending[0])
            if count >= self._largest:
                return batch
            try:
                pending = self._queue.get_nowait()
            except Empty:
                return batch
        # The end is for whoever looks next, once this batch is written.
        if batch:
            self._queue.put(None)
        return batch
