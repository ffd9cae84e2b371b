"""How answers are written: counted as they are stored, read beside the games."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from arena.domain import BattleKind, ReplyStatus, Seats, Side
from arena.foreign import NAMED, Conversation, ForeignTally, ForeignVote, StyleFigures
from arena.language import CLASSIFIER
from arena.selection import EVERYTHING, Selection
from arena.store import NewSource, SourceLoad, Store
from arena.store.engine import database_of
from leaderboard import Evidence, Game, Games, PairCounts
from leaderboard.ratings import rate_style_control
from leaderboard.style import STYLE_UNKNOWN, GameStyles, Style, style_of
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk

WRITTEN = "# Title\n\n- **one**\n- two\n\n```\n- code\n```\n"


def test_an_answer_is_counted_as_it_is_stored(desk: Desk, url: str) -> None:
    battle_id = desk.open()

    desk.finish(battle_id, Side.B, text=WRITTEN)

    assert _rows(url, "SELECT side, length, headings, lists, bold FROM reply ORDER BY side") == [
        ("a", None, None, None, None),
        ("b", *style_of([WRITTEN])),
    ]
    assert style_of([WRITTEN]) == Style(length=11, headings=1, lists=2, bold=1)


@pytest.mark.parametrize("status", [ReplyStatus.FAILED, ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED])
def test_only_a_whole_answer_is_counted(desk: Desk, url: str, status: ReplyStatus) -> None:
    battle_id = desk.open()

    desk.finish(battle_id, Side.A, status, text=WRITTEN)

    assert _rows(url, "SELECT length FROM reply WHERE side = 'a'") == [(None,)]


def test_a_ready_battle_says_in_which_language_and_what_told_it(desk: Desk, url: str) -> None:
    battle_id = desk.open(prompt="Warum ist der Himmel blau?")
    told = "SELECT language, classifier FROM battle"
    before = _rows(url, told)

    desk.finish(battle_id, Side.A)
    desk.finish(battle_id, Side.B)

    assert before == [("und", "")]
    assert _rows(url, told) == [("de", CLASSIFIER)]


def test_a_vote_keeps_the_language_of_its_battle(desk: Desk, url: str) -> None:
    battle_id = desk.ready(seats=Seats("ant", "bee"), prompt="Pourquoi le ciel est-il bleu ?")

    desk.store.write.cast_vote(battle_id, "voter", Verdict.A).result()

    assert _rows(url, "SELECT language FROM vote") == [("fr",)]
    assert desk.store.read.facets().languages == ("fr",)


# Read beside the games


def test_votes_through_the_store_are_rated_as_the_library_rates_the_same_games(desk: Desk, store: Store) -> None:
    rng = random.Random(1)
    games, styles = [], []
    for _ in range(40):
        seats, verdict = Seats(*rng.sample(desk.names, 2)), rng.choice(list(Verdict))
        texts = {side: "".join(rng.choices(["# a\n", "- b\n", "**c** ", "word ", "```\n"], k=9)) for side in Side}
        _vote(desk, seats, verdict, [texts])
        games.append(Game(seats.a, seats.b, verdict))
        styles.append({side: style_of([text]) for side, text in texts.items()})

    votes = store.read.selected_votes(EVERYTHING, with_styles=True)

    assert votes.games is not None
    assert votes.styles is not None
    expected = GameStyles.from_styles([each[Side.A] for each in styles], [each[Side.B] for each in styles])
    assert (votes.styles.side_a.tolist(), votes.styles.side_b.tolist()) == (
        expected.side_a.tolist(),
        expected.side_b.tolist(),
    )
    stored = rate_style_control(Evidence.from_games(votes.games, styles=votes.styles))
    pure = rate_style_control(
        Evidence.from_games(Games.from_votes(games, names=votes.games.names), styles=expected),
    )
    assert stored.ratings == pure.ratings
    assert stored.coefficients == pure.coefficients
    assert (stored.votes, dict(stored.left_out)) == (40, {})


def test_all_turns_of_a_battle_count_and_failed_attempts_do_not(desk: Desk, store: Store) -> None:
    battle_id = desk.open(seats=Seats("ant", "bee"))
    desk.finish(battle_id, Side.A, text="- a")
    desk.finish(battle_id, Side.B, ReplyStatus.FAILED, text="# broken off")
    store.write.retry_reply(battle_id, "voter", Side.B, fingerprint="").result()
    desk.finish(battle_id, Side.B, text="fine", attempt=2)
    store.write.add_turn(battle_id, "voter", "And?", fingerprints=dict.fromkeys(Side, "")).result()
    desk.finish(battle_id, Side.A, text="- b", turn=2)
    desk.finish(battle_id, Side.B, text="**well**", turn=2)
    store.write.cast_vote(battle_id, "voter", Verdict.A).result()

    votes = store.read.selected_votes(EVERYTHING, with_styles=True)

    assert votes.styles is not None
    assert votes.styles.side_a.tolist() == [list(style_of(["- a", "- b"]))]
    assert votes.styles.side_b.tolist() == [list(style_of(["fine", "**well**"]))]


def test_the_figures_outlive_the_texts(desk: Desk, store: Store, url: str) -> None:
    for n in range(5):
        _vote(desk, Seats("ant", "bee"), Verdict.A, [{Side.A: WRITTEN, Side.B: "so " * n}])
    before = store.read.selected_votes(EVERYTHING, with_styles=True)

    _write(url, "UPDATE reply SET text = ''", "UPDATE turn SET prompt = ''")

    after = store.read.selected_votes(EVERYTHING, with_styles=True)
    assert before.styles is not None
    assert after.styles is not None
    assert after.styles.known.all()
    assert np.array_equal(after.styles.side_a, before.styles.side_a)
    assert np.array_equal(after.styles.side_b, before.styles.side_b)


def test_a_vote_with_one_answer_that_nobody_counted_is_unknown(desk: Desk, store: Store, url: str) -> None:
    for _ in range(3):
        _vote(desk, Seats("ant", "bee"), Verdict.A, [{Side.A: "a", Side.B: "b"}, {Side.A: "c", Side.B: "d"}])
    nobody = "SET length = NULL, headings = NULL, lists = NULL, bold = NULL WHERE side = 'b' AND turn = 2"
    _write(url, f"UPDATE reply {nobody} AND battle = 'battle-2'")

    votes = store.read.selected_votes(EVERYTHING, with_styles=True)

    assert votes.styles is not None
    assert votes.styles.known.tolist() == [True, False, True]


def test_a_board_without_votes_has_no_styles(store: Store) -> None:
    votes = store.read.selected_votes(EVERYTHING, with_styles=True)

    assert votes.styles is not None
    assert len(votes.styles) == 0


# Of imported files


def test_the_figures_of_a_file_stand_beside_its_games(store: Store) -> None:
    whole, part = StyleFigures(9, 1, 2, 3), StyleFigures(tokens=9)
    _load(
        store,
        [
            ForeignVote(1, "x", "y", Verdict.A, style_a=whole, style_b=StyleFigures(0, 0, 0, 0)),
            ForeignVote(2, "x", "y", Verdict.A, style_a=whole, style_b=part),
            ForeignVote(3, "x", "y", Verdict.A),
        ],
    )

    votes = store.read.selected_votes(Selection(sources=frozenset({"file"})), with_styles=True)

    assert votes.styles is not None
    assert votes.styles.side_a.tolist()[0] == list(whole)
    assert votes.styles.side_b.tolist()[2] == list(STYLE_UNKNOWN)
    assert votes.styles.known.tolist() == [True, False, False]


def test_figures_go_with_their_games_where_sources_are_mixed(desk: Desk, store: Store, clock: Clock) -> None:
    times = [clock.now + timedelta(days=days) for days in (-1, 1)]
    figures = StyleFigures(100, 0, 0, 0)
    _load(store, [ForeignVote(1, "x", "y", Verdict.B, at, style_a=figures, style_b=figures) for at in times])
    _vote(desk, Seats("ant", "bee"), Verdict.A, [{Side.A: WRITTEN, Side.B: "short"}])

    votes = store.read.selected_votes(Selection(sources=frozenset({"arena", "file"})), with_styles=True)

    assert votes.games is not None
    assert votes.styles is not None
    assert [votes.games.names[seat] for seat in votes.games.seat_a] == ["x", "ant", "x"]
    assert votes.styles.side_a.tolist() == [list(figures), list(style_of([WRITTEN])), list(figures)]


def test_a_source_of_counts_has_neither_order_nor_styles(desk: Desk, store: Store) -> None:
    desk.vote()
    new = NewSource(name="file", format="pairs", sha256="sum", tallies_only=True)
    with SourceLoad(store.write, new) as loading:
        loading.add_tallies([ForeignTally(2, "x", "y", Verdict.A, 5)])
        loading.publish(actor="tester")

    votes = store.read.selected_votes(Selection(sources=frozenset({"arena", "file"})), with_styles=True)

    assert (votes.games, votes.styles) == (None, None)
    assert sum(tally.n for tally in votes.tallies) == 6


# By selection

BOTH = frozenset({"arena", "file"})


@pytest.mark.parametrize("sources", [frozenset({"arena"}), frozenset({"file"}), BOTH])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"multi_turn": True},
        {"multi_turn": False, "without_ties": True},
        {"code": True},
        {"maths": False, "long_prompt": False},
        {"language": "de"},
        {"since": date(2026, 11, 23)},
        {"until": date(2026, 11, 23)},
        {"since": date(2026, 11, 23), "until": date(2026, 11, 24), "language": "en"},
        {"with_left_out": True},
        {"with_left_out": True, "code": False},
        {"without_ties": True},
    ],
)
def test_games_of_a_selection_are_those_of_its_tallies(
    chequered: Store,
    sources: frozenset[str],
    filters: dict[str, Any],
) -> None:
    selection = Selection(sources=sources, **filters)

    votes = chequered.read.selected_votes(selection, with_styles=True)

    assert votes.games is not None
    assert votes.styles is not None
    played, counted = PairCounts.from_games(votes.games), PairCounts.from_tallies(votes.games.names, votes.tallies)
    assert all(np.array_equal(getattr(played, what), getattr(counted, what)) for what in ("wins", "ties", "both_bad"))
    assert votes.styles.known.all()
    assert len(votes.styles) == len(votes.games) > 0


@pytest.fixture(scope="module")
def chequered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with votes of every kind, of its own and imported, some of them left out."""
    clock, rng = Clock(), random.Random(2)
    with closing(Store.open(f"sqlite:///{tmp_path_factory.mktemp('chequered') / 'arena.db'}", clock=clock)) as store:
        desk = Desk(store)
        desk.enter()
        prompts = ["Why is the sky blue?", "Warum ist der Himmel blau?", "What is 2 + 2?", "ok"]
        for _ in range(60):
            turns = [{side: rng.choice(["so", WRITTEN]) for side in Side} for _ in range(rng.choice([1, 1, 2]))]
            seats = Seats(*rng.sample(desk.names, 2))
            _vote(desk, seats, rng.choice(list(Verdict)), turns, prompt=rng.choice(prompts))
            clock.advance(hours=rng.choice([-1, 2]))
        _vote(desk, Seats("ant", "ant"), Verdict.TIE, [dict.fromkeys(Side, "same")], kind=BattleKind.AA)
        store.write.exclude_votes([3, 4, 5], reason="farm", actor="root").result()
        store.write.restore_votes([4], reason="no farm", actor="root").result()
        _load(store, [_imported(rng, clock.now, line) for line in range(1, 61)])
        yield store


def _imported(rng: random.Random, now: datetime, line: int) -> ForeignVote:
    turns = rng.choice([1, 2])
    answers = ("```\n1\n```", "so")[:turns]
    said = Conversation(("Why?", "And?")[:turns], answers, answers)
    model_a, model_b = rng.sample(["ant", "bee", "elk"], 2)
    return ForeignVote(
        line,
        model_a,
        model_b,
        rng.choice(list(Verdict)),
        rng.choice([None, now - timedelta(hours=rng.randrange(48))]),
        language=rng.choice(["de", "en", None]),
        left_out=rng.choice([None, None, NAMED]),
        conversation=rng.choice([None, said]),
        style_a=StyleFigures(1, 0, 0, 0),
        style_b=StyleFigures(2, 0, 0, 0),
    )


def _vote(
    desk: Desk,
    seats: Seats,
    verdict: Verdict,
    turns: Sequence[dict[Side, str]],
    *,
    prompt: str = "Why?",
    kind: BattleKind = BattleKind.RANKED,
) -> None:
    battle_id = desk.open(seats=seats, prompt=prompt, kind=kind)
    for ordinal, texts in enumerate(turns, start=1):
        if ordinal > 1:
            desk.store.write.add_turn(battle_id, "voter", "And?", fingerprints=dict.fromkeys(Side, "")).result()
        for side, text in texts.items():
            desk.finish(battle_id, side, text=text, turn=ordinal)
    desk.store.write.cast_vote(battle_id, "voter", verdict).result()


def _load(store: Store, votes: Sequence[ForeignVote]) -> None:
    with SourceLoad(store.write, NewSource(name="file", format="plain", sha256="sum")) as loading:
        loading.add(votes)
        loading.publish(actor="tester")


def _write(url: str, *statements: str) -> None:
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _rows(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = database_of(url).reading_engine()
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return rows
