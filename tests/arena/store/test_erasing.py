import random
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.domain import BattleState, Reply, ReplyStatus, Seats, Side, short_voter
from arena.errors import StoreError, UnknownBattle, UnknownVoter
from arena.selection import EVERYTHING
from arena.store import NewBattle, Spending, Store
from arena.store.engine import database_of
from arena.store.packing import pack
from arena.store.sqlite import SqliteDatabase
from arena.store.traces import KEPT_BY_POSTGRESQL, mark, rewrite
from arena.sweeps import Sweeps
from leaderboard.integrity import Risk
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk

MARKER = "Cinderella's own words"
PIECE = 16
SEATS = Seats("ant", "bee")


@pytest.fixture
def change(url: str) -> Callable[[str], None]:
    def run(statement: str) -> None:
        engine = database_of(url).writing_engine()
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    return run


def _styles(store: Store) -> list[object]:
    styles = store.read.selected_votes(EVERYTHING, with_styles=True).styles
    assert styles is not None
    return [getattr(styles, name).tolist() for name in styles.__slots__]


def _erase(store: Store, voter: str = "voter") -> None:
    store.write.erase_voter(voter, actor="administrator").result(DEADLINE_SECONDS)


def _copies(folder: Path, marker: str = MARKER) -> int:
    return sum(file.read_bytes().count(marker.encode()) for file in folder.rglob("*") if file.is_file())


def _pieces(folder: Path, packed: list[bytes]) -> int:
    """How many pieces of compressed answers are in any file."""
    pieces = {each[at : at + PIECE] for each in packed for at in range(PIECE, len(each) - PIECE, PIECE)}
    contents = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return sum(content[at : at + PIECE] in pieces for content in contents for at in range(len(content)))


def _battles(desk: Desk, owners: dict[str, str]) -> list[bytes]:
    """Battles of 200 to 1,000 stored bytes an answer, many at once: SQLite moves them about from page to page.

    The voter's answers, compressed.
    """
    rng = random.Random(11)
    waiting: list[Future[Any]] = []
    endings: list[tuple[str, Side, str]] = []
    write = desk.store.write
    for battle_id, owner in owners.items():
        words = MARKER if owner == "voter" else "somebody else's words"
        new = NewBattle(
            id=battle_id,
            conversation_id=battle_id,
            seats=SEATS,
            owner=owner,
            prompt=words * rng.randint(1, 20),
            fingerprints=dict.fromkeys(Side, ""),
        )
        waiting.append(write.open_battle(new))
        endings += [(battle_id, side, words + rng.randbytes(rng.randint(200, 900)).hex()) for side in Side]
    rng.shuffle(endings)
    for battle_id, side, text in endings:
        reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text=text)
        waiting.append(write.finish_reply(battle_id, reply))
    waiting += [write.cast_vote(battle_id, owner, rng.choice(list(Verdict))) for battle_id, owner in owners.items()]
    assert not wait(waiting, DEADLINE_SECONDS).not_done
    return [pack(text).packed or b"" for battle_id, _, text in endings if owners[battle_id] == "voter"]


def test_nothing_of_the_text_is_left_in_any_file(desk: Desk, store: Store, database: Path) -> None:
    rng = random.Random(5)
    packed = _battles(
        desk, {f"{rng.getrandbits(64):016x}": rng.choice(("voter", "other", "third")) for _ in range(300)}
    )
    assert _copies(database.parent) > 0
    assert _pieces(database.parent, packed) > 0

    _erase(store)

    assert _copies(database.parent) == _pieces(database.parent, packed) == 0
    assert _copies(database.parent, "somebody else's words") > 0


def test_the_votes_stay_and_nothing_is_rated_otherwise(desk: Desk, store: Store, clock: Clock) -> None:
    desk.votes(50)
    desk.vote(owner="other")
    before = store.read.board(now=clock.now)
    styles = _styles(store)
    figures = store.read.verify()

    _erase(store)

    assert store.read.board(now=clock.now).ratings == before.ratings
    assert _styles(store) == styles
    assert store.read.verify() == figures


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("place", ["battle.owner", "conversation.owner", "vote.voter", "voter.id", "budget.scope"])
def test_no_row_names_the_voter(store: Store, url: str, place: str) -> None:
    spending = dict.fromkeys(Side, Spending(tokens=10))
    new = replace(_new("battle"), reserved=spending, network="hash", prompt_key=7)
    store.write.open_battle(new).result(DEADLINE_SECONDS)

    _erase(store)

    table, column = place.split(".")
    engine = database_of(url).reading_engine()
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {column} FROM {table}").scalars().all()
        traces = connection.exec_driver_sql("SELECT network, prompt_key FROM battle").all()
    engine.dispose()
    assert [row for row in rows if row is not None and "voter" in row] == []
    assert traces == [(None, None)]


def test_an_answer_on_its_way_is_not_stored_any_more(desk: Desk, store: Store, database: Path) -> None:
    battle_id = desk.open()
    desk.finish(battle_id, Side.A, text=MARKER)

    _erase(store)
    state = desk.finish(battle_id, Side.B, text=MARKER)

    assert state is BattleState.STUCK
    assert desk.battle(battle_id).turns[0].replies[Side.B].status is ReplyStatus.INTERRUPTED
    assert _copies(database.parent) == 0


def test_nobody_can_vote_on_an_erased_voters_battle(desk: Desk, store: Store) -> None:
    battle_id = desk.ready()

    _erase(store)

    for owner in ("voter", ""):
        with pytest.raises(UnknownBattle):
            store.write.cast_vote(battle_id, owner, Verdict.A).result(DEADLINE_SECONDS)


def test_the_audit_log_tells_of_it_without_the_voter(desk: Desk, store: Store) -> None:
    desk.vote()
    store.write.trust_voter("voter", trusted=True, actor="administrator").result(DEADLINE_SECONDS)
    desk.vote(owner="other")
    store.write.trust_voter("other", trusted=True, actor="administrator").result(DEADLINE_SECONDS)

    _erase(store)

    log = store.read.audit()
    assert [(entry.action, entry.target) for entry in log if entry.action != "model added"] == [
        ("voter trusted", "erased voter"),
        ("voter trusted", short_voter("other")),
        ("voter erased", "erased voter"),
    ]
    assert log[-1].after == '{"battles": 1, "votes": 1, "redacted entries": [5]}'
    assert store.read.verify().votes == 2


def test_a_stranger_cannot_be_erased(desk: Desk, store: Store) -> None:
    desk.vote()
    before = store.read.audit()

    with pytest.raises(UnknownVoter, match="nothing was erased"):
        _erase(store, "stranger")

    assert store.read.audit() == before


def test_what_was_erased_is_said(desk: Desk, store: Store, engine_name: str) -> None:
    desk.votes(3)
    desk.open()

    erased = store.write.erase_voter("voter", actor="administrator").result(DEADLINE_SECONDS)

    assert (erased.battles, erased.votes) == (4, 3)
    assert erased.kept == (None if engine_name == "sqlite" else KEPT_BY_POSTGRESQL)


def test_answers_that_nobody_had_counted_are_counted_before_they_go(
    desk: Desk, store: Store, change: Callable[[str], None]
) -> None:
    desk.vote()
    counted = _styles(store)
    change("UPDATE reply SET length = NULL, headings = NULL, lists = NULL, bold = NULL")

    _erase(store)

    assert _styles(store) == counted


def test_words_that_gave_a_model_away_go_and_that_they_did_stays(
    desk: Desk, store: Store, clock: Clock, database: Path
) -> None:
    battle_id = desk.open(seats=SEATS)
    told = Reply(turn=1, side=Side.A, attempt=1, status=ReplyStatus.OK, text="I am Ant.", leaked=(MARKER,))
    store.write.finish_reply(battle_id, told).result(DEADLINE_SECONDS)
    desk.finish(battle_id, Side.B)
    store.write.cast_vote(battle_id, "voter", Verdict.A).result(DEADLINE_SECONDS)

    _erase(store)

    assert _copies(database.parent) == 0
    [ant, *_] = store.read.trust_figures(now=clock.now).attempts
    assert ant.leaked == 1


def test_what_was_broken_off_is_finished_by_the_next_opening(
    desk: Desk, url: str, database: Path, change: Callable[[str], None]
) -> None:
    battle_id = desk.ready(prompt=MARKER)
    desk.store.close()
    change("UPDATE battle SET owner = NULL")
    change("PRAGMA user_version = 1")
    assert _copies(database.parent) > 0

    with closing(Store.open(url)) as store:
        store.write.finish_erasures().result(DEADLINE_SECONDS)

        found = store.read.battle(battle_id)
        assert found is not None
        assert found.turns[0].prompt == ""
        assert _copies(database.parent) == 0


def test_answers_of_others_live_through_the_rewriting_of_the_file(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote()
    other = desk.open(owner="other")
    with desk.writer_held():
        erasing = store.write.erase_voter("voter", actor="administrator")
    erasing.result(DEADLINE_SECONDS)
    clock.advance(seconds=9)

    assert store.write.interrupt_expired().result(DEADLINE_SECONDS) == 0
    assert desk.battle(other).state is BattleState.STREAMING


def test_a_reader_that_never_ends_is_named_and_the_file_stays_marked(desk: Desk, store: Store, database: Path) -> None:
    desk.vote()
    store.close()
    writing, reading = SqliteDatabase(database).writing_engine(), SqliteDatabase(database).reading_engine()
    with writing.begin() as connection:
        mark(connection)
        connection.exec_driver_sql("UPDATE turn SET prompt = ''")
    with writing.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")  # the pool has only this connection

    with reading.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM turn").scalar()
        with pytest.raises(StoreError, match="another program reads it all the time"):
            rewrite(writing)

    assert rewrite(writing) is True
    assert rewrite(writing) is False
    writing.dispose()
    reading.dispose()


def test_a_file_that_cannot_be_written_anew_says_why(desk: Desk, database: Path) -> None:
    desk.store.close()
    writing = SqliteDatabase(database).writing_engine()
    with writing.begin() as connection:
        mark(connection)
    with writing.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = 1")

    with pytest.raises(StoreError, match="readonly database"):
        rewrite(writing)

    writing.dispose()


def test_a_voter_with_many_battles_is_erased_in_steps(desk: Desk, store: Store, rows: Callable[[str], int]) -> None:
    desk.votes(250)

    _erase(store)

    assert rows("turn WHERE prompt <> ''") == rows("reply WHERE text <> ''") == 0
    assert rows("battle") == 250


def test_a_sweep_leaves_the_votes_of_erased_voters_as_they_are(desk: Desk, store: Store) -> None:
    desk.votes(10)
    store.write.settle_sweep(hold={3: Risk()}, release=frozenset(), alarms={}).result(DEADLINE_SECONDS)
    held = store.read.selected_votes(EVERYTHING).left_out

    _erase(store)
    Sweeps(store, hold_above=0.5, seconds=60).sweep()

    assert dict(store.read.selected_votes(EVERYTHING).left_out) == dict(held) != {}


def _new(battle_id: str) -> NewBattle:
    return NewBattle(
        id=battle_id,
        conversation_id=battle_id,
        seats=SEATS,
        owner="voter",
        prompt=MARKER,
        fingerprints=dict.fromkeys(Side, ""),
    )


def test_the_sessions_of_an_erased_voter_end_and_name_nobody(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote()
    store.write.admin.begin_login("session", "voter").result(DEADLINE_SECONDS)

    _erase(store)

    session = store.read.admin.session("session")
    assert session is not None
    assert (session.person, session.ended_at) == ("erased voter", clock.now)
