"""The door for pages: open a battle, stream it, vote, reveal, look at the board."""

import logging
import os
import secrets
from collections.abc import Callable, Hashable, Mapping
from datetime import date
from random import Random
from threading import Event, Lock, Thread
from typing import Self, TypeVar

from arena import language
from arena.background import Background, Order
from arena.board import Board, BoardReader
from arena.catalogue import Catalogue, Roster
from arena.domain import Battle, BattleKind, BattleState, Side, Turn
from arena.errors import AlreadyVoted, ArenaError, NotVotable, PromptRefused, UnknownBattle
from arena.hold import Holds
from arena.matchmaking import draw_seats
from arena.providers import PROVIDERS
from arena.rated_board import RatedBoard, RatedBoards, ScoreHistory
from arena.selection import EVERYTHING, Selection
from arena.settings import Settings
from arena.store import DayVotes, EloPoint, Facets, NewBattle, Store
from arena.streaming import LiveBattle, StreamJob, Streams
from arena.views import BattleView, battle_view
from leaderboard import EloSettings, Forecast, Prediction, Verdict

T = TypeVar("T")
log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 1.0
VOTE_NOT_STORED = "Your vote could not be stored. Please vote again."


class Arena:
    """Everything a page can do, on one store and one loop of streams; safe to call from many threads.

    A voter is an opaque id; a battle belongs to the voter who opened it, and to everybody else it does not exist.
    """

    def __init__(self, *, settings: Settings, store: Store, roster: Roster) -> None:
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
        self._holds = Holds(
            store_vote=store.write.cast_vote, call_later=self._streams.call_later, seconds=settings.hold_seconds
        )
        self._boards = BoardReader(store.read)
        self._background = Background(patience_seconds=settings.rating_seconds)
        self._rated = RatedBoards(store.read, background=self._background)
        self._closing = Event()
        self._housekeeper = Thread(target=self._keep_house, name="arena-housekeeper", daemon=True)

    @classmethod
    def open(cls, settings: Settings, *, environ: Mapping[str, str] = os.environ) -> Self:
        """Open the database, bring the models into it and start what runs in the background.

        Raises:
            StoreError: the database cannot be used.
            ModelChanged: a model with votes came back with other settings.
        """
        store = Store.open(settings.database_url, elo=EloSettings(**dict(settings.elo)))
        try:
            roster = Roster(settings, environ=environ)
            store.write.sync_models(roster.specs()).result()
        except BaseException:
            store.close()
            raise
        arena = cls(settings=settings, store=store, roster=roster)
        roster.start()
        arena._housekeeper.start()
        return arena

    def close(self) -> None:
        """Store held verdicts, end every stream (recorded as interrupted), every child process and the writer.

        May be called twice.
        """
        self._closing.set()
        if self._housekeeper.is_alive():
            self._housekeeper.join()
        self._holds.submit_all()
        self._streams.close()
        self._roster.close()
        self._background.close()
        self._store.close()

    # Battles

    def open_battle(self, voter: str, prompt: str) -> str:
        """Draw two models, store the battle, start both answers; returns the battle's id.

        Raises:
            PromptRefused: the prompt is blank or too long.
            NotEnoughModels: fewer than two models are ready.
        """
        prompt = self._checked(prompt)
        with self._rng_lock:
            seats = draw_seats(self._roster.ready(), rng=self._rng)
        battle_id, conversation_id = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._store.write.open_battle(
            NewBattle(
                id=battle_id,
                conversation_id=conversation_id,
                ordinal=1,
                kind=BattleKind.RANKED,
                seats=seats,
                owner=voter,
                prompt=prompt,
                fingerprints={side: self._roster.spec(seats[side]).fingerprint for side in Side},
            )
        ).result()
        self._ask(self._own(battle_id, voter), dict.fromkeys(Side, 1))
        return battle_id

    def write_on(self, battle_id: str, voter: str, prompt: str) -> None:
        """Continue the conversation with both models before voting.

        Raises:
            PromptRefused: blank, too long, or one turn too many.
            UnknownBattle, NotVotable, AlreadyVoted: only a battle with two finished answers goes on.
        """
        prompt = self._checked(prompt)
        battle = self._own(battle_id, voter)
        if len(battle.turns) >= self._settings.max_turns:
            raise PromptRefused(f"A battle has at most {self._settings.max_turns} turns: vote, then start a new round.")
        if self._holds.held(battle_id) is not None:
            raise NotVotable("Your choice is being held: undo it to write on.")
        fingerprints = {side: self._roster.spec(battle.seats[side]).fingerprint for side in Side}
        self._store.write.add_turn(battle_id, voter, prompt, fingerprints=fingerprints).result()
        self._ask(self._own(battle_id, voter), dict.fromkeys(Side, 1))

    def retry(self, battle_id: str, voter: str, side: Side) -> None:
        """Ask the failed or stopped side of the latest turn again.

        Raises:
            UnknownBattle, NotRetryable, AlreadyVoted: there is nothing to retry.
        """
        battle = self._own(battle_id, voter)
        fingerprint = self._roster.spec(battle.seats[side]).fingerprint
        attempt = self._store.write.retry_reply(battle_id, voter, side, fingerprint=fingerprint).result()
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
        return battle_view(battle, live=live, held=held, problem=problem, specs=self._roster.by_name())

    # Votes

    def hold(self, battle_id: str, voter: str, verdict: Verdict) -> None:
        """Choose a verdict; it becomes final after `hold_seconds` unless undone. A second choice changes nothing.

        Raises:
            UnknownBattle, NotVotable, AlreadyVoted: the battle cannot be voted on.
        """
        self._votable(battle_id, voter)
        self._holds.hold(battle_id, voter, verdict)

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

    def catalogue(self) -> Catalogue:
        """Which models there are, which are ready, and what is being fetched."""
        return self._roster.catalogue()

    # Helpers

    def _kept(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns, read once per version of the board."""
        version = self.board_version()
        return self._background.get(Order(key=key, version=version, make=read, seconds=0.0, title=str(key)))

    def _checked(self, prompt: str) -> str:
        if not prompt.strip():
            raise PromptRefused("The prompt is blank: type a question first.")
        longest = self._settings.max_prompt_characters
        if len(prompt) > longest:
            raise PromptRefused(f"The prompt has {len(prompt):,} characters; shorten it to {longest:,}.")
        return prompt

    def _own(self, battle_id: str, voter: str) -> Battle:
        battle = self._store.read.battle(battle_id)
        if battle is None or battle.owner != voter:
            raise UnknownBattle("There is no such battle here: start a new round.")
        return battle

    def _votable(self, battle_id: str, voter: str) -> None:
        match self._own(battle_id, voter).state:
            case BattleState.READY:
                return
            case BattleState.VOTED:
                raise AlreadyVoted("This battle has its vote: start a new round.")
            case BattleState.STREAMING | BattleState.STUCK:
                raise NotVotable("Both answers must be finished before a vote counts.")

    def _ask(self, battle: Battle, attempts: Mapping[Side, int]) -> None:
        turn = battle.turns[-1]
        self._streams.start(battle.id, [self._job(battle, turn, side, n) for side, n in attempts.items()])

    def _job(self, battle: Battle, turn: Turn, side: Side, attempt: int) -> StreamJob:
        spec = self._roster.spec(battle.seats[side])
        return StreamJob(
            turn=turn.ordinal,
            side=side,
            attempt=attempt,
            spec=spec,
            messages=battle.history(side, before_turn=turn.ordinal),
            resolve=lambda: self._roster.endpoint(spec),
        )

    def _keep_house(self) -> None:
        language.prepared()  # here, so that no voter waits for it
        while not self._closing.wait(HOUSEKEEPING_SECONDS):
            try:
                self._store.write.interrupt_expired().result()
                if self._roster.refresh():
                    self._store.write.sync_models(self._roster.specs()).result()
            except ArenaError as error:
                self._roster.complain(str(error))
                log.exception("housekeeping failed")
            except Exception:
                log.exception("housekeeping failed")
