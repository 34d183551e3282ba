"""The tables of the league's records. Rows are added, and never changed."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from asterism.league.player import Player, PlayerKind, Snapshot


class Base(DeclarativeBase):
    """What the tables share: ids in the order of writing, and the learner update at which a row was written."""

    # 64 bits: a learner of the paper takes more steps than 32 can count. SQLite numbers its rows in `Integer` alone.
    type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
    # `update` is a word of SQL, so the column has another name.
    update: Mapped[int] = mapped_column("at_update", index=True)


class WeightsRow(Base):
    """A file of frozen weights."""

    __tablename__ = "weights"

    file: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]

    def snapshot(self) -> Snapshot:
        """The snapshot of a row."""
        return Snapshot(self.file, self.sha256)


class PlayerRow(Base):
    """A player as it entered the league."""

    __tablename__ = "players"

    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    race: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("players.name"))
    weights: Mapped[str | None] = mapped_column(ForeignKey("weights.file"))
    steps: Mapped[int]
    of_kind: Mapped[str | None]

    @classmethod
    def of(cls, player: Player, update: int) -> "PlayerRow":
        """The row of a player."""
        return cls(
            name=player.id,
            kind=player.kind.value,
            race=player.race,
            parent=player.parent,
            weights=None if player.weights is None else player.weights.file,
            steps=player.steps,
            of_kind=None if player.of_kind is None else player.of_kind.value,
            update=update,
        )

    def player(self, weights: Snapshot | None) -> Player:
        """The player of a row. Raises ValueError for a kind that is none."""
        of_kind = None if self.of_kind is None else PlayerKind(self.of_kind)
        return Player(self.name, PlayerKind(self.kind), self.race, self.parent, weights, self.steps, of_kind)


class ResultRow(Base):
    """A finished game; `outcome` is 1, 0 or -1 for the home player's win, draw or loss.

    There are as many as there are games, so players are named by number: that is half the size.
    """

    __tablename__ = "results"
    __table_args__ = (CheckConstraint("outcome in (-1, 0, 1)"),)

    match_id: Mapped[str] = mapped_column(unique=True)
    home: Mapped[int] = mapped_column(ForeignKey("players.id"))
    away: Mapped[int] = mapped_column(ForeignKey("players.id"))
    outcome: Mapped[int]


class CountsRow(Base):
    """The payoff after the results up to number `results`, so that not all of them need be played back.

    Its update is the latest of those results. Arrays are little-endian, a row for each pair that has met.
    """

    __tablename__ = "payoff_counts"

    results: Mapped[int]
    decay: Mapped[float]
    pairs: Mapped[bytes]
    """int64 [n, 2]: numbers of the players."""
    decayed: Mapped[bytes]
    """float64 [n, 3]: decayed wins of the first, draws, wins of the second."""
    totals: Mapped[bytes]
    """float64 [n, 3]: the same, plain."""


class ResetRow(Base):
    """A learner's return to the supervised weights, which are in the file `weights`, after so many agent steps and the
    results up to number `results`."""

    __tablename__ = "resets"

    learner: Mapped[str] = mapped_column(ForeignKey("players.name"))
    weights: Mapped[str] = mapped_column(ForeignKey("weights.file"))
    steps: Mapped[int]
    results: Mapped[int]


class StepsRow(Base):
    """The agent steps that a learner had taken; its newest row holds now."""

    __tablename__ = "learner_steps"

    learner: Mapped[str] = mapped_column(ForeignKey("players.name"))
    steps: Mapped[int]


class OwnerRow(Base):
    """Whose league this is: one row, or none where the records lie in their run's own folder."""

    __tablename__ = "owner"

    token: Mapped[str]
