"""Languages and styles are told afterwards, and the tallies are those of the votes at every moment."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from arena.board import board_of
from arena.domain import ReplyStatus, Side
from arena.enrichment import AT_ONCE, fill_in
from arena.errors import CannotRate
from arena.foreign import NAMED, NO_STYLE, Conversation, ForeignVote, StyleFigures
from arena.language import CLASSIFIER
from arena.rated_board import RatedBoards
from arena.selection import Selection
from arena.store import Store, sources
from arena.store.engine import database_of
from arena.store.findings import SLICE_CHARACTERS
from arena.store.packing import unpack
from arena.store.queue import Job
from leaderboard.style import style_of
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk
from tests.arena.store.imported import START, load, vote
from tests.arena.voting import Voters

ROOT = Path(__file__).parents[2]
PROMPTS = {
    "en": "Please explain to me how a refrigerator works and why it needs electricity.",
    "de": "Bitte erkläre mir, wie ein Kühlschrank funktioniert und warum er Strom braucht.",
    "fr": "Explique-moi comment fonctionne un réfrigérateur et pourquoi il consomme de l'électricité.",
    "und": "ok",
}
LONG, SHORT = "# It cools\n\n- the **back** is warm\n- the inside is not", "Physics."


def said(language: str = "en", answer_a: str = LONG, answer_b: str = SHORT) -> Conversation:
    return Conversation((PROMPTS[language],), (answer_a,), (answer_b,))


def many(n: int) -> list[ForeignVote]:
    """Votes in turn in each of the four languages, on several days, some of them left out."""
    return [
        vote(
            *(("ant", "bee"), ("bee", "cat"), ("cat", "ant"))[i % 3],
            verdict=list(Verdict)[i % 5 % 4],
            cast_at=None if i % 11 == 0 else START + timedelta(hours=i),
            conversation=said(list(PROMPTS)[i % 4]),
            left_out=NAMED if i % 13 == 0 else None,
        )
        for i in range(n)
    ]


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as opened:
        Desk(opened).enter()
        yield opened


def told(store: Store, name: str = "file") -> list[tuple[str | None, StyleFigures, StyleFigures]]:
    return [(each.language, each.style_a, each.style_b) for each in store.read.source_votes(name)]


def by_language(store: Store, name: str = "file") -> dict[str, int]:
    counted = {
        language: store.read.selected_votes(Selection(sources=frozenset({name}), language=language)).tallies
        for language in PROMPTS
    }
    return {language: sum(tally.n for tally in tallies) for language, tallies in counted.items()}


# What is found


def test_languages_are_told_and_the_tallies_move_along(store: Store) -> None:
    load(store, [vote(cast_at=START, conversation=said(language)) for language in PROMPTS for _ in range(3)])
    assert by_language(store) == {"en": 0, "de": 0, "fr": 0, "und": 12}
    version = store.read.board_version()

    read = fill_in(store)

    assert read == 12
    assert by_language(store) == {"en": 3, "de": 3, "fr": 3, "und": 3}
    assert store.read.facets().languages == ("de", "en", "fr")
    assert store.read.board_version() > version, "pages that show languages look again"
    assert store.read.verify().sources == 1
    assert [source.classifier for source in store.read.sources()] == [CLASSIFIER]


def test_votes_are_moved_with_all_that_they_are_counted_by(store: Store) -> None:
    votes = many(200)
    load(store, votes)

    fill_in(store)

    counted = sum(each.left_out is None for each in votes)
    selection = Selection(sources=frozenset({"file"}))
    assert store.read.verify().sources == 1
    assert store.read.source_counts("file").votes == counted
    assert sum(day.votes for day in store.read.votes_per_day(selection)) == sum(
        each.left_out is None and each.cast_at is not None for each in votes
    )
    assert dict(store.read.selected_votes(selection).left_out) == {NAMED: len(votes) - counted}


def test_no_empty_tally_is_left_behind(store: Store, url: str) -> None:
    load(store, [vote(cast_at=START + timedelta(days=i), conversation=said()) for i in range(100)])

    fill_in(store)

    engine = database_of(url).writing_engine()
    with engine.connect() as connection:
        tallies = connection.scalar(text("SELECT count(*) FROM tally WHERE source = 'file'"))
    engine.dispose()
    assert tallies == 100


def test_styles_are_counted_on_both_sides(store: Store) -> None:
    load(store, [vote(conversation=Conversation((PROMPTS["en"], "And?"), (LONG, LONG), (SHORT, "")))])

    fill_in(store)

    ((_, side_a, side_b),) = told(store)
    assert tuple(side_a) == style_of([LONG, LONG])
    assert tuple(side_b) == style_of([SHORT]) == (2, 0, 0, 0)


def test_an_imported_source_can_be_rated_by_style_control_when_its_texts_were_read(store: Store) -> None:
    load(store, [vote(verdict=list(Verdict)[i % 4], conversation=said()) for i in range(40)])
    selection = Selection(sources=frozenset({"file"}))

    def rated() -> int:
        live = board_of(store.read.board(now=START))
        boards = RatedBoards(store.read)
        return boards.rated(live, method="style_control", selection=selection, order_by_elo=False).votes

    with pytest.raises(CannotRate):
        rated()
    fill_in(store)

    assert rated() == 40


def test_what_the_file_states_itself_wins(store: Store) -> None:
    stated_a, stated_b = StyleFigures(tokens=9, headings=8, lists=7, bold=6), StyleFigures(5, 4, 3, 2)
    load(store, [vote(language="nl", conversation=said("de"), style_a=stated_a, style_b=stated_b)])

    fill_in(store)

    assert told(store) == [("nl", stated_a, stated_b)]
    assert store.read.facets().languages == ("nl",)


def test_a_figure_that_the_file_states_for_one_side_only_is_counted_on_both(store: Store) -> None:
    stated_a, stated_b = StyleFigures(tokens=900, headings=7), StyleFigures(headings=5, bold=3)
    load(store, [vote(conversation=said(), style_a=stated_a, style_b=stated_b)])

    fill_in(store)

    ((_, side_a, side_b),) = told(store)
    counted_a, counted_b = style_of([LONG]), style_of([SHORT])
    assert side_a == (counted_a.length, 7, counted_a.lists, counted_a.bold)
    assert side_b == (counted_b.length, 5, counted_b.lists, counted_b.bold)


def test_without_answers_the_language_is_told_and_no_style(store: Store) -> None:
    load(store, [vote(conversation=said("fr", "", ""))])

    fill_in(store)

    assert told(store) == [("fr", NO_STYLE, NO_STYLE)]
    assert fill_in(store) == 0


def test_a_source_without_conversations_is_done_at_once(store: Store) -> None:
    load(store, [vote(language="de"), vote(style_a=StyleFigures(1), style_b=StyleFigures(2))])
    before = told(store)

    assert fill_in(store) == 0
    assert told(store) == before
    assert [source.classifier for source in store.read.sources()] == [CLASSIFIER]


def test_the_replies_of_the_arena_are_counted_where_nobody_did(store: Store, url: str) -> None:
    desk = Desk(store)
    answers = [LONG + "\n- more" * i for i in range(AT_ONCE + 1)]  # the longer ones lie compressed
    for answer in answers:
        battle = desk.open()
        desk.finish(battle, Side.A, text=answer)
        desk.finish(battle, Side.B, ReplyStatus.FAILED, text="half")
    run = on_database(url)
    run("UPDATE reply SET length = NULL, headings = NULL, lists = NULL, bold = NULL")
    as_of_old = f"packed = NULL, text = '{answers[-1]}'"
    run(f"UPDATE reply SET {as_of_old} WHERE battle = '{battle}' AND side = 'a'")
    version = store.read.board_version()

    read = fill_in(store)

    stored = run("SELECT text, packed, length, headings, lists, bold FROM reply WHERE side = 'a'")
    rows = [(unpack(row[0], row[1]), *row[2:]) for row in stored]
    assert read == len(answers)
    assert sorted(rows) == sorted((answer, *style_of([answer])) for answer in answers)
    assert run("SELECT count(*) FROM reply WHERE side = 'b' AND length IS NOT NULL") == [(0,)]
    assert store.read.board_version() > version
    assert fill_in(store) == 0


def on_database(url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    def run(statement: str) -> list[tuple[Any, ...]]:
        engine = database_of(url).writing_engine()
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows

    return run


# At any moment


def test_a_second_call_finds_nothing_to_do(store: Store) -> None:
    load(store, many(100))
    fill_in(store)
    version, before = store.read.board_version(), told(store)

    assert fill_in(store) == 0
    assert (store.read.board_version(), told(store)) == (version, before)


def test_it_stops_when_it_is_told_and_goes_on_later(store: Store) -> None:
    load(store, many(5 * AT_ONCE))
    load(store, many(5 * AT_ONCE), name="whole")
    version = store.read.board_version()
    stop = Event()

    first = fill_in(store, stop=stop, progress=lambda _stage, _fraction: stop.set())
    halfway = told(store)
    moved = store.read.board_version() > version
    store.read.verify()
    rest = fill_in(store)

    assert (first, moved) == (AT_ONCE, True)
    assert halfway != told(store)
    assert told(store) == told(store, "whole")
    assert by_language(store) == by_language(store, "whole")
    assert rest < 10 * AT_ONCE, "what was told is not read again"
    assert store.read.verify().sources == 2


def test_told_to_stop_before_it_begins_it_reads_nothing(store: Store) -> None:
    load(store, many(AT_ONCE))
    stop = Event()
    stop.set()

    assert fill_in(store, stop=stop) == 0
    assert [source.classifier for source in store.read.sources()] == [None]


def test_how_far_it_is_is_told(store: Store) -> None:
    load(store, many(3 * AT_ONCE))
    seen: list[tuple[str, float]] = []

    fill_in(store, rest=0.01, progress=lambda stage, fraction: seen.append((stage, fraction)))

    assert {stage for stage, _ in seen} == {"Reading file"}
    assert [fraction for _, fraction in seen] == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_source_that_is_removed_meanwhile_ends_it(store: Store) -> None:
    load(store, many(3 * AT_ONCE))
    load(store, many(AT_ONCE), name="other")

    def remove(stage: str, _fraction: float) -> None:
        if stage == "Reading file":
            store.write.remove_source("file", actor="tester").result(DEADLINE_SECONDS)

    fill_in(store, progress=remove)

    assert [(source.name, source.classifier) for source in store.read.sources()] == [("other", CLASSIFIER)]
    assert store.read.verify().sources == 1


def test_a_source_that_is_hidden_between_reading_and_storing_takes_no_findings(store: Store) -> None:
    load(store, many(AT_ONCE))
    (source,) = store.read.sources()
    hide = Job(run=lambda connection, now: sources.hide(connection, "file", actor="tester", now=now))
    store.write._queue.submit(hide).result(DEADLINE_SECONDS)

    assert store.write.store_findings(source.id, [], show=True).result(DEADLINE_SECONDS) is False


def test_what_is_stored_is_shown_when_that_is_asked_for(store: Store) -> None:
    load(store, many(AT_ONCE))
    (source,) = store.read.sources()
    before = store.read.board_version()

    for show in (False, True):
        store.write.store_findings(source.id, [], show=show).result(DEADLINE_SECONDS)
        store.write.store_reply_styles([], show=show).result(DEADLINE_SECONDS)

    assert store.read.board_version() == before + 2


def test_votes_go_on_meanwhile(store: Store) -> None:
    load(store, many(8 * AT_ONCE))
    voters = Voters(store)

    fill_in(store, progress=lambda _stage, _fraction: voters.one_more())
    voters.stop()

    report = store.read.verify()
    assert (report.votes, report.sources) == (len(voters.acknowledged), 1)
    assert {vote.seq for vote in voters.acknowledged} == set(range(1, report.votes + 1))


def test_it_may_be_killed_at_any_moment(store: Store, url: str) -> None:
    load(store, many(12 * AT_ONCE))
    load(store, many(12 * AT_ONCE), name="whole")
    store.close()
    for slices in (1, 4):
        kill_after(slices, url)
        with closing(Store.open(url)) as reopened:
            reopened.read.verify()
            assert any(source.classifier is None for source in reopened.read.sources())

    with closing(Store.open(url)) as reopened:
        fill_in(reopened)

        assert reopened.read.verify().sources == 2
        assert told(reopened) == told(reopened, "whole")
        assert by_language(reopened) == by_language(reopened, "whole")


def kill_after(slices: int, url: str) -> None:
    reader = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("reading_process.py"), url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
    )
    with reader:
        assert reader.stdout is not None
        for _ in range(slices):
            assert reader.stdout.readline() == b"stored\n"
        reader.kill()


def test_a_slice_of_long_texts_is_short(store: Store) -> None:
    long = Conversation(("Why?",), ("x" * (SLICE_CHARACTERS // 2),), ("y" * 10,))
    load(store, [vote(conversation=long)] * 7)
    (source,) = store.read.sources()

    slice_ = store.read.unread_texts(source.id, after=-1, limit=AT_ONCE)

    assert [each.position for each in slice_] == [0, 1]
    assert fill_in(store) == 7


texts = st.text(max_size=30) | st.sampled_from([*PROMPTS.values(), LONG, "\ud800", "\x00", "```\n2+2="])
conversations = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=2).map(
    lambda turns: Conversation(*(tuple(column) for column in zip(*turns, strict=True)))
)
figures = st.builds(StyleFigures, *[st.none() | st.integers(0, 9)] * 4)
foreign = st.builds(
    vote,
    verdict=st.sampled_from(list(Verdict)),
    cast_at=st.none() | st.just(START),
    language=st.none() | st.sampled_from(["en", "de"]),
    conversation=st.none() | conversations,
    style_a=figures,
    style_b=figures,
)


@pytest.fixture
def shared(url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as opened:
        yield opened


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(votes=st.lists(foreign, max_size=8))
def test_any_texts_are_read_and_verify(shared: Store, votes: list[ForeignVote]) -> None:
    name = f"file-{len(shared.read.sources())}"
    load(shared, votes, name=name)

    fill_in(shared)

    shared.read.verify()
    for before, after in zip(votes, shared.read.source_votes(name), strict=True):
        assert after.language == before.language or before.language is None
        assert after.conversation == before.conversation
        if any(any(side) for side in (before.conversation or ((), (), ()))[1:]):
            assert None not in {*after.style_a, *after.style_b}
