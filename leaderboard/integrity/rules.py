"""Cheap rules at the moment of a vote, from a handful of counts of one voter.

Silent reading goes at 238 words, some 1,400 characters, a minute (M. Brysbaert, Journal of Memory and Language 109
(2019), 104047, doi:10.1016/j.jml.2019.104047); a glance is put at forty times that. In an honest arena more than half
of all battles end with a vote; whoever votes only where his model stands ends about a tenth so (R. Huang et al., ICML
2025, arXiv 2501.07493). None of these habits is a proof: one alone holds no vote back, save always taking one side.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leaderboard.games import VERDICTS
from leaderboard.integrity.ballots import UNKNOWN, Ballots
from leaderboard.integrity.risk import Reason, Risk, Sign
from leaderboard.integrity.tails import binomial_tail
from leaderboard.integrity.votes import Indices, Mask
from leaderboard.verdicts import Verdict

SNAP_RISK = 0.2
"""What one hasty vote says by itself."""
_HABIT_RISK = 0.7
_SIDE_RISK = 0.95

_DIGITS = re.compile(r"\d+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """When a habit is odd.

    Args:
        glance_characters_per_second: nobody takes in more of the two answers than that.
        least_glance_ms: a faster decision is a snap however short the answers are.
        most_glance_ms: a slower one is none however long they are, since much was read while they were written.
        snap_share: this share of snaps among `least_timed` votes is a habit.
        least_timed: see `snap_share`.
        side_share: an honest voter takes one side in so many of his decided votes at most.
        side_level: the probability below which one side is taken too often for `side_share`.
        same_prompt_share: this share of votes on one prompt is a habit, from `least_same_prompt` such votes on.
        least_same_prompt: see `same_prompt_share`.
        ballot_share: at most this share of battles with a vote is a habit, from `least_battles` battles on.
        least_battles: see `ballot_share`.
    """

    glance_characters_per_second: float = 1000.0
    least_glance_ms: float = 700.0
    most_glance_ms: float = 4000.0
    snap_share: float = 0.5
    least_timed: int = 10
    side_share: float = 0.65
    side_level: float = 1e-5
    same_prompt_share: float = 0.5
    least_same_prompt: int = 10
    ballot_share: float = 0.2
    least_battles: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What one voter did so far, the vote in question included.

    Args:
        battles: ranked battles that were opened and came to their end, voted or not.
        votes: those with a vote.
        left: votes for side A.
        right: votes for side B.
        timed: votes whose time to decide is known.
        snaps: those of them that were snaps.
        same_prompt: votes on the prompt that this voter used most, as `prompt_key` tells prompts apart.
    """

    battles: int = 0
    votes: int = 0
    left: int = 0
    right: int = 0
    timed: int = 0
    snaps: int = 0
    same_prompt: int = 0


def judge_vote(habits: Habits, *, snap: bool, settings: RuleSettings | None = None) -> Risk:
    """The risk of a vote from its voter's habits and its own haste; takes microseconds."""
    settings = settings or RuleSettings()
    return Risk.of([*_haste(snap=snap), *_odd_habits(habits, settings)])


def is_snap(decide_ms: int, characters: int, *, settings: RuleSettings | None = None) -> bool:
    """Whether a vote came before anybody could have looked at answers of so many characters; never when unknown."""
    return bool(snaps(np.array([decide_ms]), np.array([characters]), settings=settings or RuleSettings())[0])


def snaps(decide_ms: Indices, characters: Indices, *, settings: RuleSettings) -> Mask:
    """`is_snap` for columns, bool[n]."""
    glance_ms = 1000.0 * characters / settings.glance_characters_per_second
    needed_ms = np.clip(glance_ms, settings.least_glance_ms, settings.most_glance_ms)
    snap: Mask = (decide_ms != UNKNOWN) & (characters != UNKNOWN) & (decide_ms < needed_ms)
    return snap


def prompt_key(prompt: str) -> int:
    """A number of 63 bits that prompts share which differ in case, spacing, punctuation or digits only."""
    plain = unicodedata.normalize("NFKC", prompt).casefold()
    words = _BETWEEN_WORDS.sub(" ", _DIGITS.sub("0", plain)).strip()
    digest = hashlib.blake2b((words or plain).encode("utf-8", errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def count_habits(ballots: Ballots, *, voters: int, settings: RuleSettings) -> tuple[Habits, ...]:
    """The habits of every voter, in the order of their numbers."""
    known = ballots.voter != UNKNOWN
    voted = known & ballots.voted
    timed = voted & (ballots.decide_ms != UNKNOWN) & (ballots.characters != UNKNOWN)
    hasty = timed & snaps(ballots.decide_ms, ballots.characters, settings=settings)
    columns = [
        known,
        voted,
        voted & (ballots.verdicts == VERDICTS.index(Verdict.A)),
        voted & (ballots.verdicts == VERDICTS.index(Verdict.B)),
        timed,
        hasty,
    ]
    counts = [np.bincount(ballots.voter[rows], minlength=voters).tolist() for rows in columns]
    same_prompt = _most_on_one_prompt(ballots, voted, voters=voters).tolist()
    fields = ("battles", "votes", "left", "right", "timed", "snaps", "same_prompt")
    return tuple(Habits(**dict(zip(fields, row, strict=True))) for row in zip(*counts, same_prompt, strict=True))


def _haste(*, snap: bool) -> Iterator[Reason]:
    if snap:
        sentence = "Decided faster than anybody could have looked at both answers."
        yield Reason(sign=Sign.SNAP_VOTE, risk=SNAP_RISK, sentence=sentence)


def _odd_habits(habits: Habits, settings: RuleSettings) -> Iterator[Reason]:
    if habits.timed >= settings.least_timed and habits.snaps >= settings.snap_share * habits.timed:
        sentence = f"{habits.snaps} of {habits.timed} votes came before anybody could have looked at both answers."
        yield Reason(sign=Sign.SNAP_HABIT, risk=_HABIT_RISK, sentence=sentence)
    if _takes_one_side(habits, settings):
        side, times = max(("left", habits.left), ("right", habits.right), key=lambda each: each[1])
        sentence = f"Chose the {side} answer in {times} of {habits.left + habits.right} decided votes."
        yield Reason(sign=Sign.ONE_SIDE, risk=_SIDE_RISK, sentence=sentence)
    if habits.same_prompt >= max(settings.least_same_prompt, settings.same_prompt_share * habits.votes):
        sentence = f"{habits.same_prompt} of {habits.votes} votes are on nearly the same prompt."
        yield Reason(sign=Sign.SAME_PROMPT, risk=_HABIT_RISK, sentence=sentence)
    if habits.battles >= settings.least_battles and habits.votes <= settings.ballot_share * habits.battles:
        sentence = f"Voted in {habits.votes} of {habits.battles} finished battles."
        yield Reason(sign=Sign.ABSTAINS, risk=_HABIT_RISK, sentence=sentence)


def _takes_one_side(habits: Habits, settings: RuleSettings) -> bool:
    decided, most = habits.left + habits.right, max(habits.left, habits.right)
    if most <= settings.side_share * decided:
        return False
    return 2.0 * binomial_tail(most, decided, settings.side_share) < settings.side_level


def _most_on_one_prompt(ballots: Ballots, voted: Mask, *, voters: int) -> Indices:
    rows = voted & (ballots.prompt != UNKNOWN)
    prompts, prompt = np.unique(ballots.prompt[rows], return_inverse=True)
    size = max(1, prompts.size)
    keys, times = np.unique(ballots.voter[rows] * size + prompt, return_counts=True)
    most = np.zeros(voters, np.int64)
    np.maximum.at(most, keys // size, times)
    return most
