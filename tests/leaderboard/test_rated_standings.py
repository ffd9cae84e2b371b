import math

import pytest

from leaderboard.games import Game, Games, PairCounts
from leaderboard.method import Evidence, Method
from leaderboard.ratings import METHODS, EloResult, EloSettings, rate_bradley_terry, rate_elo
from leaderboard.standings import by_score, rated_standings
from leaderboard.verdicts import Verdict


def _games(*rows: tuple[str, str, Verdict, int]) -> Evidence:
    return Evidence.from_games(Games.from_votes([Game(a, b, verdict) for a, b, verdict, n in rows for _ in range(n)]))


THREE = _games(
    ("x", "y", Verdict.A, 40),
    ("y", "x", Verdict.A, 5),
    ("y", "z", Verdict.A, 25),
    ("z", "y", Verdict.TIE, 8),
    ("z", "x", Verdict.BOTH_BAD, 2),
)


def test_a_line_holds_what_method_counts_and_elo_say() -> None:
    rated = rate_bradley_terry(THREE)
    elo = {"x": 1100.0, "y": 1010.0, "z": 890.0}

    first, second, _ = rated_standings(rated, counts=THREE.counts, elo=elo)

    index = rated.estimate.index("x")
    assert (first.model, first.rank, first.rank_worst, first.elo) == ("x", 1, 1, 1100.0)
    assert first.score == rated.ratings["x"]
    assert first.plus == pytest.approx(rated.estimate.upper[index] - first.score)
    assert first.minus == pytest.approx(first.score - rated.estimate.lower[index])
    assert (first.battles, first.wins, first.losses, first.ties, first.both_bad) == (47, 40, 5, 0, 2)
    assert first.win_rate == pytest.approx(41 / 47)
    assert (second.model, second.preliminary) == ("y", False)


def test_models_that_the_votes_cannot_tell_apart_share_a_rank() -> None:
    evidence = _games(("x", "y", Verdict.A, 6), ("y", "x", Verdict.A, 4))

    lines = rated_standings(rate_bradley_terry(evidence), counts=evidence.counts)

    assert [(line.model, line.rank, line.rank_worst) for line in lines] == [("x", 1, 2), ("y", 1, 2)]


def test_a_method_without_intervals_gives_plain_places() -> None:
    evidence = _games(("x", "y", Verdict.A, 1), ("v", "w", Verdict.A, 1))

    lines = rated_standings(rate_elo(evidence), counts=evidence.counts)

    assert [(line.model, line.rank, line.rank_worst) for line in lines] == [
        ("v", 1, 1),
        ("x", 1, 1),
        ("w", 3, 3),
        ("y", 3, 3),
    ]
    assert {(line.plus, line.minus) for line in lines} == {(None, None)}


def test_the_board_may_be_ordered_by_elo_and_show_another_score() -> None:
    elo = {"z": 1200.0, "x": 1100.0}

    lines = rated_standings(rate_bradley_terry(THREE), counts=THREE.counts, elo=elo, order_by=elo)

    assert [(line.model, line.elo) for line in lines] == [("z", 1200.0), ("x", 1100.0), ("y", None)]


def test_lines_in_the_order_of_elo_can_be_put_in_that_of_their_scores() -> None:
    rated = rate_bradley_terry(THREE)

    lines = rated_standings(rated, counts=THREE.counts, order_by={"z": 3.0, "y": 2.0, "x": 1.0})

    assert [line.model for line in lines] == ["z", "y", "x"]
    assert by_score(lines) == rated_standings(rated, counts=THREE.counts)


def test_a_source_without_order_has_no_elo() -> None:
    lines = rated_standings(rate_bradley_terry(THREE), counts=THREE.counts)

    assert {line.elo for line in lines} == {None}


def test_few_battles_or_no_way_to_the_others_are_preliminary() -> None:
    evidence = _games(
        ("x", "y", Verdict.A, 40), ("x", "z", Verdict.A, 5), ("v", "w", Verdict.A, 60), ("w", "v", Verdict.A, 60)
    )

    lines = rated_standings(rate_bradley_terry(evidence), counts=evidence.counts)

    assert {line.model for line in lines if line.preliminary} == {"z", "v", "w"}


def test_a_model_without_battles_is_listed_without_a_win_rate() -> None:
    rated = rate_bradley_terry(Evidence(counts=PairCounts.from_tallies(["x", "y"], [])))

    lines = rated_standings(rated, counts=PairCounts.from_tallies(["x"], []))

    assert [(line.model, line.battles, line.win_rate, line.preliminary) for line in lines] == [
        ("x", 0, None, True),
        ("y", 0, None, True),
    ]


@pytest.mark.parametrize("method", [method for method in METHODS.values() if not method.needs_style])
def test_an_empty_board_is_an_empty_table(method: Method) -> None:
    evidence = _games()

    assert rated_standings(method.rate(evidence), counts=evidence.counts) == ()


def test_a_rating_that_is_no_number_is_refused_by_name() -> None:
    broken = EloResult(ratings={"x": math.nan}, settings=EloSettings(), votes=0)

    with pytest.raises(ValueError, match="'x' is nan"):
        rated_standings(broken, counts=PairCounts.from_tallies(["x"], []))


def test_the_whole_arena_stands_in_order(arena_counts: PairCounts) -> None:
    lines = rated_standings(rate_bradley_terry(Evidence(counts=arena_counts)), counts=arena_counts)

    scores = [line.score for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert sum(line.battles for line in lines) == 2 * 1_670_250
    assert all(line.rank <= place <= line.rank_worst for place, line in enumerate(lines, start=1))
    assert all(line.plus and line.minus for line in lines)
