"""The imported part of a selection is summed once, and anew whenever its files change; the arena's own part always."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from arena.domain import ReplyStatus, Side
from arena.enrichment import fill_in
from arena.foreign import NAMED, Conversation
from arena.kept_votes import KEPT, KeptLosses, KeptVotes
from arena.selection import ARENA, Selection
from arena.store import SelectedVotes, Store
from leaderboard.games import Tally
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk
from tests.arena.store.imported import START, load, vote

FILE = Selection(sources=frozenset({"file"}))
BOTH = Selection(sources=frozenset({"file", ARENA}))
VOTES = [
    *[vote("ant", "bee", Verdict.A, cast_at=START + timedelta(days=i), language="de") for i in range(5)],
    vote("ant", "yak", Verdict.TIE, language="en"),
    vote("ant", "yak", left_out=NAMED),
]


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as opened:
        Desk(opened).enter()
        yield opened


@pytest.fixture
def reader(store: Store) -> KeptVotes:
    return KeptVotes(store.read)


def read(reader: KeptVotes, selection: Selection) -> SelectedVotes:
    return reader.selected(selection, in_order=False, with_styles=False)


def sums(votes: SelectedVotes) -> Counter[tuple[str, str, Verdict]]:
    counted: Counter[tuple[str, str, Verdict]] = Counter()
    for tally in votes.tallies:
        counted[tally.model_a, tally.model_b, tally.verdict] += tally.n
    return counted


@pytest.mark.parametrize("sources", [{"file"}, {"arena"}, {"file", "arena"}, {"file", "second"}, {"nobody"}, set()])
@pytest.mark.parametrize(
    "filters", [{}, {"language": "de"}, {"until": START.date()}, {"with_left_out": True}, {"without_ties": True}]
)
def test_it_reads_what_the_database_sums(
    store: Store, reader: KeptVotes, sources: set[str], filters: dict[str, object]
) -> None:
    Desk(store).votes(20)
    load(store, VOTES)
    load(store, VOTES[:2], name="second")
    fill_in(store)
    selection = replace(Selection(sources=frozenset(sources)), **filters)  # type: ignore[arg-type]

    for _ in range(2):  # the second time from what is kept
        kept, direct = read(reader, selection), store.read.selected_votes(selection)

        assert sums(kept) == sums(direct)
        assert replace(kept, tallies=()) == replace(direct, tallies=())


def test_a_vote_does_not_sum_the_files_again(store: Store, reader: KeptVotes) -> None:
    load(store, VOTES)
    fill_in(store)
    first = read(reader, BOTH)

    Desk(store).votes(3)
    second = read(reader, BOTH)

    assert second.version > first.version
    assert sum(sums(second).values()) == sum(sums(first).values()) + 3
    assert reader._imported(FILE) is reader._imported(FILE)


def test_a_source_whose_texts_are_still_to_be_read_is_not_kept(store: Store, reader: KeptVotes) -> None:
    said = Conversation(("Bitte erkläre mir, wie ein Kühlschrank funktioniert.",), ("A",), ("B",))
    load(store, [vote(conversation=said)])
    german = replace(FILE, language="de")
    before = read(reader, german)

    fill_in(store)

    assert (before.tallies, len(read(reader, german).tallies)) == ((), 1)


def test_another_file_under_the_same_name_is_read_anew(store: Store, reader: KeptVotes) -> None:
    load(store, [vote("ant", "bee")])
    fill_in(store)
    first = read(reader, FILE)
    store.write.remove_source("file", actor="tester").result(DEADLINE_SECONDS)
    gone = read(reader, FILE)

    load(store, [vote("ant", "yak")])
    fill_in(store)

    assert first.tallies == (Tally("ant", "bee", Verdict.A, 1),)
    assert gone.tallies == ()
    assert read(reader, FILE).tallies == (Tally("ant", "yak", Verdict.A, 1),)


def test_only_so_many_selections_are_kept(store: Store, reader: KeptVotes) -> None:
    load(store, VOTES)
    fill_in(store)

    for day in range(2 * KEPT):
        read(reader, replace(FILE, until=START.date() + timedelta(days=day)))

    assert len(reader._kept) == KEPT


def test_votes_in_order_are_read_from_the_database(store: Store, reader: KeptVotes) -> None:
    load(store, VOTES)

    votes = reader.selected(FILE, in_order=True, with_styles=False)

    assert votes.games is not None
    assert len(votes.games) == 6


def test_lost_battles_are_counted_once_a_minute_for_boards_on_which_failures_lose(url: str) -> None:
    clock = Clock()
    clock.now = datetime.now(UTC) - timedelta(days=1)
    seconds = [0.0]
    with closing(Store.open(url, clock=clock)) as opened:
        desk = Desk(opened)
        desk.enter()
        losses = KeptLosses(opened.read, clock=lambda: seconds[0])
        loses = Selection(failed_loses=True)
        told = [losses.so_far(loses)]
        battle_id = desk.open()
        desk.finish(battle_id, Side.A, ReplyStatus.FAILED)
        desk.finish(battle_id, Side.B)
        for moment in (59.0, 61.0):
            seconds[0] = moment
            told.append(losses.so_far(loses))

        assert told == [0, 0, 1]
        assert (losses.so_far(Selection()), losses.so_far(replace(loses, sources=frozenset({"file"})))) == (0, 0)
