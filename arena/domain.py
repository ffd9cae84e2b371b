"""The arena's frozen values: who plays, what was asked, what was answered, how it was judged.

A *battle* sets two *models* against each other on two *sides*. It has one or more *turns*; a turn is one prompt and,
per side, one *reply* per *attempt*. A *vote* ends the battle with a *verdict*.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from leaderboard.verdicts import Verdict

SHORT_VOTER = 12


def short_voter(voter: str) -> str:
    """What administrators call a voter: 12 hex digits, from which nobody can tell the id."""
    return hashlib.sha256(voter.encode()).hexdigest()[:SHORT_VOTER]


class Side(StrEnum):
    """A seat of a battle: A is drawn left, B right."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Side":
        """The opposite seat."""
        return Side.B if self is Side.A else Side.A


class Role(StrEnum):
    """Who speaks in a message, in the words of the OpenAI chat format."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance of a conversation as a provider receives it."""

    role: Role
    text: str


class ModelState(StrEnum):
    """Whether a model takes part: only enabled ones are drawn; retired ones keep their votes and their row."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A contestant: an upstream model with its settings, under a permanent name.

    Prices are USD per million tokens, None when unknown. `base_url` may be `embedded:<weights>`, which the service
    turns into the address of the supervised child. `key_variable` names the environment variable; the key itself is
    never stored here. `script` is read by the scripted provider only.
    """

    name: str
    provider: str
    display_name: str
    upstream_id: str = ""
    base_url: str = ""
    key_variable: str | None = None
    organisation: str | None = None
    licence: str | None = None
    link: str | None = None
    parameters: str | None = None
    context_tokens: int | None = None
    knowledge_cutoff: str | None = None
    price_in: float | None = None
    price_out: float | None = None
    system_prompt: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 1024
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    script: Mapping[str, Any] = field(default_factory=dict)
    vision: bool = False
    weight: float = 1.0
    state: ModelState = ModelState.ENABLED
    aliases: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over what shapes the answers: upstream id, system prompt, sampling, extra body, script.

        Two specs with one name and two fingerprints are two contestants: the later one needs a new name.
        """
        shaping = [
            self.provider,
            self.upstream_id,
            self.system_prompt,
            self.temperature,
            self.top_p,
            self.max_tokens,
            dict(self.extra_body),
            dict(self.script),
        ]
        return hashlib.sha256(json.dumps(shaping, sort_keys=True, default=str).encode()).hexdigest()

    def cost_usd(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """What an answer of so many tokens costs; None when a price or a count is unknown."""
        if tokens_in is None or tokens_out is None or self.price_in is None or self.price_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1_000_000


class ReplyStatus(StrEnum):
    """Where an attempt stands. Only OK can be voted on; FAILED, STOPPED and INTERRUPTED can be retried."""

    STREAMING = "streaming"
    OK = "ok"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class Fault(StrEnum):
    """Why an attempt failed, in neutral words that fit any provider: none of them tells the models apart."""

    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    OVERLOADED = "overloaded"
    BAD_REQUEST = "bad_request"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED_KEY = "refused_key"
    NOT_FOUND = "not_found"
    CONTENT_FILTER = "content_filter"
    MODERATED = "moderated"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    REDIRECTED = "redirected"
    NO_FIRST_TOKEN = "no_first_token"  # noqa: S105 - a cause, not a secret
    SILENT = "silent"
    OVERTIME = "overtime"
    CUT_OFF = "cut_off"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    NOT_READY = "not_ready"
    INTERNAL = "internal"


class FinishReason(StrEnum):
    """Why a model stopped writing; a stream without one is a failure."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFigures:
    """What an attempt took. Tokens as counted by the provider, None when it does not say; times from the monotonic
    clock in milliseconds, `first_token_ms` None when no text came; cost in USD, None when price or tokens are unknown.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    first_token_ms: int | None = None
    duration_ms: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One attempt of one side at one turn (`turn` and `attempt` count from 1).

    `text` is what the model wrote; `leaked` are the words in it that give the model away.
    """

    turn: int
    side: Side
    attempt: int
    status: ReplyStatus
    text: str = ""
    fault: Fault | None = None
    finish_reason: FinishReason | None = None
    figures: ReplyFigures = field(default_factory=ReplyFigures)
    model_seen: str | None = None
    fingerprint: str = ""
    started_at: datetime | None = None
    leaked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One prompt with the latest attempt of each side."""

    ordinal: int
    prompt: str
    replies: Mapping[Side, Reply]


class BattleKind(StrEnum):
    """Only ranked battles count: A/A battles gauge noise, named ones were never blind."""

    RANKED = "ranked"
    AA = "aa"
    NAMED = "named"


class LeftOut(StrEnum):
    """Why the arena itself leaves a vote out of the board; an administrator may give any other reason.

    The battle was not ranked (A/A or named), an answer gave its model away, the vote is held for somebody to look at,
    somebody looked and agreed, or took it out for another reason, which the audit log has.
    """

    AA = "aa"
    NAMED = "named"
    LEAKED = "leaked"
    SUSPICIOUS = "suspicious"
    CONFIRMED = "confirmed"
    EXCLUDED = "excluded"


class Pace(StrEnum):
    """How the answers of a battle are shown: as they come; both at once when both are whole; or, when both are whole,
    written out side by side at equal speed. The latter two hide which model is faster.
    """

    LIVE = "live"
    TOGETHER = "together"
    REPLAY = "replay"


class BattleState(StrEnum):
    """Streaming: a reply is on its way. Ready: both latest replies are OK, so it may be voted on or continued.
    Stuck: none is on its way and at least one failed, was stopped or was interrupted, so it wants a retry. Voted: over.
    """

    STREAMING = "streaming"
    READY = "ready"
    STUCK = "stuck"
    VOTED = "voted"


@dataclass(frozen=True, slots=True)
class Seats:
    """The names of the models on the two sides."""

    a: str
    b: str

    def __getitem__(self, side: Side) -> str:
        """The name of the model on `side`."""
        return self.a if side is Side.A else self.b


@dataclass(frozen=True, slots=True, kw_only=True)
class EloChange:
    """What one vote did to one model's Elo."""

    before: float
    after: float

    @property
    def change(self) -> float:
        """Points won (positive) or lost (negative)."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A final verdict: `seq` is its place in the one total order.

    `left_out` says why it was left out of the board when it was cast; `elo` is None then.
    """

    battle_id: str
    seq: int
    verdict: Verdict
    elo: Mapping[Side, EloChange] | None
    cast_at: datetime
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Battle:
    """A whole battle as the store knows it. It names the models: it must not reach a page before `vote` is set."""

    id: str
    conversation_id: str
    ordinal: int
    kind: BattleKind
    seats: Seats
    state: BattleState
    owner: str
    turns: tuple[Turn, ...]
    created_at: datetime
    pace: Pace = Pace.LIVE
    leaked: bool = False
    prompt_key: int | None = None
    ready_at: datetime | None = None
    texts_removed_at: datetime | None = None
    vote: Vote | None = None

    def history(self, side: Side, *, before_turn: int) -> tuple[Message, ...]:
        """The conversation of one side up to, but without, the answer of turn `before_turn` (from 1)."""
        messages: list[Message] = []
        for turn in self.turns:
            messages.append(Message(Role.USER, turn.prompt))
            if turn.ordinal >= before_turn:
                break
            messages.append(Message(Role.ASSISTANT, turn.replies[side].text))
        return tuple(messages)
