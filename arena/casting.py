"""How a vote came about, judged at the moment of the click."""

from datetime import UTC, datetime, timedelta

from arena.domain import Battle, Side
from arena.store import Casting
from leaderboard.integrity import UNKNOWN, Habits, is_snap, judge_vote
from leaderboard.verdicts import Verdict


def casting_of(
    battle: Battle, verdict: Verdict, *, habits: Habits, hold_above: float, now: datetime | None = None
) -> Casting:
    """Judge a vote by its haste and by what its voter did before.

    Args:
        battle: ready to be voted on.
        verdict: what was chosen.
        habits: the voter's until now, without this vote.
        hold_above: from this risk on, 0 to 1, the vote is held for somebody to look at.
        now: the moment of the click.
    """
    decide_ms = _decide_ms(battle, now or datetime.now(UTC))
    characters = sum(len(battle.turns[-1].replies[side].text) for side in Side)
    is_hasty = is_snap(decide_ms, characters)
    with_this = Habits(
        battles=habits.battles,
        votes=habits.votes + 1,
        left=habits.left + (verdict is Verdict.A),
        right=habits.right + (verdict is Verdict.B),
        timed=habits.timed + (decide_ms != UNKNOWN),
        snaps=habits.snaps + is_hasty,
        same_prompt=habits.same_prompt + 1,
    )
    risk = judge_vote(with_this, snap=is_hasty)
    return Casting(
        decide_ms=None if decide_ms == UNKNOWN else decide_ms,
        risk=risk.value,
        signs=tuple(reason.sign.value for reason in risk.reasons),
        held=risk.value >= hold_above,
    )


def _decide_ms(battle: Battle, now: datetime) -> int:
    if battle.ready_at is None:
        return UNKNOWN
    return max(0, (now - battle.ready_at) // timedelta(milliseconds=1))
