"""The league's records on disk: SQLite in a file, or any database that SQLAlchemy can reach."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session, sessionmaker

from asterism.errors import UserError
from asterism.league.payoff import Outcome, Result
from asterism.league.player import Player
from asterism.league.state import LeagueState
from asterism.league.tables import Base, PlayerRow, ResetRow, ResultRow, StepsRow

# Children before parents, for deletion.
_TABLES = (ResultRow, ResetRow, StepsRow, PlayerRow)
# Databases limit the values in one statement.
_IDS_PER_QUERY = 10_000


class Store:
    """Everything that happened in a league, in the order in which it happened. One process writes, others may read.

    Every method is one transaction: once it returns, what it wrote survives the death of the process and of the
    machine. Every row carries the learner update at which it was written, so that `truncate_after` can take a league
    back to a training checkpoint. Every method raises UserError, with the reason, if the database cannot be read or
    written.
    """

    def __init__(self, where: Path | str, create: bool = True):
        """Open the records in the SQLite file `where`, or at an SQLAlchemy URL (`sqlite://` is in memory).

        With `create`, missing tables are made. Raises UserError if the records are missing (without `create`) or
        damaged.
        """
        if isinstance(where, str) and "://" in where:
            url = _parse_url(where)
        else:
            url = sa.URL.create("sqlite", database=str(where))
            if not create and not Path(where).is_file():
                raise UserError(f"no league records at {where}: name a run that has trained a league")
        self.name = url.database if url.drivername == "sqlite" and url.database else str(url)
        try:
            self._engine = sa.create_engine(url)
        except (exc.ArgumentError, ImportError) as error:
            raise UserError(f"league records {self.name}: {error}; install its driver or use SQLite") from error
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        self._sessions = sessionmaker(self._engine)
        self._check(create)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add_players(self, players: Sequence[Player], update: int) -> None:
        """Add players, parents first. Raises IntegrityError for an id that is taken or a parent unknown."""
        with self._transaction() as session:
            session.add_all([PlayerRow.of(player, update) for player in players])

    def add_copy(self, copy: Player, update: int, reset_to: str | None) -> None:
        """Add a frozen copy, its learner's steps, and the learner's reset to the weights `reset_to`, if any."""
        with self._transaction() as session:
            session.add(PlayerRow.of(copy, update))
            session.add(StepsRow(learner=copy.parent, steps=copy.steps, update=update))
            if reset_to is not None:
                session.add(ResetRow(learner=copy.parent, weights=reset_to, update=update))

    def add_steps(self, steps: Mapping[str, int], update: int) -> None:
        """Note the agent steps that learners have taken so far."""
        with self._transaction() as session:
            session.add_all([StepsRow(learner=learner, steps=n, update=update) for learner, n in steps.items()])

    def add_results(self, results: Sequence[Result]) -> list[Result]:
        """Add results, and give back those that were new: of one match id the first result counts."""
        new = []
        with self._transaction() as session:
            known = _known_matches(session, [result.match_id for result in results])
            for result in results:
                if result.match_id not in known:
                    known.add(result.match_id)
                    new.append(result)
            session.add_all(
                ResultRow(match_id=r.match_id, home=r.home, away=r.away, outcome=int(r.outcome), update=r.update)
                for r in new
            )
        return new

    def truncate_after(self, update: int) -> None:
        """Forget everything that was written at a later learner update than this one."""
        with self._transaction() as session:
            for table in _TABLES:
                session.execute(sa.delete(table).where(table.update > update))

    def last_update(self) -> int:
        """The latest learner update at which anything was written; 0 for an empty league."""
        with self._transaction() as session:
            return max(session.scalar(sa.select(sa.func.max(table.update))) or 0 for table in _TABLES)

    def load(self, decay: float) -> LeagueState:
        """The league as it stands, every result played back in its order, so that decayed counts come out the same."""
        try:
            with self._transaction() as session:
                return _replay(session, decay)
        except (ValueError, KeyError) as error:
            raise UserError(f"league records {self.name} contradict themselves ({error}): start a new run") from error

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            with self._sessions.begin() as session:
                yield session
        except exc.IntegrityError:
            raise  # A caller's mistake, not the user's.
        except (exc.DBAPIError, exc.ArgumentError) as error:
            reason = getattr(error, "orig", None) or error
            raise UserError(f"league records {self.name}: {reason}; check the file, its folder and the disk") from error

    def _check(self, create: bool) -> None:
        """Make the tables if asked to, and see that the database is whole."""
        with self._transaction() as session:
            connection = session.connection()
            if connection.dialect.name == "sqlite":
                verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
                if verdict != "ok":
                    raise UserError(f"league records {self.name} are damaged ({verdict}): start a new run")
            if create:
                Base.metadata.create_all(connection)
            present = set(sa.inspect(connection).get_table_names())
        missing = sorted(set(Base.metadata.tables) - present)
        if missing:
            raise UserError(f"league records {self.name} lack the tables {', '.join(missing)}: this is no league")


def _parse_url(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except exc.ArgumentError as error:
        raise UserError(f"league records: {error}; write a path or an SQLAlchemy URL") from error


def _replay(session: Session, decay: float) -> LeagueState:
    state = LeagueState(decay)
    for row in session.scalars(sa.select(PlayerRow).order_by(PlayerRow.id)):
        state.add(row.player())
    results = sa.select(ResultRow.home, ResultRow.away, ResultRow.outcome).order_by(ResultRow.id)
    for home, away, outcome in session.execute(results.execution_options(yield_per=10_000)):
        state.record(home, away, Outcome(outcome))
    for learner, steps in session.execute(sa.select(StepsRow.learner, StepsRow.steps).order_by(StepsRow.id)):
        state.steps[learner] = steps
    for learner in session.scalars(sa.select(ResetRow.learner)):
        state.resets[learner] += 1
    return state


def _known_matches(session: Session, match_ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(match_ids), _IDS_PER_QUERY):
        some = match_ids[start : start + _IDS_PER_QUERY]
        known.update(session.scalars(sa.select(ResultRow.match_id).where(ResultRow.match_id.in_(some))))
    return known


def _prepare_sqlite(connection, _record) -> None:
    # Left alone, the driver begins a transaction at the first write; reads are to see one state too.
    connection.isolation_level = None
    # A log that readers need not wait for, forced to disk at every commit.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {pragma}")
