import logging
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from arena.store import Store
from arena.store.sqlite import SqliteDatabase
from leaderboard.verdicts import Verdict
from tests.apsw_driver import ApswDriver
from tests.arena.store.conftest import Desk
from tests.arena.store.proving import MODELS, RecordProperty, Witness, as_stored, store_on, stored_exactly
from tests.fault_server import wait_until
from tests.simulated_disk import SimulatedDisk

VOTERS = 8
CHAIN = 10  # cuts that one database lives through


@pytest.fixture
def new_database(tmp_path: Path) -> Path:
    """A database with models and without votes, closed."""
    path = tmp_path / "new" / "arena.db"
    store = Store.open(f"sqlite:///{path}")
    Desk(store).enter(*MODELS)
    store.close()
    return path


@pytest.fixture(autouse=True)
def _without_what_a_dying_store_says(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(
    "cuts", [pytest.param(20, id="20 cuts"), pytest.param(200, id="200 cuts", marks=pytest.mark.slow)]
)
def test_no_acknowledged_vote_is_lost_when_the_power_fails(
    cuts: int, new_database: Path, tmp_path: Path, record_property: RecordProperty
) -> None:
    total = 0
    for chain in range(cuts // CHAIN):
        database = new_database
        acknowledged: dict[str, tuple[int, Verdict]] = {}
        for cut in range(chain * CHAIN, (chain + 1) * CHAIN):
            database, votes = vote_until_the_power_fails(database, tmp_path / f"after-{cut}", seed=cut)
            acknowledged |= votes

            assert acknowledged.items() <= stored_exactly(f"sqlite:///{database}").items()
        total += len(acknowledged)

    record_property("acknowledged", total)
    assert total > 10 * cuts, "there were votes to lose"


def test_without_waiting_for_the_disk_acknowledged_votes_are_lost(
    new_database: Path, tmp_path: Path, record_property: RecordProperty
) -> None:
    lost = 0
    for cut in range(5):
        database, votes = vote_until_the_power_fails(
            new_database, tmp_path / f"after-{cut}", seed=cut, synchronous="NORMAL"
        )
        lost += len(votes.items() - stored_exactly(f"sqlite:///{database}").items())

    record_property("acknowledged and lost", lost)
    assert lost > 0, "the cuts above could have lost some, too"


def vote_until_the_power_fails(
    database: Path, folder: Path, *, seed: int, synchronous: str = "FULL"
) -> tuple[Path, dict[str, tuple[int, Verdict]]]:
    """The database as the disk holds it after the cut, in another folder, and the votes acknowledged before."""
    rng = Random(seed)
    disk = SimulatedDisk(f"disk-{folder}", cut_after=rng.randrange(50, 1_500))
    with store_on(SqliteDatabase(database, ApswDriver(disk.name))) as (store, writing):
        # Small steps between checkpoints, so that many cuts fall into one.
        pragmas = f"PRAGMA wal_autocheckpoint = {rng.choice((5, 50, 1_000))}; PRAGMA synchronous = {synchronous}"
        event.listen(writing, "connect", lambda connection, _record: connection.execute(pragmas))
        witness = Witness(store, voters=VOTERS, label=f"cut-{seed}")
        wait_until(lambda: disk.dark.is_set() or witness.has_ended())
        store.close()
        witness.stop()
    assert disk.dark.is_set()
    disk.unregister()
    folder.mkdir()
    disk.save(folder, rng)
    return folder / database.name, as_stored(witness.acknowledged)
