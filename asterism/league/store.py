"""The league's records on disk: SQLite in a file, or any database that SQLAlchemy can reach."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session, sessionmaker

from asterism.errors import UserError
from asterism.league.payoff import Outcome, Result
from asterism.league.player import Player, Snapshot
from asterism.league.state import LeagueState
from asterism.league.tables import Base, CountsRow, OwnerRow, PlayerRow, ResetRow, ResultRow, StepsRow, WeightsRow

# Children before parents, for deletion.
_TABLES = (CountsRow, ResultRow, ResetRow, StepsRow, PlayerRow, WeightsRow)
# Databases limit the values in one statement.
_IDS_PER_QUERY = 10_000
# Of the counts that spare the replay. The oldest must be older than a run's newest training checkpoint.
_COUNTS_KEPT = 10


class Store:
    """Everything that happened in a league, in the order in which it happened. One process writes, others may read.

    Every method is one transaction: once it returns, what it wrote survives the death of the process and of the
    machine. Every row carries the learner update at which it was written, so that `truncate_after` can take a league
    back to a training checkpoint. Every method raises UserError, with the reason, if the database cannot be read or
    written.
    """

    def __init__(self, where: Path | str, create: bool = True, owner: str | None = None):
        """Open the records in the SQLite file `where`, or at an SQLAlchemy URL (`sqlite://` is in memory).

        With `create`, the tables are made in a database that has none of them. `owner` names a run among all that may
        be given this database: the first that creates becomes its owner. Raises UserError if the records are missing
        (without `create`), damaged, or another owner's.
        """
        if isinstance(where, str) and "://" in where:
            url = parse_url(where)
        else:
            url = sa.URL.create("sqlite", database=str(where))
            if not create and not Path(where).is_file():
                raise UserError(f"no league records at {where}: name a run that has trained a league")
        self.name = url.database if url.drivername == "sqlite" and url.database else str(url)
        self._engine = _open(url, self.name)
        self._sessions = sessionmaker(self._engine)
        self._numbers: dict[str, int] = {}
        """Of the players, in the table of results."""
        self._check(create)
        if owner is not None:
            self._claim(owner, create)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add_players(self, players: Sequence[Player], update: int) -> None:
        """Add players, parents first. Raises IntegrityError for an id that is taken or a parent unknown, ValueError for
        weights that are on record with another hash."""
        with self._transaction() as session:
            for player in players:
                _add_weights(session, player.weights, update)
            session.add_all([PlayerRow.of(player, update) for player in players])

    def add_copy(self, copy: Player, update: int, reset_to: Snapshot | None) -> None:
        """Add a frozen copy, its learner's steps, and the learner's reset to the weights `reset_to`, if any. Raises as
        `add_players`."""
        with self._transaction() as session:
            _add_weights(session, copy.weights, update)
            session.add(PlayerRow.of(copy, update))
            session.add(StepsRow(learner=copy.parent, steps=copy.steps, update=update))
            if reset_to is not None:
                reset = ResetRow(
                    learner=copy.parent,
                    weights=reset_to.file,
                    steps=copy.steps,
                    results=_newest_result(session),
                    update=update,
                )
                session.add(reset)

    def add_steps(self, steps: Mapping[str, int], update: int) -> None:
        """Note the agent steps that learners have taken so far."""
        with self._transaction() as session:
            session.add_all([StepsRow(learner=learner, steps=n, update=update) for learner, n in steps.items()])

    def learner_updates(self) -> dict[str, int]:
        """The update at which each learner's steps were last noted."""
        with self._transaction() as session:
            return {row.learner: row.update for row in session.scalars(_newest_steps())}

    def add_results(self, results: Sequence[Result]) -> list[bool]:
        """Add results, and say which of them were new: of one match id the first counts. Raises KeyError for a player
        that is not on record."""
        with self._transaction() as session:
            known = _known_matches(session, [result.match_id for result in results])
            is_new = [result.match_id not in known and not known.add(result.match_id) for result in results]
            new = [*compress(results, is_new)]
            numbers = self._numbers_of(session, new)
            rows = [
                {
                    "match_id": result.match_id,
                    "home": numbers[result.home],
                    "away": numbers[result.away],
                    "outcome": int(result.outcome),
                    "at_update": result.update,
                }
                for result in new
            ]
            if rows:
                session.execute(sa.insert(ResultRow.__table__), rows)
        return is_new

    def add_counts(self, state: LeagueState) -> None:
        """Add the payoff of a state that knows all results, from which `load` goes on."""
        numbers = sa.select(PlayerRow.id).order_by(PlayerRow.id)
        with self._transaction() as session:
            pairs, decayed = state.payoff.pairs()
            row = CountsRow(
                results=_newest_result(session),
                update=session.scalar(sa.select(sa.func.max(ResultRow.update))) or 0,
                decay=state.payoff.decay,
                pairs=np.array(session.scalars(numbers).all(), "<i8")[pairs].tobytes(),
                decayed=decayed.astype("<f8").tobytes(),
                totals=state.totals.pairs()[1].astype("<f8").tobytes(),
            )
            session.add(row)
            session.flush()
            kept = sa.select(CountsRow.id).order_by(CountsRow.id.desc()).limit(_COUNTS_KEPT)
            session.execute(sa.delete(CountsRow).where(CountsRow.id.not_in(session.scalars(kept).all())))

    def uncounted(self) -> int:
        """How many results are on record since the newest counts."""
        newest = sa.select(sa.func.coalesce(sa.func.max(CountsRow.results), 0)).scalar_subquery()
        with self._transaction() as session:
            return session.scalar(sa.select(sa.func.count()).where(ResultRow.id > newest))

    def truncate_after(self, update: int) -> None:
        """Forget everything that was written at a later learner update than this one."""
        with self._transaction() as session:
            for table in _TABLES:
                session.execute(sa.delete(table).where(table.update > update))
        self._numbers.clear()

    def last_update(self) -> int:
        """The latest learner update at which anything was written; 0 for an empty league."""
        with self._transaction() as session:
            return max(session.scalar(sa.select(sa.func.max(table.update))) or 0 for table in _TABLES)

    def load(self, decay: float) -> LeagueState:
        """The league as it stands, every result and reset played back in its order, so that decayed counts come out the
        same."""
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
            present = set(Base.metadata.tables) & set(sa.inspect(connection).get_table_names())
            if create and not present:
                Base.metadata.create_all(connection)
            elif missing := _missing(connection, present):
                raise UserError(
                    f"league records {self.name} lack {', '.join(missing)}: this is no league, or another version's"
                )

    def _claim(self, owner: str, create: bool) -> None:
        """Refuse records of another owner; become that of records without one."""
        try:
            with self._transaction() as session:
                token = session.scalar(sa.select(OwnerRow.token))
                if token is None and create:
                    token = owner
                    session.add(OwnerRow(id=1, token=owner, update=0))
        except exc.IntegrityError:
            token = None  # Somebody else was quicker.
        if token != owner:
            raise UserError(f"league records {self.name} are not this run's: give each run a database of its own")

    def _numbers_of(self, session: Session, results: Iterable[Result]) -> dict[str, int]:
        """The number of each player, read again when one of the results names a new one."""
        if any(result.home not in self._numbers or result.away not in self._numbers for result in results):
            self._numbers.update(session.execute(sa.select(PlayerRow.name, PlayerRow.id)).all())
        return self._numbers


def _missing(connection: sa.Connection, present: set[str]) -> list[str]:
    """Tables that a database lacks, and columns of those that are present."""
    lacking = set(Base.metadata.tables) - present
    for name in present:
        there = {column["name"] for column in sa.inspect(connection).get_columns(name)}
        lacking |= {f"{name}.{column}" for column in Base.metadata.tables[name].columns.keys() if column not in there}
    return sorted(lacking)


def _open(url: sa.URL, name: str) -> sa.Engine:
    """The database's engine, whose transactions each see one moment."""
    options = {}
    if url.get_backend_name() == "postgresql":
        options = {"isolation_level": "REPEATABLE READ"}
    elif url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        # One connection, or each thread would have a database of its own.
        options = {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
    try:
        engine = sa.create_engine(url, **options)
    except (exc.ArgumentError, ImportError) as error:
        raise UserError(f"league records {name}: {error}; install its driver or use SQLite") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def parse_url(text: str) -> sa.URL:
    """The parts of a database's URL. Raises UserError."""
    try:
        return sa.make_url(text)
    except (exc.ArgumentError, ValueError) as error:
        raise UserError(f"league records: {error}; write a path or an SQLAlchemy URL") from error


def _replay(session: Session, decay: float) -> LeagueState:
    state = LeagueState(decay)
    snapshots = {row.file: row.snapshot() for row in session.scalars(sa.select(WeightsRow))}
    names = {}
    for row in session.scalars(sa.select(PlayerRow).order_by(PlayerRow.id)):
        state.add(row.player(None if row.weights is None else snapshots[row.weights]))
        names[row.id] = row.name
    _replay_results(session, state, names)
    for row in session.scalars(_newest_steps()):
        state.steps[row.learner] = row.steps
    return state


def _newest_result(session: Session) -> int:
    """The number of the result that was written last; 0 without any."""
    return session.scalar(sa.select(sa.func.max(ResultRow.id))) or 0


def _newest_steps() -> sa.Select:
    """The newest row of each learner's steps."""
    newest = sa.select(sa.func.max(StepsRow.id)).group_by(StepsRow.learner)
    return sa.select(StepsRow).where(StepsRow.id.in_(newest))


def _replay_results(session: Session, state: LeagueState, names: Mapping[int, str]) -> None:
    """Every result and every reset in their order, beginning with the newest counts of this decay."""
    same = sa.select(CountsRow).where(CountsRow.decay == state.payoff.decay)
    counts = session.scalar(same.order_by(CountsRow.id.desc()).limit(1))
    since = counts.results if counts is not None else 0
    resets = deque(session.scalars(sa.select(ResetRow).order_by(ResetRow.id)))

    def reset_before(result: float) -> None:
        while resets and resets[0].results < result:
            row = resets.popleft()
            state.reset(row.learner, row.steps)

    # One at the very result of the counts may be in them or not; twice is as good as once.
    reset_before(since)
    if counts is not None:
        pairs = np.searchsorted([*names], np.frombuffer(counts.pairs, "<i8")).reshape(-1, 2)
        state.payoff.restore(pairs, np.frombuffer(counts.decayed, "<f8").reshape(-1, 3))
        state.totals.restore(pairs, np.frombuffer(counts.totals, "<f8").reshape(-1, 3))
    results = sa.select(ResultRow.id, ResultRow.home, ResultRow.away, ResultRow.outcome).order_by(ResultRow.id)
    results = results.where(ResultRow.id > since)
    outcomes = {outcome.value: outcome for outcome in Outcome}  # Five times as fast as Outcome(...).
    for number, home, away, outcome in session.execute(results.execution_options(yield_per=10_000)):
        reset_before(number)
        state.record(names[home], names[away], outcomes[outcome])
    reset_before(math.inf)


def _add_weights(session: Session, weights: Snapshot | None, update: int) -> None:
    """Put weights on record, once."""
    if weights is None:
        return
    known = session.scalar(sa.select(WeightsRow.sha256).where(WeightsRow.file == weights.file))
    if known is None:
        session.add(WeightsRow(file=weights.file, sha256=weights.sha256, update=update))
        # Before the player that refers to it, whatever order the session would choose.
        session.flush()
    elif known != weights.sha256:
        raise ValueError(f"weights {weights.file!r} are on record with another hash: a snapshot is written once")


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
