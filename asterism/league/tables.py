"""The tables of the league's records. All but `players` are logs: rows are added, and never changed."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from asterism.league.player import Player, PlayerKind


class Base(DeclarativeBase):
    """What the tables share: ids in the order of writing, and the learner update at which a row was written."""

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
    # `update` is a word of SQL, so the column has another name.
    update: Mapped[int] = mapped_column("at_update", index=True)


class PlayerRow(Base):
    """A player as it entered the league."""

    __tablename__ = "players"

    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    race: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("players.name"))
    weights: Mapped[str | None]
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
            weights=player.weights,
            steps=player.steps,
            of_kind=None if player.of_kind is None else player.of_kind.value,
            update=update,
        )

    def player(self) -> Player:
        """The player of a row. Raises ValueError for a kind that is none."""
        of_kind = None if self.of_kind is None else PlayerKind(self.of_kind)
        return Player(self.name, PlayerKind(self.kind), self.race, self.parent, self.weights, self.steps, of_kind)


class ResultRow(Base):
    """A finished game; `outcome` is 1, 0 or -1 for the home player's win, draw or loss."""

    __tablename__ = "results"
    __table_args__ = (CheckConstraint("outcome in (-1, 0, 1)"),)

    match_id: Mapped[str] = mapped_column(unique=True)
    home: Mapped[str] = mapped_column(ForeignKey("players.name"))
    away: Mapped[str] = mapped_column(ForeignKey("players.name"))
    outcome: Mapped[int]


class ResetRow(Base):
    """A learner's return to the supervised weights, which are in the file `weights`."""

    __tablename__ = "resets"

    learner: Mapped[str] = mapped_column(ForeignKey("players.name"))
    weights: Mapped[str | None]


class StepsRow(Base):
    """The agent steps that a learner had taken; its newest row holds now."""

    __tablename__ = "learner_steps"

    learner: Mapped[str] = mapped_column(ForeignKey("players.name"))
    steps: Mapped[int]
