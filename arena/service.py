"""The door for pages: open a battle, stream it, vote, reveal, look at the board."""

import logging
import os
import secrets
from collections.abc import Callable, Hashable, Mapping
from datetime import date
from functools import partial
from random import Random
from threading import Lock
from typing import Self, TypeVar

from arena.administration import Administration
from arena.background import Background, Order
from arena.board import Board, BoardReader
from arena.casting import casting_of
from arena.catalogue import Catalogue, Roster
from arena.chores import Chores
from arena.domain import Battle, BattleState, Message, Pace, Side, Turn
from arena.domain import Role as Speaker
from arena.errors import AlreadyVoted, NotVotable, PromptRefused, UnknownBattle
from arena.guards import Guards, bounds_of
from arena.hold import Holds
from arena.identity import Masker
from arena.live import LiveBattle
from arena.matchmaking import draw_pairing
from arena.metrics import Metrics
from arena.numerals import count
from arena.people import People
from arena.providers import PROVIDERS
from arena.rate_limits import Act, Visitor
from arena.rated_board import RatedBoard, RatedBoards, ScoreHistory
from arena.roles import Role
from arena.selection import EVERYTHING, Selection
from arena.settings import Settings
from arena.store import DayVotes, EloPoint, Facets, NewBattle, Store
from arena.streaming import StreamJob, Streams
from arena.trust import TrustReport, TrustReports
from arena.views import BattleView, battle_view
from arena.vitals import vitals_of
from leaderboard import EloSettings, Forecast, Prediction, Verdict
from leaderboard.integrity import prompt_key

T = TypeVar("T")
log = logging.getLogger(__name__)

VOTE_NOT_STORED = "Your vote could not be stored. Please vote again."


class Arena:
    """Everything a page can do, on one store and one loop of streams; safe to call from many threads.

    A voter is an opaque id; a battle belongs to the voter who opened it, and to everybody else it does not exist. The
    `role` of whoever has logged in is checked by each verb that asks models or votes. `people` tells who is there,
    `administration` holds what administrators do.
    """

    def __init__(
        self, *, settings: Settings, store: Store, roster: Roster, environ: Mapping[str, str], metrics: Metrics
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._store = store
        self._roster = roster
        self._rng = Random(settings.seed)  # noqa: S311 - draws pairs, guards nothing
        self._rng_lock = Lock()
        self._streams = Streams(
            {name: make() for name, make in PROVIDERS.items()},
            record=store.write.finish_reply,
            renew=store.write.renew_leases,
            limits=settings.stream_limits(),
            lease_seconds=settings.lease_seconds,
        )
        self._guards = Guards(settings, environ=environ, write=store.write, run=self._streams.run, metrics=metrics)
        self._holds = Holds(
            store_vote=metrics.counting(store.write.cast_vote),
            call_later=self._streams.call_later,
            seconds=settings.hold_seconds,
        )
        self._boards = BoardReader(store.read)
        self._background = Background(patience_seconds=settings.rating_seconds)
        self._rated = RatedBoards(store.read, background=self._background)
        self._trust = TrustReports(store.read)
        self.people = People(settings, store)
        self.administration = Administration(settings, store, roster=roster, guards=self._guards, run=self._streams.run)
        self._chores = Chores(settings, store=store, roster=roster, guards=self._guards, metrics=metrics)
        self.vitals = vitals_of(metrics, store=store, streams=self._streams, roster=roster, guards=self._guards)

    @classmethod
    def open(cls, settings: Settings, *, environ: Mapping[str, str] = os.environ) -> Self:
        """Open the database, bring the models into it and start what runs in the background.

        Raises:
            SettingsError: a login is wanted that cannot work.
            StoreError: the database cannot be used.
            ModelChanged: a model with votes came back with other settings.
        """
        settings.login.require_secret()
        metrics, elo = Metrics(), EloSettings(**dict(settings.elo))
        store = Store.open(settings.database_url, elo=elo, bounds=bounds_of(settings), watch=metrics)
        try:
            roster = Roster(settings, environ=environ)
            roster.refresh(store.read.admin.model_settings())
            store.write.sync_models(roster.specs()).result()
        except BaseException:
            store.close()
            raise
        arena = cls(settings=settings, store=store, roster=roster, environ=environ, metrics=metrics)
        roster.start()
        arena._chores.start()
        return arena

    def close(self) -> None:
        """Store held verdicts, end every stream (recorded as interrupted), every child process and the writer.

        May be called twice.
        """
        self.vitals.close()
        self._chores.close()
        self._holds.submit_all()
        self._guards.close()
        self._streams.close()
        self._roster.close()
        self._background.close()
        self._store.close()

    # Battles

    def open_battle(self, voter: str, prompt: str, *, network: str | None = None, role: Role | None = None) -> str:
        """Draw two models, store the battle, start both answers; returns the battle's id.

        `network` is a keyed hash of where the voter comes from, None when nobody knows.

        Raises:
            PromptRefused: the prompt is blank, too long, or against the arena's rules.
            NotAllowed: the visitor's role is not enough; so for all that asks or votes.
            LimitReached: too many prompts in a while, or a budget is spent.
            NotEnoughModels: fewer than two models are ready.
        """
        self._guards.admit_prompt(prompt, Visitor(voter, network, role))
        with self._rng_lock:
            playable = self._guards.playable(self._roster.ready())
            drawn = draw_pairing(playable, rng=self._rng, aa_share=self._settings.aa_share)
        battle_id, conversation_id = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        specs = {side: self._roster.spec(drawn.seats[side]) for side in Side}
        message = Message(Speaker.USER, prompt)
        self._store.write.open_battle(
            NewBattle(
                id=battle_id,
                conversation_id=conversation_id,
                ordinal=1,
                kind=drawn.kind,
                pace=self._settings.pace,
                seats=drawn.seats,
                owner=voter,
                prompt=prompt,
                fingerprints={side: spec.fingerprint for side, spec in specs.items()},
                network=network,
                prompt_key=prompt_key(prompt),
                reserved={side: self._guards.reserved(spec, [message]) for side, spec in specs.items()},
            )
        ).result()
        self._ask(self._own(battle_id, voter), dict.fromkeys(Side, 1))
        self._metrics.battle_opened()
        return battle_id

    def write_on(
        self, battle_id: str, voter: str, prompt: str, *, network: str | None = None, role: Role | None = None
    ) -> None:
        """Continue the conversation with both models before voting.

        Raises:
            PromptRefused: blank, too long, one turn too many, or against the arena's rules.
            LimitReached: too many prompts in a while, or a budget is spent.
            UnknownBattle, NotVotable, AlreadyVoted: only a battle with two finished answers goes on.
        """
        battle = self._own(battle_id, voter)
        if len(battle.turns) >= (most := self._settings.max_turns):
            raise PromptRefused(f"A battle has at most {count(most, 'turn')}: vote, then start a new round.")
        if self._holds.held(battle_id) is not None:
            raise NotVotable("Your choice is being held: undo it to write on.")
        self._guards.admit_prompt(prompt, Visitor(voter, network, role))
        specs = {side: self._roster.spec(battle.seats[side]) for side in Side}
        said = Message(Speaker.USER, prompt)
        reserved = {
            side: self._guards.reserved(spec, [*battle.history(side, before_turn=len(battle.turns) + 1), said])
            for side, spec in specs.items()
        }
        fingerprints = {side: spec.fingerprint for side, spec in specs.items()}
        self._store.write.add_turn(battle_id, voter, prompt, fingerprints=fingerprints, reserved=reserved).result()
        self._ask(self._own(battle_id, voter), dict.fromkeys(Side, 1))

    def retry(
        self, battle_id: str, voter: str, side: Side, *, network: str | None = None, role: Role | None = None
    ) -> None:
        """Ask the failed or stopped side of the latest turn again.

        Raises:
            LimitReached: too many prompts in a while, or a budget is spent.
            UnknownBattle, NotRetryable, AlreadyVoted: there is nothing to retry.
        """
        battle = self._own(battle_id, voter)
        self._guards.admit(Act.PROMPT, Visitor(voter, network, role))
        spec = self._roster.spec(battle.seats[side])
        reserved = {side: self._guards.reserved(spec, battle.history(side, before_turn=len(battle.turns)))}
        attempt = self._store.write.retry_reply(
            battle_id, voter, side, fingerprint=spec.fingerprint, reserved=reserved
        ).result()
        self._ask(battle, {side: attempt})

    def stop(self, battle_id: str, voter: str, side: Side | None = None) -> None:
        """Stop one side's answer, or both; what came so far stays."""
        live = self.live(battle_id, voter)
        if live is not None:
            live.stop(side)

    def live(self, battle_id: str, voter: str) -> LiveBattle | None:
        """The answers that are being written in this process; None when none are."""
        self._own(battle_id, voter)
        return self._streams.get(battle_id)

    def live_count(self) -> int:
        """How many battles are being written in this process."""
        return self._streams.live_count()

    def view(self, battle_id: str, voter: str) -> BattleView:
        """The battle as its owner may see it.

        Raises:
            UnknownBattle: there is none of that id for this voter.
        """
        live = self._streams.get(battle_id)
        held = self._holds.held(battle_id)
        battle = self._own(battle_id, voter)
        problem = VOTE_NOT_STORED if battle.vote is None and self._holds.failed(battle_id) else None
        specs = self._roster.by_name()
        names = self._guards.names(specs[name] for name in (battle.seats.a, battle.seats.b) if name in specs)
        return battle_view(battle, live=live, held=held, problem=problem, specs=specs, names=names)

    # Votes

    def hold(
        self, battle_id: str, voter: str, verdict: Verdict, *, network: str | None = None, role: Role | None = None
    ) -> None:
        """Choose a verdict; it becomes final after `hold_seconds` unless undone. A second choice changes nothing.

        Raises:
            LimitReached: too many votes in a while.
            UnknownBattle, NotVotable, AlreadyVoted: the battle cannot be voted on.
        """
        battle = self._votable(battle_id, voter)
        if self._holds.held(battle_id) is not None:
            return
        self._guards.admit(Act.VOTE, Visitor(voter, network, role))
        habits = self._store.read.habits(voter, prompt=battle.prompt_key)
        hold_above = self._settings.integrity.hold_above
        self._holds.hold(battle_id, voter, verdict, casting_of(battle, verdict, habits=habits, hold_above=hold_above))

    def undo(self, battle_id: str, voter: str) -> bool:
        """Take the choice back; False when it is final already."""
        return self._holds.undo(battle_id, voter)

    def reveal_now(self, battle_id: str, voter: str) -> None:
        """Make the held verdict final at once and wait until it is stored; asked again, it changes nothing.

        Raises:
            UnknownBattle, NotVotable: nothing is held and no vote was cast.
        """
        vote = self._holds.submit(battle_id, voter)
        if vote is None:
            if self._own(battle_id, voter).vote is None:
                raise NotVotable("There is no choice to make final: vote first.")
            return
        try:
            vote.result()
        except AlreadyVoted:
            log.info("a second vote was ignored", extra={"battle_id": battle_id})

    # Board and models

    def board(self, *, until: date | None = None) -> Board:
        """The leaderboard as of the newest vote, or at the end of a UTC day; cheap while nothing has moved."""
        return self._boards.board(until=until)

    def board_version(self) -> int:
        """A number that rises with every change of the board."""
        return self._store.read.board_version()

    def elo_history(self, *, until: date | None = None) -> tuple[EloPoint, ...]:
        """Every model's Elo over time, thinned for a chart; up to the end of a UTC day if one is given."""
        return self._boards.elo_history(until=until)

    def facets(self) -> Facets:
        """What the votes can be filtered by."""
        return self._kept("facets", self._store.read.facets)

    def rated_board(
        self, *, method: str = "bradley_terry", selection: Selection = EVERYTHING, order_by_elo: bool = True
    ) -> RatedBoard:
        """A selection of votes rated by any method, ordered by Elo where there is one, else by the method's score.

        What takes longer than `rating_seconds` is rated in the background: until that is done it is an older board,
        as its `version` tells. Ask again every second or so; what nobody asks for is not rated.

        Raises:
            CannotRate: the method needs more than these votes tell.
            BeingRated: the first board of this kind is on its way.
        """
        board = self.board(until=selection.until)
        return self._rated.rated(board, method=method, selection=selection, order_by_elo=order_by_elo)

    def score_history(self, *, method: str = "bradley_terry", selection: Selection = EVERYTHING) -> ScoreHistory:
        """How the scores of a selection moved from day to day, by a method with intervals that needs only counts.

        Raises:
            CannotRate: the method is none of these.
            BeingRated: as `rated_board`, in whose manner this is made.
        """
        return self._rated.score_history(self.board(until=selection.until), method=method, selection=selection)

    def votes_per_day(self, selection: Selection = EVERYTHING) -> tuple[DayVotes, ...]:
        """How many votes were cast on each UTC day that has some."""
        return self._kept(("days", selection), lambda: self._store.read.votes_per_day(selection))

    def forecast(
        self, model_a: str, model_b: str, *, method: str = "bradley_terry", selection: Selection = EVERYTHING
    ) -> Forecast:
        """P(A is preferred) with its interval, the split into win, tie and loss, and the Elo figure beside it.

        Raises:
            UnknownModel: one of them is not on the board; names the nearest.
            CannotRate: the method gives no interval, or a model has no vote in the selection.
            BeingRated: as `rated_board`.
        """
        board = self.board(until=selection.until)
        name_a, name_b = board.find(model_a), board.find(model_b)
        return self._rated.forecast(board, name_a, name_b, method=method, selection=selection)

    def prediction(self, model_a: str, model_b: str) -> Prediction:
        """P(A beats B) by the expected-score formula, with the pair's record.

        Raises:
            UnknownModel: one of them is not on the board; names the nearest.
        """
        return self.board().prediction(model_a, model_b)

    def trust_report(self) -> TrustReport:
        """How the votes came about, what was left out, and what that does to the order; at most half a minute old."""
        return self._trust.report()

    def admit_read(self, network: str | None) -> None:
        """Count one reading by a program from this network; LimitReached says when to come back."""
        self._guards.admit(Act.READ, Visitor("", network))

    def catalogue(self) -> Catalogue:
        """Which models there are, which are ready, and what is being fetched."""
        return self._roster.catalogue()

    # Helpers

    def _kept(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns, read once per version of the board."""
        version = self.board_version()
        return self._background.get(Order(key=key, version=version, make=read, seconds=0.0, title=str(key)))

    def _own(self, battle_id: str, voter: str) -> Battle:
        battle = self._store.read.battle(battle_id)
        if battle is None or battle.owner != voter:
            raise UnknownBattle("There is no such battle here: start a new round.")
        return battle

    def _votable(self, battle_id: str, voter: str) -> Battle:
        battle = self._own(battle_id, voter)
        match battle.state:
            case BattleState.READY:
                return battle
            case BattleState.VOTED:
                raise AlreadyVoted("This battle has its vote: start a new round.")
            case BattleState.STREAMING | BattleState.STUCK:
                raise NotVotable("Both answers must be finished before a vote counts.")

    def _ask(self, battle: Battle, attempts: Mapping[Side, int]) -> None:
        jobs = [self._job(battle, battle.turns[-1], side, attempt) for side, attempt in attempts.items()]
        self._streams.start(battle.id, jobs, hidden=battle.pace is not Pace.LIVE)

    def _job(self, battle: Battle, turn: Turn, side: Side, attempt: int) -> StreamJob:
        spec = self._roster.spec(battle.seats[side])
        names = self._guards.names(self._roster.spec(battle.seats[seat]) for seat in Side)
        prompts = [each.prompt for each in battle.turns]
        return StreamJob(
            turn=turn.ordinal,
            side=side,
            attempt=attempt,
            spec=spec,
            messages=battle.history(side, before_turn=turn.ordinal),
            resolve=lambda: self._roster.endpoint(spec),
            mask=lambda: Masker(names, prompts),
            inspect=partial(self._guards.inspect, names=names, prompts=prompts),
        )
