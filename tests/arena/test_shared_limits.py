"""Several processes count together on a real Redis, and go on without it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from arena.errors import LimitReached
from arena.rate_limits import Act, RateLimits, Rates, Visitor
from arena.service import Arena
from arena.settings import load_settings
from tests.fault_server import wait_until
from tests.redis_server import RedisServer

NOTHING = dict.fromkeys(Rates.__slots__, 0)
ME, MY_NEIGHBOUR, STRANGER = Visitor("me", "net-1"), Visitor("neighbour", "net-1"), Visitor("stranger", "net-2")


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:  # a test's own folder can be too long for a socket
        yield server


def two_processes(redis: RedisServer, **rates: int) -> tuple[RateLimits, RateLimits]:
    bounds = Rates(**{**NOTHING, **rates})
    return RateLimits(bounds, redis_url=redis.url), RateLimits(bounds, redis_url=redis.url)


def passes(limits: RateLimits, visitor: Visitor) -> bool:
    with suppress(LimitReached):
        limits.take(Act.VOTE, visitor)
        return True
    return False


def how_many_pass(limits: RateLimits, visitor: Visitor, *, tries: int) -> int:
    return sum(passes(limits, visitor) for _ in range(tries))


def test_a_voters_acts_are_counted_by_all_processes_together(redis: RedisServer) -> None:
    here, there = two_processes(redis, voter_votes_per_minute=3)

    assert [passes(limits, ME) for limits in (here, there, here, there, here)] == [True, True, True, False, False]
    assert passes(there, STRANGER)


def test_a_networks_acts_are_counted_by_all_processes_together(redis: RedisServer) -> None:
    here, there = two_processes(redis, network_votes_per_day=2)

    assert [passes(here, ME), passes(there, MY_NEIGHBOUR), passes(here, MY_NEIGHBOUR)] == [True, True, False]
    assert passes(here, STRANGER)


def test_everybodys_acts_are_counted_by_all_processes_together(redis: RedisServer) -> None:
    here, there = two_processes(redis, all_votes_per_minute=2)

    assert [passes(here, ME), passes(there, STRANGER)] == [True, True]
    assert [passes(here, MY_NEIGHBOUR), passes(there, ME)] == [False, False]


def test_processes_that_count_at_once_do_not_pass_a_bound_together(redis: RedisServer) -> None:
    bound, voters = 5, [Visitor(f"voter {number}") for number in range(40)]
    replicas = [*two_processes(redis, voter_votes_per_day=bound), *two_processes(redis, voter_votes_per_day=bound)]
    passed = []

    with ThreadPoolExecutor(len(replicas)) as pool:
        for voter in voters:
            tried = [pool.submit(how_many_pass, limits, voter, tries=bound) for limits in replicas]
            passed.append(sum(each.result() for each in tried))

    assert passed == [bound] * len(voters)
    assert [limits.outages for limits in replicas] == [0] * len(replicas)


def test_while_redis_is_away_each_process_counts_for_itself_and_then_together_again(redis: RedisServer) -> None:
    here, there = two_processes(redis, voter_votes_per_minute=2)
    together = [passes(here, ME), passes(there, ME), passes(here, ME)]

    redis.stop()
    alone = [passes(limits, ME) for limits in (here, here, here, there, there, there)]
    outages = [here.outages, there.outages]
    redis.start()

    assert together == [True, True, False]
    assert alone == [True, True, False] * 2
    assert outages == [3, 3]
    assert [passes(here, ME), passes(there, ME), passes(here, ME)] == [True, True, False]
    assert [here.outages, there.outages] == outages


def test_an_arena_counts_that_redis_was_away_and_needs_no_restart(redis: RedisServer, tmp_path: Path) -> None:
    config = tmp_path / "arena.toml"
    config.write_text(
        f"redis_url = '{redis.url}'\n[rates]\nvoter_prompts_per_minute = 1\n"
        + "".join(f"[[models]]\nname = '{n}'\nprovider = 'scripted'\nscript = {{ text = 'Hi' }}\n" for n in "xy")
    )
    arena = Arena.open(load_settings(config=config, environ={}), environ={})
    try:
        redis.stop()
        arena.open_battle("me", "While it is away")
        wait_until(lambda: _guards_did(arena) == {"shared limits not reachable": 1})
        redis.start()
        arena.open_battle("me", "It is back and knows of nothing")
        with pytest.raises(LimitReached, match="You have asked once in the last minute"):
            arena.open_battle("me", "And counts")
        wait_until(lambda: _guards_did(arena) == {"shared limits not reachable": 1, "prompt limit reached": 1})
    finally:
        arena.close()


def _guards_did(arena: Arena) -> object:
    arena._trust._kept = None  # else a report is half a minute old at times
    return arena.trust_report().guards
