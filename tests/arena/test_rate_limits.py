from concurrent.futures import ThreadPoolExecutor

import pytest

from arena.errors import LimitReached
from arena.rate_limits import Act, RateLimits, Rates, Visitor

NOTHING = Rates(**dict.fromkeys(Rates.__slots__, 0))
ME = Visitor("me", "net-1")


def _taken(limits: RateLimits, act: Act, visitor: Visitor, tries: int) -> int:
    taken = 0
    for _ in range(tries):
        try:
            limits.take(act, visitor)
        except LimitReached:
            continue
        taken += 1
    return taken


def test_without_a_bound_everything_passes() -> None:
    assert _taken(RateLimits(NOTHING), Act.PROMPT, ME, 50) == 50


def test_a_voter_asks_so_often_and_no_more() -> None:
    limits = RateLimits(Rates(voter_prompts_per_minute=3))

    assert _taken(limits, Act.PROMPT, ME, 10) == 3


def test_the_refusal_says_when_to_come_back() -> None:
    limits = RateLimits(Rates(voter_votes_per_minute=1))
    limits.take(Act.VOTE, ME)

    with pytest.raises(LimitReached, match=r"You have voted once in the last minute\. Go on in \d+ seconds?\.") as told:
        limits.take(Act.VOTE, ME)

    assert 1 <= told.value.retry_after_seconds <= 60


def test_the_days_bound_is_told_in_hours() -> None:
    limits = RateLimits(Rates(voter_votes_per_day=2, voter_votes_per_minute=0))
    _taken(limits, Act.VOTE, ME, 2)

    with pytest.raises(LimitReached, match=r"2 times in the last 24 hours\. Go on in 24 hours"):
        limits.take(Act.VOTE, ME)


def test_prompts_and_votes_are_counted_apart() -> None:
    limits = RateLimits(Rates(voter_prompts_per_minute=1, voter_votes_per_minute=1))

    assert [_taken(limits, act, ME, 2) for act in (Act.PROMPT, Act.VOTE)] == [1, 1]


def test_programs_read_so_often_by_network_and_all_together() -> None:
    limits = RateLimits(Rates(network_reads_per_minute=2, all_reads_per_minute=3))

    assert [_taken(limits, Act.READ, Visitor("", network), 5) for network in ("net-1", "net-2")] == [2, 1]
    with pytest.raises(LimitReached, match=r"Everybody together has read from the API 3 times in the last minute"):
        limits.take(Act.READ, Visitor("", "net-3"))


def test_the_voters_of_one_network_share_its_bound() -> None:
    limits = RateLimits(Rates(network_votes_per_minute=3))

    assert sum(_taken(limits, Act.VOTE, Visitor(f"v{n}", "net-1"), 1) for n in range(5)) == 3
    assert _taken(limits, Act.VOTE, Visitor("v9", "net-2"), 1) == 1


def test_a_voter_without_a_network_is_bound_by_the_other_rules_only() -> None:
    limits = RateLimits(Rates(network_votes_per_minute=1, voter_votes_per_minute=5))

    assert _taken(limits, Act.VOTE, Visitor("me"), 9) == 5


def test_all_voters_together_are_bound_too() -> None:
    limits = RateLimits(Rates(all_prompts_per_minute=4))

    assert sum(_taken(limits, Act.PROMPT, Visitor(f"v{n}"), 2) for n in range(5)) == 4


def test_what_one_rule_refuses_is_not_counted_by_another() -> None:
    limits = RateLimits(Rates(voter_votes_per_minute=1, all_votes_per_minute=3))
    _taken(limits, Act.VOTE, ME, 9)

    assert _taken(limits, Act.VOTE, Visitor("other"), 1) + _taken(limits, Act.VOTE, Visitor("third"), 1) == 2


def test_many_threads_do_not_pass_a_bound_together() -> None:
    limits = RateLimits(Rates(voter_votes_per_minute=7))

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(lambda _: _taken(limits, Act.VOTE, ME, 5), range(8)))

    assert taken == 7


def test_while_redis_cannot_be_reached_each_process_counts_for_itself() -> None:
    limits = RateLimits(Rates(voter_votes_per_minute=2), redis_url="redis://127.0.0.1:1/0")

    assert _taken(limits, Act.VOTE, ME, 4) == 2
    assert limits.is_shared
    assert limits.outages == 4


def test_a_clock_that_steps_back_locks_nobody_out() -> None:
    moments = iter([1_790_000_000.0, 1_790_000_001.0, 1_790_000_002.0, 1_789_913_600.0])
    limits = RateLimits(Rates(voter_votes_per_minute=1), clock=lambda: next(moments))

    assert _taken(limits, Act.VOTE, ME, 2) == 1
    assert _taken(limits, Act.VOTE, ME, 1) == 1
