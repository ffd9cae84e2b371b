"""Imported votes: loaded unseen, switched live at one stroke, kept apart from the live board, and read back whole."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.domain import BattleKind, ReplyStatus, Seats, Side
from arena.errors import ImportRefused, StoreCorrupt, UnknownSource
from arena.foreign import NAMED, Conversation, ForeignTally, ForeignVote
from arena.store import NewSource, SourceLoad, Store
from arena.store.sources import LOADING_LEASE, REMOVED_AT_ONCE
from arena.store.store import utc_now
from leaderboard import Game, Games, PairCounts
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk
from tests.arena.store.imported import RICH, START, TABLES, load, source, vote

ROOT = Path(__file__).parents[3]


# What goes in comes out


def test_imported_votes_are_read_back_whole(store: Store) -> None:
    loaded = load(store, RICH)

    read = list(store.read.source_votes("file"))
    assert loaded.votes == 4
    assert [each.line for each in read] == [1, 2, 3, 4]
    expected = [RICH[0]._replace(turns=None), RICH[1], RICH[2]._replace(turns=2), RICH[3]]
    assert [each._replace(line=1) for each in read] == expected


def test_a_source_says_where_it_comes_from(store: Store, clock: Clock) -> None:
    load(store, RICH)

    (found,) = store.read.sources()

    assert (found.name, found.format, found.sha256, found.votes) == ("file", "plain", "sum of file", 4)
    assert (found.imported_at, found.tallies_only) == (clock.now, False)


def test_votes_that_are_left_out_do_not_count(store: Store) -> None:
    load(store, RICH)

    assert len(store.read.source_games("file")) == 3
    assert store.read.source_counts("file").votes == 3


def test_games_come_by_time_then_in_file_order_those_without_a_time_first(store: Store) -> None:
    later, sooner = START + timedelta(hours=1), START
    votes = [
        vote("a", "b", cast_at=later),
        vote("a", "c", cast_at=sooner),
        vote("a", "d"),
        vote("a", "e", cast_at=later),
        vote("a", "f", cast_at=sooner),
        vote("a", "g"),
    ]
    load(store, votes)

    games = store.read.source_games("file")

    assert [games.names[seat] for seat in games.seat_b] == ["d", "g", "c", "f", "b", "e"]


def test_sources_are_rated_together_by_time(store: Store) -> None:
    load(store, [vote("x", "y", cast_at=START), vote("x", "z", cast_at=START + timedelta(days=2))], name="one")
    load(store, [vote("y", "x", Verdict.TIE, cast_at=START + timedelta(days=1))], name="two")

    games = store.read.source_games("two", "one")

    played = [Game("x", "y", Verdict.A), Game("y", "x", Verdict.TIE), Game("x", "z", Verdict.A)]
    expected = Games.from_votes(played, names=("x", "y", "z"))
    assert games.names == expected.names
    assert (games.seat_a.tolist(), games.verdicts.tolist()) == (expected.seat_a.tolist(), expected.verdicts.tolist())
    assert store.read.source_counts("one", "two").record("x", "y").battles == 2


def test_the_arena_is_a_source_too(desk: Desk, store: Store) -> None:
    desk.votes(20)
    load(store, [vote("ant", "new", cast_at=START)])

    games = store.read.source_games("file", "arena")

    assert len(games) == 21
    assert games.names[games.seat_b[0]] == "new", "2024 comes before 2026"
    assert len(store.read.source_games("arena")) == store.read.source_counts("arena").votes == 20


def test_the_arenas_own_games_keep_their_order_when_the_clock_steps_back(
    desk: Desk, store: Store, clock: Clock
) -> None:
    for verdict in (Verdict.A, Verdict.TIE, Verdict.B):
        desk.vote(verdict)
        clock.advance(hours=-1)

    codes = store.read.source_games("arena").verdicts.tolist()
    exported = list(store.read.source_votes("arena"))

    assert codes == [list(Verdict).index(verdict) for verdict in (Verdict.A, Verdict.TIE, Verdict.B)]
    assert [each.verdict for each in exported] == [Verdict.A, Verdict.TIE, Verdict.B]
    assert [each.cast_at for each in exported] == sorted(each.cast_at for each in exported if each.cast_at)


def test_the_arenas_own_games_keep_their_order_among_others_when_the_clock_steps_back(
    desk: Desk, store: Store, clock: Clock
) -> None:
    load(store, [vote("new", "old", cast_at=clock.now - timedelta(minutes=30))])
    for verdict in (Verdict.A, Verdict.TIE, Verdict.B):
        desk.vote(verdict)
        clock.advance(hours=-1)

    codes = store.read.source_games("arena", "file").verdicts.tolist()

    expected = (Verdict.A, Verdict.A, Verdict.TIE, Verdict.B)
    assert codes == [list(Verdict).index(verdict) for verdict in expected]


def test_games_and_counts_agree(store: Store) -> None:
    load(store, [vote(a, b, verdict) for a, b in ("ab", "ba", "bc") for verdict in Verdict for _ in range(3)])

    counts = PairCounts.from_games(store.read.source_games("file"))

    assert counts.names == store.read.source_counts("file").names
    assert (counts.wins == store.read.source_counts("file").wins).all()
    assert (counts.both_bad == store.read.source_counts("file").both_bad).all()


def test_counts_without_votes_make_a_source_of_tallies_only(store: Store) -> None:
    tallies = [ForeignTally(2, "a", "b", verdict, n) for n, verdict in enumerate(Verdict)]
    with SourceLoad(store.write, source(tallies_only=True)) as loading:
        loading.add_tallies(tallies)
        loaded = loading.publish(actor="tester")

    record = store.read.source_counts("file").record("a", "b")

    assert (loaded.votes, loaded.tallies_only) == (6, True)
    assert (record.wins_a, record.wins_b, record.ties, record.both_bad) == (0, 1, 2, 3)
    assert store.read.verify().sources == 1
    with pytest.raises(UnknownSource, match="holds counts, not votes"):
        store.read.source_games("file")


@pytest.mark.parametrize("ask", ["source_counts", "source_games"])
def test_a_source_that_is_not_there_is_named_with_those_there_are(store: Store, ask: str) -> None:
    load(store, RICH)

    with pytest.raises(UnknownSource, match="no source 'other'; known are arena, file"):
        getattr(store.read, ask)("file", "other")
    with pytest.raises(UnknownSource, match="no source 'other'"):
        list(store.read.source_votes("other"))


def test_no_source_at_all_gives_no_games(store: Store) -> None:
    assert len(store.read.source_games()) == 0
    assert len(store.read.source_games("arena")) == 0
    assert store.read.source_counts().names == ()


# The live board


def test_imported_votes_never_enter_the_live_board(desk: Desk, store: Store, clock: Clock) -> None:
    desk.votes(10)
    before = store.read.board(now=clock.now)

    load(store, [vote(cast_at=clock.now)] * 50)

    after = store.read.board(now=clock.now)
    assert after.version > before.version, "pages that show sources look again"
    assert (after.ratings, after.tallies, after.left_out) == (before.ratings, before.tallies, before.left_out)
    assert store.read.pair_counts().votes == 10
    assert len(store.read.votes()) == 10


def test_an_import_is_in_the_audit_log(store: Store) -> None:
    load(store, RICH)

    (entry,) = store.read.audit()

    assert (entry.actor, entry.action, entry.target) == ("tester", "source imported", "file")


def test_the_arenas_votes_are_told_with_what_was_said_and_without_who_said_it(desk: Desk, store: Store) -> None:
    battle = desk.open(seats=Seats("ant", "bee"), owner="secret", prompt="Why?")
    desk.finish(battle, Side.A, ReplyStatus.FAILED)
    desk.finish(battle, Side.B, text="B1")
    store.write.retry_reply(battle, "secret", Side.A, fingerprint="x").result()
    desk.finish(battle, Side.A, attempt=2, text="A1")
    store.write.add_turn(battle, "secret", "And?", fingerprints=dict.fromkeys(Side, "x")).result()
    for side in Side:
        desk.finish(battle, side, turn=2, text=f"{side.value}2")
    store.write.cast_vote(battle, "secret", Verdict.BOTH_BAD).result()
    desk.vote(owner="secret")
    desk.vote(owner="other")
    desk.vote(kind=BattleKind.AA, seats=Seats("ant", "ant"))
    store.write.exclude_votes([3], reason="farm", actor="root").result()

    first, second = store.read.source_votes("arena")

    assert first.conversation == Conversation(("Why?", "And?"), ("A1", "a2"), ("B1", "b2"))
    assert (first.model_a, first.model_b, first.verdict) == ("ant", "bee", Verdict.BOTH_BAD)
    assert (first.turns, first.id, first.voter, second.voter) == (2, "1", "voter-1", "voter-1")


# All or nothing


def test_nothing_is_seen_before_the_switch(store: Store, rows: Callable[[str], int]) -> None:
    version = store.read.board_version()
    with SourceLoad(store.write, source()) as loading:
        loading.add([vote()] * 9_000)
        store.write.renew_leases([]).result()  # behind what was queued

        assert store.read.sources() == ()
        assert store.read.board_version() == version
        assert rows("foreign_vote") > 0
        with pytest.raises(UnknownSource):
            store.read.source_counts("file")
        loading.publish(actor="tester")

    assert store.read.source_counts("file").votes == 9_000


def test_an_import_that_fails_leaves_nothing_behind(store: Store, rows: Callable[[str], int]) -> None:
    with pytest.raises(ImportRefused, match="bad row"):
        load_and_fail(store, RICH * 3_000, ImportRefused("bad row"))

    assert [rows(table) for table in TABLES] == [0] * len(TABLES)
    assert load(store, RICH).votes == 4


def load_and_fail(store: Store, votes: Sequence[ForeignVote], error: BaseException) -> None:
    with SourceLoad(store.write, source()) as loading:
        loading.add(votes)
        loading._load_tallies(keep=0)
        raise error


def test_many_votes_are_removed_in_steps(store: Store, rows: Callable[[str], int]) -> None:
    votes = [vote(cast_at=START + timedelta(hours=n)) for n in range(2 * REMOVED_AT_ONCE + 1)]

    with pytest.raises(KeyboardInterrupt):
        load_and_fail(store, votes, KeyboardInterrupt())

    assert [rows(table) for table in TABLES] == [0] * len(TABLES)


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        (source("other", sha256="sum of file"), "was imported as 'file' before: nothing was added"),
        (source(sha256="another"), "a source named 'file' already: .* --name"),
        (source("arena"), "a source named 'arena' already"),
    ],
)
def test_the_same_file_or_name_twice_is_refused(
    store: Store, rows: Callable[[str], int], again: NewSource, reason: str
) -> None:
    load(store, RICH)
    before = [rows(table) for table in TABLES]

    with pytest.raises(ImportRefused, match=reason), SourceLoad(store.write, again):
        pass

    assert [rows(table) for table in TABLES] == before


def test_votes_are_cast_while_a_file_is_loaded(desk: Desk, store: Store) -> None:
    with SourceLoad(store.write, source()) as loading:
        for _ in range(5):
            loading.add([vote()] * 5_000)
            desk.vote()
        loading.publish(actor="tester")

    assert (store.read.verify().votes, store.read.verify().sources) == (5, 1)


def test_two_files_can_be_loaded_at_once(store: Store) -> None:
    with SourceLoad(store.write, source("one")) as one, SourceLoad(store.write, source("two")) as two:
        for _ in range(3):
            one.add([vote()] * 3_000)
            two.add([vote("bee", "cat")] * 3_000)
        one.publish(actor="tester")
        two.publish(actor="tester")

    assert {found.name: found.votes for found in store.read.sources()} == {"one": 9_000, "two": 9_000}
    assert store.read.verify().sources == 2


def test_a_killed_import_leaves_nothing_that_is_seen_and_is_removed_at_the_next_start(
    store: Store, url: str, rows: Callable[[str], int]
) -> None:
    store.close()
    importer = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("importing_process.py"), url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
    )
    with importer:
        assert importer.stdout is not None
        assert importer.stdout.readline() == b"loading\n"
        importer.kill()
    assert rows("foreign_vote") > 0

    reopened = Store.open(url, clock=lambda: utc_now() + LOADING_LEASE)  # on a server it might only have paused
    assert reopened.read.sources() == ()
    reopened.write.discard_unfinished_sources().result(30)
    left = [rows(table) for table in TABLES]
    loaded = load(reopened, RICH)
    reopened.close()

    assert left == [0] * len(TABLES)
    assert loaded.votes == 4


def test_what_an_import_on_a_closed_store_leaves_is_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with SourceLoad(store.write, source()) as loading:
        loading.add(RICH)
        store.close()

    assert "still to be removed" in caplog.text


# Tallies


def test_tallies_are_kept_by_day_and_category(store: Store, database: Path) -> None:
    load(store, RICH)

    with sqlite3.connect(database) as connection:
        stored = set(connection.execute("SELECT * FROM tally"))
    connection.close()

    assert stored == {
        ("file", "2024-05-01", 0, 0, 0, 0, "de", "", "ant", "bee", "a", 1),
        ("file", "2024-05-02", 0, 0, 0, 0, "und", "", "ant", "bee", "b", 1),
        ("file", "", 1, 0, 1, 1, "und", "", "bee", "cat", "both_bad", 1),
        ("file", "", 0, 0, 0, 0, "und", "named", "cat", "ant", "tie", 1),
    }


def test_tallies_that_do_not_fit_into_memory_are_added_up(store: Store) -> None:
    with SourceLoad(store.write, source()) as loading:
        for _ in range(3):
            loading.add(RICH * 1_000)
            loading._load_tallies(keep=0)
        loading.publish(actor="tester")

    assert store.read.verify().sources == 1
    assert store.read.source_counts("file").votes == 9_000


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE tally SET n = n + 1 WHERE day = '2024-05-02'", "tally"),
        ("DELETE FROM tally WHERE day = '2024-05-02'", "tally"),
        ("UPDATE foreign_vote SET verdict = 'b' WHERE position = 0", "tally"),
        ("UPDATE foreign_vote SET left_out = NULL", "tally"),
        ("UPDATE foreign_vote SET cast_at_us = 1000000000000000 WHERE position = 1", "tally"),
        ("UPDATE foreign_vote SET model_b = 3 WHERE position = 0", "0 for the tally .'2024-05-01'.* 'ant', 'cat'"),
        ("UPDATE foreign_vote SET model_b = 99 WHERE position = 0", "0 for the tally .'2024-05-01'.* 'ant', None"),
        ("UPDATE source SET votes = 7", "the votes of 'file'"),
        ("DELETE FROM foreign_vote WHERE position = 0", "the votes of 'file'"),
        ("INSERT INTO tally VALUES ('file', '', 0, 0, 0, 0, 'und', '', 'a', 'b', 'a', 1)", "the sum of the tallies"),
    ],
)
def test_a_tampered_import_is_found(store: Store, database: Path, statement: str, named: str) -> None:
    load(store, RICH)
    store.read.verify()
    with sqlite3.connect(database) as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()

    with pytest.raises(StoreCorrupt, match=named):
        store.read.verify()


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'arena.db'}")
    yield store
    store.close()


foreign = st.builds(
    vote,
    st.sampled_from("abc"),
    st.sampled_from("def"),
    st.sampled_from(list(Verdict)),
    cast_at=st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    language=st.none() | st.sampled_from(["en", "de"]),
    left_out=st.none() | st.just(NAMED),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(votes=st.lists(foreign, max_size=60))
def test_any_votes_verify_and_keep_their_number(shared: Store, votes: list[ForeignVote]) -> None:
    name = f"file-{len(shared.read.sources())}"

    load(shared, votes, name=name)

    shared.read.verify()
    counted = [each for each in votes if each.left_out is None]
    assert len(shared.read.source_games(name)) == len(counted)
    assert shared.read.source_counts(name).votes == len(counted)
