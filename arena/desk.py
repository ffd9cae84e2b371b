"""The administrator's desk: which votes are held and why, who votes, what is in doubt; and what is decided about it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from arena.breaker import Rest
from arena.checkup import REMEDIES
from arena.domain import LeftOut, Seats, short_voter
from arena.errors import DecisionRefused, UnknownVoter
from arena.selection import EVERYTHING
from arena.store import Alarm, Decision, Erased, ExaminedVote, Store, VoterFigures, Which
from leaderboard.integrity import Sign
from leaderboard.verdicts import Verdict

SIGNS: Mapping[Sign, str] = MappingProxyType(
    {
        Sign.SNAP_VOTE: "decided faster than anybody could have looked at both answers",
        Sign.SNAP_HABIT: "many votes that came too fast",
        Sign.ONE_SIDE: "nearly always the same side",
        Sign.SAME_PROMPT: "many votes on nearly the same prompt",
        Sign.ABSTAINS: "few votes for so many battles",
        Sign.FOR_MODEL: "leans to one model, beyond what taste explains",
        Sign.AGAINST_MODEL: "leans away from one model, beyond what taste explains",
        Sign.LEANS_TO_SIDE: "leans to one side, whatever stands there",
        Sign.AGAINST_BOARD: "does not follow what all others see",
        Sign.ONE_MODEL: "votes nearly only where one model takes part",
        Sign.SIGN_UP_DAY: "votes like others who first came on the same day",
        Sign.NETWORK: "votes like others of the same network",
        Sign.MODEL_ALARM: "speaks for a model in alarm",
    }
)


class TrustedBy(StrEnum):
    """Why a voter is a measure for others."""

    ADMINISTRATOR = "administrator"
    LOGIN = "login"
    """Logged in for the first time more than 30 days ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteLine:
    """A vote on the administrator's desk.

    Args:
        seq: its number, by which it is confirmed, restored or excluded.
        battle_id: the battle that it ended.
        models: permanent names, by seat.
        verdict: what was chosen.
        voter: short name, 12 hex digits; None for one who was erased.
        cast_at: UTC.
        decide_ms: from the last answer's end to the click; None when not known.
        risk: 0 to 1, what the reasons come to; None when nothing was asked.
        reasons: what speaks against it, as sentences, the weightiest first; may be empty.
        left_out: the word under which it does not count (`LeftOut`, or an older word); None: it counts.
        decision: what an administrator said last, which no sweep undoes; None: nobody has decided.
    """

    seq: int
    battle_id: str
    models: Seats
    verdict: Verdict
    voter: str | None
    cast_at: datetime
    decide_ms: int | None
    risk: float | None
    reasons: tuple[str, ...]
    left_out: str | None
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoterLine:
    """A voter on the administrator's desk.

    Args:
        voter: short name, 12 hex digits.
        votes: votes on ranked battles; `held` and `counted` are among them.
        share: of all counted votes of the board, 0 to 1.
        signs: in how many votes each sign was seen; empty for most.
        trusted: why the votes are a measure for others; None: they are not.
        first_seen_at, last_seen_at: UTC; the last battle or vote.
    """

    voter: str
    votes: int
    held: int
    counted: int
    share: float
    signs: Mapping[Sign, int]
    trusted: TrustedBy | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingModel:
    """A model that keeps failing and is not drawn: why, as a phrase with a remedy, and when it is probed next (UTC)."""

    model: str
    why: str
    failures: int
    since: datetime
    until: datetime


class Desk:
    """An administrator's verbs; safe to call from many threads, each returns when it is stored.

    Every decision needs an `actor` and a `reason` in words, is an entry of the audit log, and stands: no later sweep
    changes a vote about which somebody has decided. Voters go by short names, which may be cut as long as they fit one.

    Args:
        store: opened to write, or to read if nothing is to be decided.
        resting: which models rest in this process; nobody knows where no server runs.
    """

    def __init__(self, store: Store, *, resting: Callable[[], Mapping[str, Rest]] = dict) -> None:
        self._store = store
        self._resting = resting

    # Votes

    def votes(
        self, which: Which = Which.HELD, *, voter: str | None = None, limit: int | None = None
    ) -> tuple[VoteLine, ...]:
        """Votes on ranked battles, the newest first: the held ones, all that do not count, or all.

        Raises:
            UnknownVoter: none, or more than one, has a short name that begins so.
        """
        whole = None if voter is None else self._voter(voter)
        return tuple(_vote_line(vote) for vote in self._store.read.desk.votes(which, voter=whole, limit=limit))

    def confirm(self, seqs: Collection[int], *, reason: str, actor: str) -> None:
        """Leave held votes out for good; the board counts them as confirmed, and sweeps keep them as evidence.

        Raises:
            DecisionRefused: there is no reason, or one of them is not held (any more); nothing is changed.
            UnknownVote: there is no such vote; nothing is changed.
        """
        self._store.write.confirm_votes(seqs, note=_required(reason), actor=actor).result()

    def restore(self, seqs: Collection[int], *, reason: str, actor: str) -> None:
        """Let votes count, in the places in which they were cast, whyever they were left out.

        Raises:
            DecisionRefused: there is no reason.
            UnknownVote: there is no such vote, or its battle was not ranked; nothing is changed.
        """
        self._store.write.restore_votes(seqs, reason=_required(reason), actor=actor).result()

    def exclude(self, seqs: Collection[int], *, reason: str, actor: str) -> None:
        """Leave votes out of the board, whether they count now or not; everybody sees only that they are excluded.

        Raises:
            DecisionRefused: there is no reason.
            UnknownVote: there is no such vote, or its battle was not ranked; nothing is changed.
        """
        note = _required(reason)
        self._store.write.exclude_votes(seqs, reason=LeftOut.EXCLUDED.value, actor=actor, note=note).result()

    # Voters

    def voter_count(self) -> int:
        """How many have opened a battle."""
        return self._store.read.desk.voter_count()

    def voters(self, *, limit: int | None = None, offset: int = 0) -> tuple[VoterLine, ...]:
        """Everybody who has opened a battle, those with the most held votes first, then with the most votes.

        A page of the list takes a fraction of the time of all of it.
        """
        figures = self._store.read.desk.voters(now=datetime.now(UTC), limit=limit, offset=offset)
        counted = sum(tally.n for tally in self._store.read.selected_votes(EVERYTHING).tallies)
        return tuple(_voter_line(each, of=counted) for each in figures)

    def trust(self, voter: str, *, reason: str, actor: str) -> None:
        """Make a voter's votes a measure for others'; trusted already, nothing is changed.

        Raises:
            DecisionRefused: there is no reason.
            UnknownVoter: none, or more than one, has a short name that begins so.
        """
        self._trust(voter, trusted=True, reason=reason, actor=actor)

    def untrust(self, voter: str, *, reason: str, actor: str) -> None:
        """Take back what `trust` said; a voter who logged in long ago remains trusted for that.

        Raises:
            DecisionRefused, UnknownVoter: as `trust`.
        """
        self._trust(voter, trusted=False, reason=reason, actor=actor)

    def erase(self, voter: str, *, reason: str, actor: str) -> Erased:
        """Remove a voter and the texts of his battles for good; his votes stay, and nothing is rated anew.

        Raises:
            DecisionRefused, UnknownVoter: as `trust`.
            StoreError: nothing is the voter's any more, but pieces of the text may still be found in the file.
        """
        note = _required(reason)
        return self._store.write.erase_voter(self._voter(voter), actor=actor, reason=note).result()

    # Models

    def alarms(self) -> tuple[Alarm, ...]:
        """The models on which suspects and others disagree, by the last sweep: since when, and the figures."""
        return self._store.read.alarms()

    def resting(self) -> tuple[RestingModel, ...]:
        """The models that keep failing and are not drawn now, by name."""
        return tuple(
            RestingModel(
                model=rest.model,
                why=REMEDIES[rest.fault],
                failures=rest.failures,
                since=rest.since,
                until=rest.probe_at,
            )
            for _, rest in sorted(self._resting().items())
        )

    def _trust(self, voter: str, *, trusted: bool, reason: str, actor: str) -> None:
        note = _required(reason)
        self._store.write.trust_voter(self._voter(voter), trusted=trusted, actor=actor, reason=note).result()

    def _voter(self, short: str) -> str:
        """The whole id of a voter by the beginning of the short name."""
        wanted = short.strip().lower()
        found = [
            voter for voter in self._store.read.desk.voter_ids() if wanted and short_voter(voter).startswith(wanted)
        ]
        if not found:
            raise UnknownVoter(f"There is no voter {short!r}: `arena voters list` names them.")
        if len(found) > 1:
            raise UnknownVoter(f"{len(found)} voters begin with {short!r}: write more of the name.")
        return found[0]


def _required(reason: str) -> str:
    if not reason.strip():
        raise DecisionRefused("Say why in a few words: the reason is kept in the audit log. Nothing was changed.")
    return reason.strip()


def _vote_line(vote: ExaminedVote) -> VoteLine:
    by_rules = tuple(_in_words(sign) for sign in vote.signs if sign not in vote.swept_signs)
    risks = [risk for risk in (vote.risk, vote.swept_risk) if risk is not None]
    return VoteLine(
        seq=vote.seq,
        battle_id=vote.battle_id,
        models=vote.seats,
        verdict=vote.verdict,
        voter=None if vote.voter is None else short_voter(vote.voter),
        cast_at=vote.cast_at,
        decide_ms=vote.decide_ms,
        risk=max(risks, default=None),
        reasons=vote.sentences + by_rules,
        left_out=vote.left_out,
        decision=vote.decision,
    )


def _voter_line(figures: VoterFigures, *, of: int) -> VoterLine:
    trusted = TrustedBy.ADMINISTRATOR if figures.marked else TrustedBy.LOGIN if figures.trusted else None
    return VoterLine(
        voter=short_voter(figures.id),
        votes=figures.votes,
        held=figures.held,
        counted=figures.counted,
        share=figures.counted / of if of else 0.0,
        signs={Sign(sign): votes for sign, votes in figures.signs.items() if sign in {*Sign}},
        trusted=trusted,
        first_seen_at=figures.first_seen_at,
        last_seen_at=figures.last_seen_at,
    )


def _in_words(sign: str) -> str:
    """As a sentence; a sign that this program does not know as it is."""
    words = SIGNS[Sign(sign)] if sign in {*Sign} else sign.replace("_", " ")
    return f"{words[0].upper()}{words[1:]}."
