"""The values that go into the store and come out of it, beside those of the domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from arena.domain import BattleKind, EloChange, ModelSpec, Pace, Seats, Side
from arena.foreign import Conversation, StyleFigures
from leaderboard.games import Games, Tally
from leaderboard.ratings import EloSettings
from leaderboard.style import GameStyles, Style
from leaderboard.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What an answer may cost, or did: tokens in and out together, and USD."""

    tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most of each within a UTC day; None sets no limit."""

    voter_tokens: int | None = None
    voter_usd: float | None = None
    all_tokens: int | None = None
    all_usd: float | None = None


NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """How a vote came about: the time from the last answer's end to the click, and what the rules say of it.

    `risk` is 0 to 1 with the signs that it is made of; a vote that is `held` is stored and does not count.
    """

    decide_ms: int | None = None
    risk: float | None = None
    signs: tuple[str, ...] = ()
    held: bool = False


PLAIN_CASTING = Casting()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBattle:
    """A battle to open; `fingerprints` are those of the two models at this moment.

    `network` is a keyed hash of where the voter came from, `prompt_key` a digest of the prompt's words. `reserved` is
    what each answer may cost.
    """

    id: str
    conversation_id: str
    ordinal: int = 1
    kind: BattleKind = BattleKind.RANKED
    seats: Seats
    owner: str
    prompt: str
    fingerprints: Mapping[Side, str]
    pace: Pace = Pace.LIVE
    network: str | None = None
    prompt_key: int | None = None
    reserved: Mapping[Side, Spending] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model as the database knows it: `spec` holds what readers of the board see, no address, key or prompt.

    `fingerprint` is the catalogue's when it was last read; the one of `spec` is without meaning.
    """

    spec: ModelSpec
    fingerprint: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRows:
    """The arena's own board in one consistent look, counted votes only: the live one, or that of a past day's end.

    Args:
        version: grows with every change of the board.
        elo: settings of the fold.
        models: every model ever seen, by name; their state is that of the moment.
        ratings: Elo by name, of a past day only of the models that were there; `ratings_before`: the same as it was
            one day earlier (start for who was not there).
        tallies: counted votes by ordered seats and verdict.
        left_out: stored votes that do not count, by reason.
        last_vote_at: when the last vote, counted or not, was cast; None before the first.
    """

    version: int
    elo: EloSettings
    models: tuple[StoredModel, ...]
    ratings: Mapping[str, float]
    ratings_before: Mapping[str, float]
    tallies: tuple[Tally, ...]
    left_out: Mapping[str, int]
    last_vote_at: datetime | None

    @property
    def votes(self) -> int:
        """How many votes count."""
        return sum(tally.n for tally in self.tallies)


@dataclass(frozen=True, slots=True, kw_only=True)
class EloPoint:
    """A model's Elo after vote `seq`, cast at `at`."""

    model: str
    seq: int
    at: datetime
    elo: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What the stored votes can be selected by; the days are None without votes. `arena` is always a source."""

    sources: tuple[str, ...]
    languages: tuple[str, ...]
    first_day: date | None
    last_day: date | None


class LastVote(NamedTuple):
    """When the last of some votes was cast: the UTC day where that is known, the moment where that is known, too."""

    day: date | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedVotes:
    """The votes of a selection by ordered seats and verdict, and by reason how many of it do not count.

    `last_seq` is the number of the arena's last vote at this version. `games` holds them in order, and `styles` how the
    answers of each were written; None when that was not asked for, or when a source has only counts. `undated` votes
    have no time, so that no range of days holds them. `failed_lost` battles without a vote are among the tallies, where
    a failed answer loses in this selection; they are in no other figure.
    """

    version: int
    last_seq: int
    tallies: tuple[Tally, ...]
    left_out: Mapping[str, int]
    games: Games | None
    styles: GameStyles | None
    last_vote: LastVote
    undated: int
    failed_lost: int = 0


class DayVotes(NamedTuple):
    """How many votes were cast on a UTC day."""

    day: date
    votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRecord:
    """A stored vote: the ratings and the change as when cast, and `left_out` as it is now (None: it counts)."""

    seq: int
    battle_id: str
    voter: str | None
    seats: Seats
    verdict: Verdict
    elo: Mapping[Side, EloChange] | None
    left_out: str | None
    cast_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that was done to the board from outside; `before` and `after` are JSON, `reason` is in words."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    before: str | None
    after: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was a voter's; `kept` says where removed text can still be found, None when nowhere."""

    battles: int
    votes: int
    kept: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A file to import: `sha256` (hex) is what it is recognised by, `tallies_only` says that it holds only counts."""

    name: str
    format: str
    sha256: str
    tallies_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An imported file as readers see it; `votes` counts those that are left out, too.

    `classifier` is what told its texts' languages and counted their styles; None while that is still to be done.
    """

    id: int
    name: str
    format: str
    sha256: str
    imported_at: datetime
    votes: int
    tallies_only: bool
    classifier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignChunk:
    """What one transaction of an import stores: rows of values in the order of the tables' columns."""

    votes: Sequence[tuple[Any, ...]] = ()
    texts: Sequence[tuple[Any, ...]] = ()
    styles: Sequence[tuple[Any, ...]] = ()
    tallies: Sequence[tuple[Any, ...]] = ()


class UnreadText(NamedTuple):
    """An imported conversation of which the language, or how it is written, is not told yet; None where nobody did."""

    position: int
    language: str | None
    said: Conversation
    style_a: StyleFigures
    style_b: StyleFigures


class Finding(NamedTuple):
    """What was found in an imported conversation; None where nothing tells."""

    position: int
    language: str | None
    style_a: Style | None
    style_b: Style | None


class ReplyKey(NamedTuple):
    """Which attempt of which side at which turn."""

    battle: str
    turn: int
    side: Side
    attempt: int


class UncountedReply(NamedTuple):
    """A finished reply of the arena whose style nobody has counted."""

    key: ReplyKey
    text: str


class ReplyStyle(NamedTuple):
    """How a reply of the arena is written."""

    key: ReplyKey
    style: Style


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What `verify` recomputed and found equal; `sources` are imported files, whose tallies were recounted."""

    votes: int
    counted: int
    models: int
    tallies: int
    checkpoints: int
    elo_sum: float
    sources: int = 0
