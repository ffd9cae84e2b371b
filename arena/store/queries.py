"""The only SELECTs that read for others. Each query is one transaction, hence one consistent look at the database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select
from sqlalchemy.exc import SQLAlchemyError

from arena.domain import Battle, ModelSpec, ModelState, Reply, ReplyFigures, ReplyStatus, Seats, Side, Turn, Vote
from arena.errors import StoreError
from arena.foreign import ForeignVote
from arena.selection import EVERYTHING, Selection
from arena.store import (
    audit,
    ballots,
    counters,
    failures,
    findings,
    foreign_reading,
    history,
    over_time,
    selected,
    sources,
)
from arena.store.administering import AdminQueries
from arena.store.ballots import Alarm, Examined
from arena.store.board import SOURCE, BoardState, end_of, ratings_after, read_board, votes_now
from arena.store.contestants import PUBLIC
from arena.store.desk import DeskQueries
from arena.store.engine import Database, be_patient
from arena.store.kept_texts import KeptTexts
from arena.store.packing import unpack
from arena.store.rows import (
    AuditEntry,
    BoardRows,
    DayVotes,
    EloPoint,
    Facets,
    ReplyKey,
    SelectedVotes,
    Source,
    StoredModel,
    UncountedReply,
    UnreadText,
    VerifyReport,
    VoteRecord,
)
from arena.store.schema import BattleRow, BoardRow, ModelRow, RatingRow, ReplyRow, TurnRow, VoteRow
from arena.store.trust_figures import TrustFigures, trust_figures
from arena.store.verification import verify
from arena.store.votes import VOTE_FIELDS, as_vote
from arena.store.watching import Unwatched, Watch, reading
from leaderboard.games import Games, PairCounts
from leaderboard.integrity import Habits
from leaderboard.over_time import DayCounts

DAY = timedelta(days=1)


class Queries:
    """The reading half of a store; safe to call from many threads."""

    def __init__(self, engine: Engine, *, database: Database, watch: Watch | None = None) -> None:
        self._engine = engine
        self.texts = KeptTexts(self._look)
        self._database = database
        self._watch = watch or Unwatched()
        self._summed: tuple[Selection, SelectedVotes] | None = None
        self.admin = AdminQueries(self._look)

    def board_version(self) -> int:
        """Grows with every change of the board; what is computed from the board may be kept as long as it stays."""
        with self._look() as connection:
            return connection.scalars(select(BoardRow.version)).one()

    def battle(self, battle_id: str) -> Battle | None:
        """A whole battle with the latest attempts of every turn; None when there is none of that id."""
        with self._look() as connection:
            row = connection.execute(select(*BattleRow.__table__.c).where(BattleRow.id == battle_id)).one_or_none()
            if row is None:
                return None
            return _battle(row, turns=_turns(connection, battle_id), vote=_vote(connection, battle_id))

    def board(self, *, now: datetime) -> BoardRows:
        """The live board, with the ratings of one day before `now` beside."""
        with self._look() as connection:
            board = read_board(connection)
            votes = self._sums(connection, EVERYTHING, version=board.version)
            return BoardRows(
                version=board.version,
                elo=board.elo,
                models=_models(connection),
                ratings=_ratings(connection),
                ratings_before=_ratings_at(connection, board, now - DAY),
                tallies=votes.tallies,
                left_out=votes.left_out,
                last_vote_at=board.last_vote_at,
            )

    def board_at_end_of(self, day: date) -> BoardRows:
        """The board as it stood at the end of a UTC day, by the votes as they count now.

        Its models are those that were in the arena by then, and those that have a vote of that time.
        """
        with self._look() as connection:
            board = read_board(connection)
            votes = self._sums(connection, replace(EVERYTHING, until=day), version=board.version)
            models = tuple(_as_of(model, day) for model in _models(connection))
            voted = {name for tally in votes.tallies for name in (tally.model_a, tally.model_b)}
            there = voted | {model.spec.name for model in models if model.created_at <= end_of(day)}
            ratings = history.elo_at_end_of(connection, day, settings=board.elo)
            day_before = date.fromordinal(max(1, day.toordinal() - 1))
            return BoardRows(
                version=board.version,
                elo=board.elo,
                models=models,
                ratings=MappingProxyType({name: elo for name, elo in ratings.items() if name in there}),
                ratings_before=MappingProxyType(history.elo_at_end_of(connection, day_before, settings=board.elo)),
                tallies=votes.tallies,
                left_out=votes.left_out,
                last_vote_at=votes.last_vote.at,
            )

    def models(self) -> tuple[StoredModel, ...]:
        """Every model ever seen, retired ones too, by name."""
        with self._look() as connection:
            return _models(connection)

    def pair_counts(self) -> PairCounts:
        """The counted votes by pair, over every model of the database."""
        with self._look() as connection:
            names = tuple(model.spec.name for model in _models(connection))
            votes = selected.selected_votes(connection, EVERYTHING, in_order=False)
            return PairCounts.from_tallies(names, votes.tallies)

    def elo_history(self, *, points: int = 6_000) -> tuple[EloPoint, ...]:
        """How every model's Elo moved, in the order of votes; about `points` at most, every model's last among them.

        More make a browser slow and look the same.
        """
        with self._look(patient=True) as connection:
            return history.elo_history(connection, points=points)

    def votes(self, *, after: int = 0, limit: int | None = None) -> tuple[VoteRecord, ...]:
        """Stored votes in order, from the one after number `after`, those that are left out too."""
        with self._look(patient=True) as connection:
            statement = votes_now().where(VoteRow.seq > after).limit(limit)
            return tuple(_record(row) for row in connection.execute(statement))

    def facets(self) -> Facets:
        """What the stored votes can be selected by."""
        with self._look() as connection:
            return selected.facets(connection)

    def selected_votes(
        self, selection: Selection, *, in_order: bool = False, with_styles: bool = False
    ) -> SelectedVotes:
        """The votes of a selection by pair, which takes no longer the more there are.

        `in_order` also reads each, `with_styles` each with how its answers were written: 3 and 7 s for a million.
        Battles lost by a failed answer, where the selection asks for them, are in no order: `games` lacks them.
        """
        with self._look(patient=in_order or with_styles) as connection:
            # With time, answers become lost without a new version.
            if in_order or with_styles or selection.failed_loses:
                return selected.selected_votes(connection, selection, in_order=in_order, with_styles=with_styles)
            return self._sums(connection, selection, version=read_board(connection).version)

    def lost_battles(self) -> int:
        """How many of the arena's battles a failed answer has lost by now, were it to lose."""
        with self._look() as connection:
            return len(failures.lost_battles(connection, EVERYTHING))

    def votes_per_day(self, selection: Selection) -> tuple[DayVotes, ...]:
        """How many votes of a selection were cast on each day that has some."""
        with self._look() as connection:
            return selected.votes_per_day(connection, selection)

    def counts_over_time(self, selection: Selection, *, days: int = 60) -> Iterator[DayCounts]:
        """The votes of a selection up to the end of each day that has some, or of so many of them, the last included.

        Both-bad is counted as a tie; votes without a time are on no day. All days are of one look at the database.
        """
        with self._look(patient=True) as connection:
            yield from over_time.counts_over_time(connection, selection, days=days)

    def failures(self) -> Mapping[str, Mapping[ReplyStatus, int]]:
        """Per model how many attempts failed, were stopped or broke off; models without any are not in it."""
        with self._look() as connection:
            return failures.failures(connection)

    def examined(self, *, now: datetime | None = None) -> Examined:
        """Every finished ranked battle and its voter, for the integrity tests."""
        with self._look(patient=True) as connection:
            return ballots.examined(connection, now=now or datetime.now(UTC))

    def trust_figures(self, *, now: datetime) -> TrustFigures:
        """How the votes came about, for the trust panel."""
        with self._look(patient=True) as connection:
            return trust_figures(connection, now=now)

    def alarms(self) -> tuple[Alarm, ...]:
        """The models that the last sweep found in doubt, by name."""
        with self._look() as connection:
            return ballots.alarms(connection)

    @property
    def desk(self) -> DeskQueries:
        """What an administrator looks at before deciding about votes and voters."""
        return DeskQueries(self._look)

    def habits(self, voter: str, *, prompt: int | None) -> Habits:
        """What a voter did so far; `prompt` is the key of the prompt that the next vote is about."""
        with self._look() as connection:
            return ballots.habits(connection, voter, prompt=prompt)

    def guard_counts(self, *, since: date | None = None) -> Mapping[str, int]:
        """How often each guard did something, from a UTC day on."""
        with self._look() as connection:
            return counters.counts(connection, since=since)

    def audit(self) -> tuple[AuditEntry, ...]:
        """Everything that was done to the board from outside, in order."""
        with self._look() as connection:
            return tuple(audit.entries(connection))

    def sources(self) -> tuple[Source, ...]:
        """The imported files, by name; the arena's own votes are not among them."""
        with self._look() as connection:
            return sources.live(connection)

    def unread_texts(self, source_id: int, *, after: int, limit: int) -> tuple[UnreadText, ...]:
        """The next conversations of a source, behind place `after` (-1 at first), that are still to be read.

        At most `limit`, fewer when they are long; empty at the end, or when there is no such source.
        """
        with self._look() as connection:
            return findings.unread_texts(connection, source_id, after=after, limit=limit)

    def uncounted_replies(self, *, after: ReplyKey | None, limit: int) -> tuple[UncountedReply, ...]:
        """The next finished replies of the arena, behind `after` (None at first), whose style is still to be counted.

        At most `limit`, in the order of their keys; empty at the end.
        """
        with self._look() as connection:
            return findings.uncounted_replies(connection, after=after, limit=limit)

    def source_counts(self, *names: str) -> PairCounts:
        """The counted votes of these sources together, by pair; "arena" is the live board's.

        Raises:
            UnknownSource: there is no such source.
        """
        with self._look() as connection:
            return foreign_reading.counts(connection, names)

    def source_games(self, *names: str) -> Games:
        """The counted votes of these sources together, by time, then in the order of the file.

        A vote without a time comes before all that have one; the arena's own keep their one order.

        Raises:
            UnknownSource: there is no such source, or it holds only counts.
        """
        with self._look(patient=True) as connection:
            return foreign_reading.games(connection, names)

    def source_votes(self, name: str) -> Iterator[ForeignVote]:
        """The votes of one source with all that is known of them, one by one; of the arena's own those that count.

        Raises:
            UnknownSource: there is no such source.
        """
        with self._look(patient=True) as connection:
            if name == SOURCE:
                yield from foreign_reading.own_votes(connection)
            else:
                yield from foreign_reading.foreign_votes(connection, name)

    def verify(self) -> VerifyReport:
        """Recompute every rating, checkpoint and tally from the votes and compare.

        Raises:
            StoreCorrupt: names the first difference.
        """
        with self._look(patient=True) as connection:
            return verify(connection)

    def _sums(self, connection: Connection, selection: Selection, *, version: int) -> SelectedVotes:
        """The last answer is kept: who looks at a board usually has it rated, too."""
        kept = self._summed
        if kept is None or kept[0] != selection or kept[1].version != version:
            kept = self._summed = (selection, selected.selected_votes(connection, selection, in_order=False))
        return kept[1]

    @contextmanager
    def _look(self, *, patient: bool = False) -> Iterator[Connection]:
        """One transaction; a patient one reads millions of rows, or computes between them."""
        try:
            with reading(self._watch), self._engine.connect() as connection:
                if patient:
                    be_patient(connection)
                yield connection
        except SQLAlchemyError as exc:
            raise StoreError(self._database.in_words(exc)) from exc


def _turns(connection: Connection, battle_id: str) -> tuple[Turn, ...]:
    prompts = connection.execute(
        select(TurnRow.ordinal, TurnRow.prompt).where(TurnRow.battle == battle_id).order_by(TurnRow.ordinal)
    ).all()
    attempts = select(ReplyRow).where(ReplyRow.battle == battle_id).order_by(ReplyRow.attempt)
    replies: dict[int, dict[Side, Reply]] = {prompt.ordinal: {} for prompt in prompts}
    for row in connection.execute(attempts):
        replies[row.turn][row.side] = _reply(row)  # later attempts replace earlier ones
    return tuple(
        Turn(ordinal=prompt.ordinal, prompt=prompt.prompt, replies=MappingProxyType(replies[prompt.ordinal]))
        for prompt in prompts
    )


def _reply(row: Row[Any]) -> Reply:
    figures = {name: getattr(row, name) for name in ReplyFigures.__slots__}
    values = {name: getattr(row, name) for name in Reply.__slots__ if name not in {"figures", "leaked", "text"}}
    return Reply(text=unpack(row.text, row.packed), figures=ReplyFigures(**figures), leaked=row.leaked or (), **values)


def _vote(connection: Connection, battle_id: str) -> Vote | None:
    columns = [VoteRow.__table__.c[name] for name in VOTE_FIELDS]
    row = connection.execute(select(*columns).where(VoteRow.battle == battle_id)).one_or_none()
    return None if row is None else as_vote(**row._mapping)  # noqa: SLF001 - public API of Row


def _battle(row: Row[Any], *, turns: tuple[Turn, ...], vote: Vote | None) -> Battle:
    return Battle(
        id=row.id,
        conversation_id=row.conversation,
        ordinal=row.ordinal,
        kind=row.kind,
        seats=Seats(row.seat_a, row.seat_b),
        state=row.state,
        owner=row.owner or "",
        turns=turns,
        created_at=row.created_at,
        pace=row.pace,
        leaked=row.leaked,
        prompt_key=row.prompt_key,
        ready_at=row.ready_at,
        texts_removed_at=row.texts_removed_at,
        vote=vote,
    )


def _models(connection: Connection) -> tuple[StoredModel, ...]:
    rows = connection.execute(select(*ModelRow.__table__.c).order_by(ModelRow.name))
    return tuple(
        StoredModel(
            spec=ModelSpec(name=row.name, **{name: getattr(row, name) for name in PUBLIC}),
            fingerprint=row.fingerprint,
            created_at=row.created_at,
            retired_at=row.retired_at,
        )
        for row in rows
    )


def _as_of(model: StoredModel, day: date) -> StoredModel:
    """The model with its state at the end of a day: one that was retired later was not retired then."""
    if model.retired_at is None or model.retired_at <= end_of(day):
        return model
    return replace(model, spec=replace(model.spec, state=ModelState.ENABLED), retired_at=None)


def _ratings(connection: Connection) -> Mapping[str, float]:
    rows = connection.execute(select(RatingRow.model, RatingRow.elo).order_by(RatingRow.model))
    return MappingProxyType({row.model: row.elo for row in rows})


def _ratings_at(connection: Connection, board: BoardState, moment: datetime) -> Mapping[str, float]:
    """Elo after the last vote cast at or before `moment`."""
    seq = connection.scalar(select(func.max(VoteRow.seq)).where(VoteRow.cast_at <= moment)) or 0
    return MappingProxyType(ratings_after(connection, seq, settings=board.elo))


def _record(row: Row[Any]) -> VoteRecord:
    vote = as_vote(**{name: getattr(row, name) for name in VOTE_FIELDS})
    return VoteRecord(
        seq=vote.seq,
        battle_id=vote.battle_id,
        voter=row.voter,
        seats=Seats(row.seat_a, row.seat_b),
        verdict=vote.verdict,
        elo=vote.elo,
        left_out=row.left_out,
        cast_at=vote.cast_at,
    )
