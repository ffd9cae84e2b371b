import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import psycopg
import pytest
from postgresql_server import REMEDY, PostgresServer, binaries
from sqlalchemy import event

from arena.domain import Vote
from arena.store import Store
from arena.store.engine import database_of
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Desk
from tests.arena.store.proving import MODELS, RecordProperty, Witness, as_stored, store_on, stored_exactly
from tests.killing import lines_until_killed

VOTERS = 16
PROCESSES = 4


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that this test may kill."""
    found = binaries()
    if found is None:
        pytest.skip(REMEDY)
    server = PostgresServer(found)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def url(server: PostgresServer) -> str:
    """A database with models and without votes."""
    url = server.url(server.create())
    store = Store.open(url)
    Desk(store).enter(*MODELS)
    store.close()
    return url


@pytest.fixture(autouse=True)
def _without_what_an_interrupted_store_says(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(
    "kills", [pytest.param(2, id="twice"), pytest.param(10, id="10 times", marks=pytest.mark.slow)]
)
def test_no_acknowledged_vote_is_lost_when_postgresql_is_killed(
    kills: int, server: PostgresServer, url: str, record_property: RecordProperty
) -> None:
    with store_on(database_of(url)) as (store, _):
        votes = vote_while_the_server_dies(store, server, server.kill, times=kills)

    record_property("acknowledged", len(votes))
    assert as_stored(votes).items() <= stored_exactly(url).items()


def test_voting_goes_on_by_itself_when_postgresql_was_restarted(server: PostgresServer, url: str) -> None:
    with store_on(database_of(url)) as (store, _):
        votes = vote_while_the_server_dies(store, server, server.stop, times=1)

    assert as_stored(votes).items() <= stored_exactly(url).items()


def test_without_waiting_for_its_log_acknowledged_votes_are_lost(
    server: PostgresServer, url: str, record_property: RecordProperty
) -> None:
    lost = kills = 0
    while lost == 0 and kills < 10:
        with store_on(database_of(url)) as (store, writing):
            event.listen(writing, "connect", commit_without_waiting)
            votes = vote_while_the_server_dies(store, server, server.kill, times=1)
        lost += len(as_stored(votes).items() - stored_exactly(url).items())
        kills += 1

    record_property("acknowledged and lost", lost)
    assert lost > 0, "the kills above could have lost some, too"


def test_four_processes_of_sixteen_voters_leave_the_board_that_a_replay_gives(
    url: str, record_property: RecordProperty
) -> None:
    script = Path(__file__).with_name("playing_process.py")

    def play(number: int) -> Mapping[str, tuple[int, Verdict]]:
        told = lines_until_killed(script, url, f"process-{number}", VOTERS, after=50, begins="voting")
        return {battle_id: (int(seq), Verdict(verdict)) for battle_id, seq, verdict in told}

    with ThreadPoolExecutor(PROCESSES) as pool:
        acknowledged = {key: value for told in pool.map(play, range(PROCESSES)) for key, value in told.items()}

    record_property("acknowledged", len(acknowledged))
    assert acknowledged.items() <= stored_exactly(url).items()
    assert len(acknowledged) >= PROCESSES * 50


def vote_while_the_server_dies(
    store: Store, server: PostgresServer, end: Callable[[], None], *, times: int
) -> Mapping[str, Vote]:
    """What was acknowledged; after each end of the server the same voters vote on."""
    rng = Random()
    witness = Witness(store, voters=VOTERS, label=f"{rng.random()}", patient=True)
    try:
        for _ in range(times):
            witness.wait_for_more(rng.randrange(1, 60))
            end()
            server.start()
        witness.wait_for_more(VOTERS)
    finally:
        witness.stop()
    return witness.acknowledged


def commit_without_waiting(connection: psycopg.Connection, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    connection.commit()
