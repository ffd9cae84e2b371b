import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, create_engine, select, update

from arena.domain import Vote
from arena.errors import StoreError
from arena.store import Store
from arena.store.schema import RatingRow
from arena.store.sqlite import SqliteDatabase, installed_driver
from arena.store.store import utc_now
from arena.store.writer import Writer
from leaderboard.ratings import EloSettings, elo_change
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk
from tests.arena.store.proving import MODELS, RecordProperty, play, stored_exactly

WRITERS = 8
VOTES_EACH = 25
COMPUTING_SECONDS = 0.002  # between reading and writing: else writers hardly meet where the disk is quick
ELO_SUM = 1000.0 * len(MODELS)

MakeEngine = Callable[[Path], Engine]


@pytest.mark.parametrize(
    "battles", [pytest.param(128, id="128"), pytest.param(6_400, id="6400", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("voters", [1, 4, 16, 64])
def test_however_many_vote_at_once_the_board_is_that_of_the_votes(
    battles: int, voters: int, store: Store, url: str
) -> None:
    Desk(store).enter(*MODELS)
    with ThreadPoolExecutor(voters) as pool:
        playing = [pool.submit(play_some, store, f"voter-{number}", battles // voters) for number in range(voters)]
        told = {vote.battle_id: (vote.seq, vote.verdict) for each in playing for vote in each.result()}
    elo_sum = store.read.verify().elo_sum
    store.close()

    assert len(told) == battles
    assert stored_exactly(url) == told
    assert elo_sum == pytest.approx(ELO_SUM, abs=1e-6)


def play_some(store: Store, label: str, battles: int) -> list[Vote]:
    rng = random.Random(label)
    return [play(store, f"{label}-{number}", rng) for number in range(battles)]


def test_writers_of_one_file_that_do_not_know_of_each_other_take_turns(store: Store, url: str, database: Path) -> None:
    battles = ready_battles(store)

    votes = vote_from_many_writers(database, battles, engine=engine_of_the_arena)

    assert len(votes) == WRITERS * VOTES_EACH
    assert stored_exactly(url).keys() == {battle_id for share in battles for battle_id in share}


def test_with_the_drivers_own_late_transactions_votes_would_be_refused(store: Store, url: str, database: Path) -> None:
    battles = ready_battles(store)

    votes = vote_from_many_writers(database, battles, engine=engine_of_the_driver)

    assert 0 < len(votes) < WRITERS * VOTES_EACH, "two writers drew one number"
    assert len(stored_exactly(url)) == len(votes), "which the database does not take twice"


def test_what_is_read_before_the_lock_would_be_lost(
    store: Store, database: Path, record_property: RecordProperty
) -> None:
    ready_battles(store)

    kept = move_elo_from_many_writers(database, engine=engine_of_the_arena)
    lost = move_elo_from_many_writers(database, engine=engine_of_the_driver)

    record_property("Elo lost", ELO_SUM - lost)
    assert kept == pytest.approx(ELO_SUM, abs=1e-6)
    assert abs(lost - ELO_SUM) > 1


def ready_battles(store: Store) -> Sequence[Sequence[str]]:
    """Battles that can be voted on, a share for each writer; the store is closed."""
    desk = Desk(store, names=MODELS)
    desk.enter()
    battles = [[desk.ready() for _ in range(VOTES_EACH)] for _ in range(WRITERS)]
    store.close()
    return battles


def vote_from_many_writers(database: Path, battles: Sequence[Sequence[str]], *, engine: MakeEngine) -> list[Vote]:
    """What was acknowledged to writers who each cast one vote after the other."""
    engines = [engine(database) for _ in battles]
    named = SqliteDatabase(database)
    writers = [Writer(each, database=named, clock=utc_now, lease_seconds=10, patience_seconds=8) for each in engines]
    with ThreadPoolExecutor(len(battles)) as pool:
        votes = [vote for cast in pool.map(vote_on_all, writers, battles) for vote in cast]
    for writer in writers:
        writer.close()
    for each in engines:
        each.dispose()
    return votes


def vote_on_all(writer: Writer, battles: Sequence[str]) -> list[Vote]:
    futures: list[Future[Vote]] = []
    for battle_id in battles:
        futures.append(writer.cast_vote(battle_id, "voter", Verdict.A))
        wait(futures[-1:], DEADLINE_SECONDS)
    refused = [error for future in futures if (error := future.exception()) is not None]
    assert {type(error) for error in refused} <= {StoreError}
    return [future.result() for future in futures if future.exception() is None]


def move_elo_from_many_writers(database: Path, *, engine: MakeEngine) -> float:
    """The sum of all Elo after transactions that read two ratings and write what one of them gains and one loses."""
    engines = [engine(database) for _ in range(WRITERS)]

    def move_some(number: int) -> None:
        rng = random.Random(number)
        for _ in range(VOTES_EACH):
            with engines[number].begin() as connection:
                move_elo(connection, *rng.sample(MODELS, 2))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(move_some, range(WRITERS)))
    with engines[0].connect() as connection:
        elo_sum = sum(connection.scalars(select(RatingRow.elo)))
    for each in engines:
        each.dispose()
    return float(elo_sum)


def move_elo(connection: Connection, winner: str, loser: str) -> None:
    elo = {row.model: row.elo for row in connection.execute(select(RatingRow.model, RatingRow.elo))}
    change = elo_change(elo[winner], elo[loser], 1.0, settings=EloSettings())
    Event().wait(COMPUTING_SECONDS)
    for model, now in ((winner, elo[winner] + change), (loser, elo[loser] - change)):
        connection.execute(update(RatingRow).where(RatingRow.model == model).values(elo=now))


def engine_of_the_arena(database: Path) -> Engine:
    return SqliteDatabase(database).writing_engine()


def engine_of_the_driver(database: Path) -> Engine:
    """One connection as the driver makes it, whose transactions begin with the first change."""
    return create_engine(
        f"sqlite:///{database}",
        module=installed_driver(),
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": DEADLINE_SECONDS},
    )
