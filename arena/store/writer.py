"""Every verb that changes the database."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine

from arena.domain import BattleState, ModelSpec, Reply, Side, Vote
from arena.store import ballots, battles, contestants, counters, erasing, exclusion, findings, sources, texts, traces
from arena.store.administering import AdminWriter
from arena.store.battles import NOTHING_RESERVED
from arena.store.board import bump_board, lock_board
from arena.store.engine import Database
from arena.store.queue import Job, WriteQueue, after
from arena.store.rows import (
    NO_BOUNDS,
    PLAIN_CASTING,
    Bounds,
    Casting,
    Erased,
    Finding,
    ForeignChunk,
    NewBattle,
    NewSource,
    ReplyStyle,
    Source,
    Spending,
)
from arena.store.votes import Ballot
from arena.store.watching import Watch
from leaderboard.integrity import Risk
from leaderboard.verdicts import Verdict

T = TypeVar("T")


class Writer:
    """The writing half of a store: each verb queues one operation and returns a future that resolves after COMMIT.

    Safe to call from any thread and from an event loop: nothing here waits. An operation that is refused raises its
    `ArenaError` from the future; one that cannot be stored raises `StoreError`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        database: Database,
        clock: Callable[[], datetime],
        lease_seconds: float,
        patience_seconds: float,
        bounds: Bounds = NO_BOUNDS,
        watch: Watch | None = None,
    ) -> None:
        self._queue = WriteQueue(engine, database=database, clock=clock, patience_seconds=patience_seconds, watch=watch)
        self._clock = clock
        self._bounds = bounds
        self._lease = timedelta(seconds=lease_seconds)
        self._holder = secrets.token_hex(8)
        self._loading: set[int] = set()
        self.admin = AdminWriter(self._run)

    def waiting(self) -> int:
        """How many operations wait to be stored, roughly."""
        return self._queue.waiting()

    def sync_models(self, specs: Sequence[ModelSpec]) -> Future[None]:
        """Make the catalogue's models those of the database; models that are gone from it are retired.

        Raises:
            ModelChanged: a model with votes has another fingerprint; nothing is changed.
        """
        specs = tuple(specs)
        return self._run(lambda connection, now: contestants.sync_models(connection, specs, now=now))

    def open_battle(self, new: NewBattle) -> Future[None]:
        """Store a battle with its first prompt and two streaming replies, attempt 1.

        Raises:
            UnknownModel: a seat names no model of the database.
            UnknownBattle: the conversation belongs to another voter.
            LimitReached: a budget does not hold what is reserved.
        """
        return self._run(
            lambda connection, now: battles.open_battle(
                connection, new, now=now, lease_until=now + self._lease, bounds=self._bounds
            )
        )

    def add_turn(
        self,
        battle_id: str,
        owner: str,
        prompt: str,
        *,
        fingerprints: Mapping[Side, str],
        reserved: Mapping[Side, Spending] = NOTHING_RESERVED,
    ) -> Future[int]:
        """Continue a ready battle with another prompt and two streaming replies; the ordinal of the new turn.

        Raises:
            UnknownBattle, AlreadyVoted, NotVotable: only its voter can go on, and only when both answers are fine.
            LimitReached: a budget does not hold what is reserved.
        """
        return self._run(
            lambda connection, now: battles.add_turn(
                connection,
                battle_id,
                owner,
                prompt,
                fingerprints=fingerprints,
                now=now,
                lease_until=now + self._lease,
                reserved=reserved,
                bounds=self._bounds,
            )
        )

    def retry_reply(
        self,
        battle_id: str,
        owner: str,
        side: Side,
        *,
        fingerprint: str,
        reserved: Mapping[Side, Spending] = NOTHING_RESERVED,
    ) -> Future[int]:
        """Begin another attempt of one side at the latest turn; the number of the attempt.

        Raises:
            UnknownBattle, AlreadyVoted, NotRetryable: only its voter can, and only what failed, stopped or broke off.
            LimitReached: a budget does not hold what is reserved.
        """
        return self._run(
            lambda connection, now: battles.retry_reply(
                connection,
                battle_id,
                owner,
                side,
                fingerprint=fingerprint,
                now=now,
                lease_until=now + self._lease,
                reserved=reserved,
                bounds=self._bounds,
            )
        )

    def finish_reply(self, battle_id: str, reply: Reply) -> Future[BattleState]:
        """Store how an attempt ended; ignored when it has ended already. The battle's state afterwards.

        Raises:
            UnknownBattle: there is no such battle.
        """
        return self._run(lambda connection, now: battles.finish_reply(connection, battle_id, reply, now=now))

    def renew_leases(self, battle_ids: Sequence[str]) -> Future[None]:
        """Say that these battles' replies are still being streamed."""
        ids = tuple(battle_ids)
        return self._run(lambda connection, now: battles.renew_leases(connection, ids, lease_until=now + self._lease))

    def interrupt_expired(self) -> Future[int]:
        """Mark replies whose lease is over as interrupted; how many."""
        return self._run(lambda connection, now: battles.interrupt_expired(connection, now=now, lease=self._lease))

    def cast_vote(self, battle_id: str, owner: str, verdict: Verdict, casting: Casting = PLAIN_CASTING) -> Future[Vote]:
        """End a ready battle with a verdict, once and for ever.

        Raises:
            UnknownBattle, NotVotable, AlreadyVoted: also for the very verdict that is stored.
        """
        return self._queue.submit(Job(ballot=Ballot(battle_id, owner, verdict, casting)))

    def exclude_votes(self, seqs: Collection[int], *, reason: str, actor: str, note: str | None = None) -> Future[None]:
        """Leave these votes out of the board, as if they had never been cast; they stay stored, with the reason.

        The board counts them under `reason`, a word for everybody; `note` says more to administrators.

        Raises:
            UnknownVote: there is no such vote, or its battle was not ranked; nothing is changed.
        """
        wanted = frozenset(seqs)
        return self._run(
            lambda connection, now: exclusion.exclude(
                connection, wanted, reason=reason, actor=actor, now=now, note=note
            )
        )

    def confirm_votes(self, seqs: Collection[int], *, note: str, actor: str) -> Future[None]:
        """Leave these votes out for good, which are held for somebody to look at.

        Raises:
            UnknownVote: there is no such vote; nothing is changed.
            DecisionRefused: one of them is not held; nothing is changed.
        """
        wanted = frozenset(seqs)
        return self._run(lambda connection, now: exclusion.confirm(connection, wanted, note=note, actor=actor, now=now))

    def restore_votes(self, seqs: Collection[int], *, reason: str, actor: str) -> Future[None]:
        """Let these votes count, in the places in which they were cast.

        Raises:
            UnknownVote: there is no such vote, or its battle was not ranked; nothing is changed.
        """
        wanted = frozenset(seqs)
        return self._run(
            lambda connection, now: exclusion.restore(connection, wanted, reason=reason, actor=actor, now=now)
        )

    def count(self, name: str, *, model: str = "", more: int = 1) -> Future[None]:
        """Add to one of the guards' counters of today."""
        return self._run(lambda connection, now: counters.count(connection, name, model=model, more=more, now=now))

    def settle_sweep(
        self, *, hold: Mapping[int, Risk], release: frozenset[int], alarms: Mapping[str, str]
    ) -> Future[None]:
        """Hold and release votes as a sweep says, but for those that an administrator has decided about.

        `hold` has the risk of each vote with its reasons, which are kept with it.
        """
        return self._run(
            lambda connection, now: ballots.settle_sweep(connection, hold=hold, release=release, alarms=alarms, now=now)
        )

    def trust_voter(self, voter: str, *, trusted: bool, actor: str, reason: str | None = None) -> Future[None]:
        """Make a voter's votes a measure for others', or not any more.

        Raises:
            UnknownVoter: nobody of that id has opened a battle.
        """
        return self._run(
            lambda connection, now: ballots.trust(
                connection, voter, trusted=trusted, actor=actor, reason=reason, now=now
            )
        )

    def erase_voter(self, voter: str, *, actor: str, reason: str | None = None) -> Future[Erased]:
        """Make a voter's battles and votes nobody's and remove what they say; ratings and tallies stay as they are.

        What a closing store leaves of it is removed at the next opening. At the end a SQLite file is written anew: that
        takes 17 s per GB, in which everybody else's writes wait.

        Raises:
            UnknownVoter: nobody of that id has opened a battle; nothing is changed.
            StoreError: nothing is the voter's any more, but the file could not be written anew.
        """
        found: list[Erased] = []

        def detach(connection: Connection, now: datetime) -> bool:
            erased = erasing.detach(connection, voter, actor=actor, reason=reason, now=now)
            found.append(replace(erased, kept=traces.kept(connection.engine)))
            return False

        return self._leave_no_trace(lambda: found[-1], begun=self._run(detach))

    def remove_texts(self, battle_ids: Sequence[str]) -> Future[None]:
        """Remove the prompts and answers of old battles; votes and everything that was counted stay."""
        ids = tuple(battle_ids)
        return self._run(lambda connection, now: texts.remove_old_texts(connection, ids, now=now))

    def finish_erasures(self) -> Future[None]:
        """Go on with what a closing store left."""
        return self._leave_no_trace(lambda: None)

    def note_login(self, voter: str) -> Future[None]:
        """Remember that a voter logged in; the first time counts."""
        return self._run(lambda connection, now: ballots.note_login(connection, voter, now=now))

    def take_lease(self, chore: str, *, holder: str, seconds: float) -> Future[bool]:
        """Whether this holder does a chore for all processes in the coming seconds."""
        return self._run(
            lambda connection, now: counters.take_lease(
                connection, chore, holder=holder, now=now, until=now + timedelta(seconds=seconds)
            )
        )

    def begin_source(self, new: NewSource) -> Future[int]:
        """Begin an import; the number of the source, which nobody sees yet. Use `SourceLoad`, which does all of it.

        Raises:
            ImportRefused: its name is taken, or this very file was imported before.
        """

        def begin(connection: Connection, now: datetime) -> int:
            source_id = sources.begin(connection, new, holder=self._holder, now=now)
            self._loading.add(source_id)
            return source_id

        return self._run(begin)

    def name_foreign_models(self, names: Collection[str]) -> Future[Mapping[str, int]]:
        """The numbers under which imported votes name these models."""
        wanted = frozenset(names)
        return self._run(lambda connection, _now: sources.model_keys(connection, wanted))

    def load_foreign(self, source_id: int, chunk: ForeignChunk) -> Future[None]:
        """Store a part of a source that is being loaded.

        Raises:
            ImportRefused: it paused for minutes, so that another process has removed it.
        """
        return self._run(
            lambda connection, now: sources.load(connection, source_id, chunk, holder=self._holder, now=now)
        )

    def publish_source(self, source_id: int, *, votes: int, actor: str) -> Future[Source]:
        """Switch a loaded source live."""

        def publish(connection: Connection, now: datetime) -> Source:
            self._loading.discard(source_id)
            return sources.publish(connection, source_id, votes=votes, actor=actor, now=now)

        return self._run(publish)

    def store_findings(self, source_id: int, found: Sequence[Finding], *, show: bool) -> Future[bool]:
        """Store what was found in a slice of a source's texts; whether the source is still there.

        A language that is known already stays. `show` says that readers of the board shall look again.
        """
        found = tuple(found)
        return self._run(lambda connection, _now: findings.store_findings(connection, source_id, found, show=show))

    def finish_source(self, source_id: int, *, classifier: str) -> Future[None]:
        """Note what has read all texts of a source."""
        return self._run(lambda connection, _now: findings.finish_source(connection, source_id, classifier=classifier))

    def store_reply_styles(self, styles: Sequence[ReplyStyle], *, show: bool) -> Future[None]:
        """Store how replies of the arena are written; `show` as in `store_findings`."""
        styles = tuple(styles)
        return self._run(lambda connection, _now: findings.store_reply_styles(connection, styles, show=show))

    def show_changes(self) -> Future[None]:
        """Let readers of the board look again at what was stored without showing it."""
        return self._run(lambda connection, _now: bump_board(connection, lock_board(connection)))

    def remove_source(self, name: str, *, actor: str) -> Future[None]:
        """Hide an imported source at once and remove it in steps between which others write; resolved when it is gone.

        What a closing store leaves of it is removed at the next opening.

        Raises:
            UnknownSource: there is no such source, or it is the arena's own votes; nothing is changed.
        """
        hidden: list[int] = []

        def hide(connection: Connection, now: datetime) -> bool:
            hidden.append(sources.hide(connection, name, actor=actor, now=now))
            return False

        return self._queue.repeat(
            lambda connection, _now: sources.remove_some(connection, hidden[-1]), begun=self._run(hide)
        )

    def discard_source(self, source_id: int) -> Future[None]:
        """Remove a source that did not become live, in steps between which others write."""
        self._loading.discard(source_id)
        return self._queue.repeat(lambda connection, _now: sources.remove_some(connection, source_id))

    def discard_unfinished_sources(self) -> Future[None]:
        """Remove what imports left that were killed; those that this process, or another one, is loading stay."""

        def remove(connection: Connection, now: datetime) -> bool:
            broken = [source for source in sources.given_up(connection, now=now) if source not in self._loading]
            return not broken or (sources.remove_some(connection, broken[0]) and len(broken) == 1)

        return self._queue.repeat(remove)

    def close(self) -> None:
        """Store what is queued and end the thread."""
        self._queue.close()

    def _leave_no_trace(self, answer: Callable[[], T], *, begun: Future[bool] | None = None) -> Future[T]:
        def rewrite(engine: Engine) -> T:
            started = self._clock()
            if traces.rewrite(engine):
                with engine.begin() as connection:
                    battles.spare_leases(connection, since=started, lease_until=self._clock() + self._lease)
            return answer()

        cleared = self._queue.repeat(lambda connection, now: erasing.clear_some(connection, now=now), begun=begun)
        return after(cleared, lambda _: self._queue.submit(Job(outside=rewrite)))

    def _run(self, operation: Callable[[Connection, datetime], T]) -> Future[T]:
        return self._queue.submit(Job(run=operation))
