"""An imported source goes as it came: at one stroke for readers, in short steps for the database."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from arena.errors import StoreError, UnknownSource
from arena.foreign import Conversation, ForeignTally
from arena.selection import Selection
from arena.store import SourceLoad, Store, sources
from arena.store.queue import Job
from arena.store.sources import REMOVED_AT_ONCE, TALLIES_AT_ONCE, TEXTS_AT_ONCE, VOTES_TO_SEARCH
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk
from tests.arena.store.imported import RICH, START, TABLES, load, source, vote

ROOT = Path(__file__).parents[3]
Rows = Callable[[str], int]


def remove(store: Store, name: str = "file") -> None:
    store.write.remove_source(name, actor="tester").result(DEADLINE_SECONDS)


def test_a_removed_source_leaves_nothing_but_an_audit_entry(store: Store, rows: Rows) -> None:
    load(store, RICH)
    version = store.read.board_version()

    remove(store)

    _, entry = store.read.audit()
    assert [rows(table) for table in TABLES] == [0] * len(TABLES)
    assert store.read.board_version() > version, "pages that show sources look again"
    assert (entry.actor, entry.action, entry.target) == ("tester", "source removed", "file")
    assert json.loads(entry.before or "") == {"format": "plain", "votes": 4, "sha256": "sum of file"}
    assert store.read.verify().sources == 0


def test_other_sources_and_the_live_board_stay_as_they_are(desk: Desk, store: Store, clock: Clock, rows: Rows) -> None:
    desk.votes(10)
    load(store, RICH, name="kept")
    before, kept = store.read.board(now=clock.now), list(store.read.source_votes("kept"))
    load(store, [vote("ant", "yak", cast_at=START), vote("zebra", "bee")], name="file")

    remove(store)

    after = store.read.board(now=clock.now)
    assert (after.ratings, after.tallies) == (before.ratings, before.tallies)
    assert list(store.read.source_votes("kept")) == kept
    assert rows("foreign_model") == 3, "ant, bee and cat; nobody names yak and zebra any more"
    assert store.read.verify().sources == 1


def test_models_stay_while_a_file_is_loaded_that_may_name_them(store: Store, rows: Rows) -> None:
    load(store, [vote("yak", "zebra")])
    with SourceLoad(store.write, source("next")) as loading:
        loading._number(["yak"])
        remove(store)
        loading.add([vote("yak", "ant")])
        loading.publish(actor="tester")

    assert store.read.source_counts("next").names == ("ant", "yak")
    assert rows("foreign_model") == 3
    assert store.read.verify().sources == 1


def test_models_stay_when_looking_for_their_votes_would_take_long(store: Store, rows: Rows) -> None:
    load(store, [vote()] * (VOTES_TO_SEARCH + 1), name="large")
    load(store, [vote("yak", "zebra")])

    remove(store)

    assert rows("foreign_model") == 4
    assert rows("source") == 1


def test_a_source_of_counts_can_be_removed(store: Store, rows: Rows) -> None:
    pairs = [(f"m{i}", f"m{j}") for i in range(60) for j in range(i)]
    with SourceLoad(store.write, source(tallies_only=True)) as loading:
        loading.add_tallies([ForeignTally(1, a, b, verdict, 7) for a, b in pairs for verdict in (Verdict.A, Verdict.B)])
        loading.publish(actor="tester")
    assert rows("tally") > TALLIES_AT_ONCE

    remove(store)

    assert [rows(table) for table in TABLES] == [0] * len(TABLES)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nobody", "There is no source 'nobody'; known are file, second. Nothing was removed."),
        ("arena", "The arena's own votes are no imported source; known are file, second. Nothing was removed."),
    ],
)
def test_what_is_no_imported_source_is_refused_with_those_there_are(store: Store, name: str, reason: str) -> None:
    load(store, RICH)
    load(store, RICH, name="second")
    version = store.read.board_version()

    with pytest.raises(UnknownSource) as refused:
        remove(store, name)

    assert str(refused.value) == reason
    assert store.read.board_version() == version
    assert len(store.read.sources()) == 2


def test_without_any_source_the_refusal_says_so(store: Store) -> None:
    with pytest.raises(UnknownSource, match="no source 'nobody'; nothing has been imported"):
        remove(store, "nobody")


def test_a_source_is_hidden_at_once_and_votes_are_cast_between_the_steps(desk: Desk, store: Store, rows: Rows) -> None:
    said = Conversation(("Why?",), ("A",), ("B",))
    votes = [vote(cast_at=START + timedelta(hours=n), conversation=said) for n in range(2 * TEXTS_AT_ONCE + 1)]
    load(store, [*votes, *[vote()] * (2 * REMOVED_AT_ONCE)])
    ready = desk.ready()
    with desk.writer_held():
        removed = store.write.remove_source("file", actor="tester")
        cast = store.write.cast_vote(ready, "voter", Verdict.A)
    cast.result(DEADLINE_SECONDS)

    hidden, left = store.read.sources(), rows("foreign_vote")
    removed.result(DEADLINE_SECONDS)

    assert (hidden, left > 0) == ((), True)
    assert [rows(table) for table in TABLES[:-1]] == [0] * len(TABLES[:-1])
    assert store.read.verify().votes == 1


@pytest.fixture
def half_removed(store: Store, url: str) -> Store:
    """A store, opened anew, whose source "file" was being removed when the process before it was killed."""
    load(store, [vote(cast_at=START)] * (3 * REMOVED_AT_ONCE))
    store.close()
    remover = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("removing_process.py"), url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
    )
    with remover:
        assert remover.stdout is not None
        assert remover.stdout.readline() == b"removing\n"
        remover.kill()
    return Store.open(url)


def test_a_killed_removal_is_finished_at_the_next_opening(half_removed: Store, rows: Rows) -> None:
    seen = half_removed.read.sources()
    half_removed.write.discard_unfinished_sources().result(DEADLINE_SECONDS)
    left = [rows(table) for table in TABLES]
    half_removed.close()

    assert seen == ()
    assert left == [0] * len(TABLES)


def test_the_file_can_come_again_after_a_killed_removal(half_removed: Store) -> None:
    again = load(half_removed, RICH)
    left = half_removed.read.verify().sources
    half_removed.close()

    assert (again.votes, left) == (4, 1)


def test_a_store_that_is_closed_meanwhile_leaves_the_rest_to_the_next_opening(
    store: Store, url: str, rows: Rows
) -> None:
    load(store, [vote()] * (3 * REMOVED_AT_ONCE))
    removed = store.write.remove_source("file", actor="tester")
    store.close()

    with pytest.raises(StoreError, match="closed"):
        removed.result(DEADLINE_SECONDS)
    assert rows("foreign_vote") > 0
    reopened = Store.open(url)
    reopened.write.discard_unfinished_sources().result(DEADLINE_SECONDS)
    left = [rows(table) for table in TABLES]
    reopened.close()
    assert left == [0] * len(TABLES)


def test_a_removal_that_failed_is_finished_by_the_same_process_too(store: Store, rows: Rows) -> None:
    load(store, RICH)
    hide = Job(run=lambda connection, now: sources.hide(connection, "file", actor="tester", now=now))
    store.write._queue.submit(hide).result(DEADLINE_SECONDS)

    load(store, RICH[:1], name="next")

    assert rows("source") == rows("foreign_vote") == 1


# What is not live is not seen, wherever one looks


def test_the_tallies_of_a_source_that_is_not_live_are_not_seen(store: Store) -> None:
    load(store, [vote(cast_at=START, language="de")])
    everything = Selection(sources=frozenset({"file"}))
    with SourceLoad(store.write, source("next")) as loading:
        loading.add([vote("yak", "zebra", cast_at=START + timedelta(days=9), language="fr")])
        loading._load(loading._waiting)
        loading._load_tallies(keep=0)

        facets = store.read.facets()
        unseen = store.read.selected_votes(Selection(sources=frozenset({"next"})))
        days = store.read.votes_per_day(Selection(sources=frozenset({"next"})))

    assert (facets.sources, facets.languages) == (("arena", "file"), ("de",))
    assert (facets.first_day, facets.last_day) == (START.date(), START.date())
    assert (unseen.tallies, dict(unseen.left_out), days) == ((), {}, ())
    assert len(store.read.selected_votes(everything).tallies) == 1
