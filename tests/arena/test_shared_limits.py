"""Several processes count together on a real Redis, and go on without it."""

import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from arena.domain import BattleState
from arena.errors import LimitReached
from arena.rate_limits import Act, RateLimits, Rates, Visitor
from arena.roles import Person, Role
from arena.service import Arena
from arena.settings import load_settings
from leaderboard import Verdict
from tests.fault_server import wait_until
from tests.redis_server import RedisServer

NOTHING = dict.fromkeys(Rates.__slots__, 0)
ROOT = Person(id="root", role=Role.ADMINISTRATOR, is_known=True)
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


def test_an_outage_is_told_while_it_lasts_and_logged_once_with_all_details(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    limits, _ = two_processes(redis, voter_votes_per_minute=9)
    caplog.set_level("INFO", "arena.rate_limits")
    before = limits.outage()

    redis.stop()
    noticed = limits.outage()
    for _ in range(3):
        limits.take(Act.VOTE, ME)
    told = limits.outage()
    redis.start()
    after = limits.outage()

    assert (before, after) == (None, None)
    assert noticed is not None
    assert told is not None
    assert (noticed.acts, told.acts) == (0, 3)
    assert noticed.since == told.since
    assert [record.exc_info is not None for record in caplog.records] == [True, *[False] * 4]
    assert "can be reached again" in caplog.records[-1].message


def test_a_redis_that_hangs_is_waited_for_once_not_by_each_who_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        limits = RateLimits(Rates(**{**NOTHING, "voter_votes_per_day": 5}), redis_url=url, patience_seconds=0.05)

        passed = how_many_pass(limits, ME, tries=7)
        asked = len(_waiting(silent))

    assert passed == 5
    assert limits.outages == 7
    assert asked == 1


def _waiting(server: socket.socket) -> list[socket.socket]:
    """Everybody who has knocked."""
    knocked: list[socket.socket] = []
    server.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            knocked.append(server.accept()[0])
    for each in knocked:
        each.close()
    return knocked


def test_a_redis_that_hung_is_asked_again_after_a_while(redis: RedisServer) -> None:
    bounds = Rates(**{**NOTHING, "voter_votes_per_day": 2})
    limits, other = (RateLimits(bounds, redis_url=redis.url, patience_seconds=0.5, rest_seconds=0.1) for _ in "ab")
    limits.take(Act.VOTE, ME)

    with redis.hanging():
        limits.take(Act.VOTE, ME)
        assert limits.outages == 1

    wait_until(lambda: _counts_together(limits))
    assert [passes(other, STRANGER), passes(limits, STRANGER), passes(other, STRANGER)] == [True, True, False]


def _counts_together(limits: RateLimits) -> bool:
    before = limits.outages
    limits.take(Act.VOTE, Visitor(f"somebody {before}"))
    return limits.outages == before


def test_an_arena_counts_that_redis_was_away_and_needs_no_restart(
    redis: RedisServer, tmp_path: Path, variables: Mapping[str, str]
) -> None:
    with arena_on(redis, tmp_path, variables, "[rates]\nvoter_prompts_per_minute = 1\n") as arena:
        redis.stop()
        arena.open_battle("me", "While it is away")
        wait_until(lambda: _guards_did(arena) == {"shared limits not reachable": 1})
        redis.start()
        arena.open_battle("me", "It is back and knows of nothing")
        with pytest.raises(LimitReached, match="You have asked once in the last minute"):
            arena.open_battle("me", "And counts")
        wait_until(lambda: _guards_did(arena) == {"shared limits not reachable": 1, "prompt limit reached": 1})


def test_redis_dies_in_mid_battle_and_nobody_but_the_administrator_notices(
    redis: RedisServer, tmp_path: Path, variables: Mapping[str, str]
) -> None:
    neighbour = RateLimits(Rates(**{**NOTHING, "voter_votes_per_day": 3}), redis_url=redis.url)
    with arena_on(redis, tmp_path, variables, "hold_seconds = 60\n[rates]\nvoter_votes_per_day = 3\n") as arena:
        before, held, later = (_answered(arena) for _ in range(3))
        arena.hold(before, "me", Verdict.A)
        arena.reveal_now(before, "me")
        arena.hold(held, "me", Verdict.B)

        redis.stop()
        arena.reveal_now(held, "me")
        meanwhile = _answered(arena)
        arena.hold(later, "me", Verdict.TIE)
        arena.reveal_now(later, "me")

        assert [arena.view(each, "me").reveal is not None for each in (before, held, later)] == [True] * 3
        assert arena.board().votes == 3
        assert arena.vitals.readiness().reasons == ()
        assert b'event="shared limits not reachable"} 2.0' in arena.vitals.metrics.text()
        wait_until(lambda: _guards_did(arena) == {"shared limits not reachable": 2})
        outage = arena.administration.usage(ROOT).rates_outage
        assert outage is not None
        assert outage.acts == 2

        redis.start()  # with nothing counted
        assert arena.administration.usage(ROOT).rates_outage is None
        together = [passes(neighbour, Visitor("me")) for _ in range(3)]
        with pytest.raises(LimitReached, match=r"You have voted 3 times in the last 24 hours\. Go on in 24 hours"):
            arena.hold(meanwhile, "me", Verdict.A)

        assert together == [True] * 3
        assert arena.view(meanwhile, "me").state is BattleState.READY
        assert arena.administration.verify(ROOT).votes == 3


def test_readings_during_an_outage_write_no_rows(
    redis: RedisServer, tmp_path: Path, variables: Mapping[str, str]
) -> None:
    redis.stop()
    with arena_on(redis, tmp_path, variables, "[rates]\nnetwork_reads_per_minute = 1\n") as arena:
        arena.admit_read("net")
        with pytest.raises(LimitReached):
            arena.admit_read("net")
        arena._store.write.count("the last").result()

        assert _guards_did(arena) == {"the last": 1}
        assert b'event="shared limits not reachable"} 2.0' in arena.vitals.metrics.text()


@contextmanager
def arena_on(redis: RedisServer, folder: Path, variables: Mapping[str, str], settings: str) -> Iterator[Arena]:
    """An arena of two models that counts in this Redis."""
    config = folder / "arena.toml"
    models = "".join(f"[[models]]\nname = '{n}'\nprovider = 'scripted'\nscript = {{ text = 'Hi' }}\n" for n in "xy")
    config.write_text(f"redis_url = '{redis.url}'\n{settings}{models}")
    arena = Arena.open(load_settings(config=config, environ=variables), environ=variables)
    try:
        yield arena
    finally:
        arena.close()


def _answered(arena: Arena) -> str:
    battle_id = arena.open_battle("me", "Hello?")
    wait_until(lambda: arena.view(battle_id, "me").state is BattleState.READY)
    return battle_id


def _guards_did(arena: Arena) -> object:
    arena._trust._kept = None  # else a report is half a minute old at times
    return arena.trust_report().guards
