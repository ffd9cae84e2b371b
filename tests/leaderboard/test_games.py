import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import VERDICTS, Game, Games, HeadToHead, PairCounts, Tally
from leaderboard.verdicts import Verdict

NAMES = ("gpt-4:turbo", "llama[70b]", "qwen2.5", "日本'語\\")
PAIRS = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True)
VOTES = st.lists(
    st.builds(lambda pair, verdict: Game(pair[0], pair[1], verdict), PAIRS, st.sampled_from(Verdict)), max_size=40
)


def _counts(m: int, **matrices: list[list[int]]) -> PairCounts:
    blank = {what: np.zeros((m, m), np.int64) for what in ("wins", "ties", "both_bad")}
    given_ = {what: np.array(matrix) for what, matrix in matrices.items()}
    return PairCounts(names=NAMES[:m], **(blank | given_))


def test_votes_become_arrays_in_their_order() -> None:
    votes = [Game("x", "y", Verdict.A), Game("y", "z", Verdict.BOTH_BAD), Game("z", "x", Verdict.B)]

    games = Games.from_votes(votes)

    assert games.names == ("x", "y", "z")
    assert games.seat_a.tolist() == [0, 1, 2]
    assert games.seat_b.tolist() == [1, 2, 0]
    assert [VERDICTS[code] for code in games.verdicts] == [Verdict.A, Verdict.BOTH_BAD, Verdict.B]
    assert games.scores_a.tolist() == [1.0, 0.5, 0.0]
    assert [column.dtype.name for column in (games.seat_a, games.seat_b, games.verdicts)] == ["int32", "int32", "int8"]


def test_no_votes_are_zero_games() -> None:
    games = Games.from_votes([], names=["x"])

    assert len(games) == 0
    assert games.names == ("x",)


def test_a_verdict_may_come_as_its_stored_word() -> None:
    games = Games.from_votes([Game("x", "y", "both_bad")])  # type: ignore[arg-type]

    assert games.scores_a.tolist() == [0.5]


def test_an_unknown_verdict_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'bothbad'"):
        Games.from_votes([Game("x", "y", "bothbad")])  # type: ignore[arg-type]


def test_an_unknown_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'y'"):
        Games.from_votes([Game("x", "y", Verdict.A)], names=["x"])


def test_self_play_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'y' meets itself"):
        Games.from_votes([Game("x", "y", Verdict.A), Game("y", "y", Verdict.A)])


def test_a_name_given_twice_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'x' is named twice"):
        Games.from_votes([], names=["x", "y", "x"])


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("seat_a", [0, 2], "seat_a holds 2"),
        ("seat_b", [1, -1], "seat_b holds -1"),
        ("verdicts", [0, 4], "verdicts holds 4"),
        ("seat_a", [0.0, 0.0], "seat_a must be whole numbers"),
        ("seat_a", [[0], [0]], "seat_a must be whole numbers in one dimension"),
        ("seat_a", [0], "differ in length"),
    ],
)
def test_arrays_that_make_no_sense_are_refused(column: str, values: list[float], complaint: str) -> None:
    columns = {"seat_a": [0, 0], "seat_b": [1, 1], "verdicts": [0, 0]} | {column: values}

    with pytest.raises(ValueError, match=re.escape(complaint)):
        Games(names=("x", "y"), **{what: np.array(value) for what, value in columns.items()})


def test_games_and_counts_cannot_be_written_to() -> None:
    games = Games.from_votes([Game("x", "y", Verdict.A)])
    counts = PairCounts.from_games(games)

    for array in (games.seat_a, games.seat_b, games.verdicts, counts.wins, counts.ties, counts.both_bad):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_games_do_not_follow_the_array_that_they_were_made_from() -> None:
    seat_a = np.array([0], np.int32)
    games = Games(names=("x", "y"), seat_a=seat_a, seat_b=np.array([1]), verdicts=np.array([0]))

    seat_a[0] = 1

    assert games.seat_a.tolist() == [0]


def test_tallies_of_both_seatings_and_several_days_are_summed() -> None:
    tallies = [
        Tally("x", "y", Verdict.A, 3),
        Tally("x", "y", Verdict.A, 2),
        Tally("y", "x", Verdict.B, 1),
        Tally("y", "x", Verdict.A, 4),
        Tally("x", "y", Verdict.TIE, 7),
        Tally("y", "x", Verdict.TIE, 1),
        Tally("y", "x", Verdict.BOTH_BAD, 5),
    ]

    counts = PairCounts.from_tallies(["x", "y", "z"], tallies)

    assert counts.record("x", "y") == HeadToHead(wins_a=6, wins_b=4, ties=8, both_bad=5)
    assert counts.record("y", "x") == HeadToHead(wins_a=4, wins_b=6, ties=8, both_bad=5)
    assert counts.record("x", "y").battles == counts.battles("x") == counts.battles("y") == counts.votes == 23
    assert counts.battles("z") == counts.record("x", "z").battles == 0


@pytest.mark.parametrize(
    ("tally", "complaint"),
    [
        (Tally("x", "nobody", Verdict.A, 1), "'nobody'"),
        (Tally("nobody", "x", Verdict.A, 1), "'nobody'"),
        (Tally("x", "x", Verdict.TIE, 1), "'x' meets itself"),
        (Tally("x", "y", Verdict.A, -1), "-1 votes between 'x' and 'y'"),
    ],
)
def test_a_tally_that_makes_no_sense_is_refused_by_name(tally: Tally, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        PairCounts.from_tallies(["x", "y"], [tally])


@pytest.mark.parametrize(
    ("matrices", "complaint"),
    [
        ({"wins": [[0, 1]]}, "wins must be 2 x 2"),
        ({"wins": [[0, 0.5], [0, 0]]}, "whole numbers"),
        ({"wins": [[0, -1], [0, 0]]}, "negative count: -1"),
        ({"wins": [[0, 0], [0, 3]]}, "'llama[70b]' meets itself"),
        ({"ties": [[0, 1], [0, 0]]}, "ties is not symmetric"),
        ({"both_bad": [[0, 1], [0, 0]]}, "both_bad is not symmetric"),
    ],
)
def test_matrices_that_make_no_sense_are_refused(matrices: dict[str, list[list[int]]], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        _counts(2, **matrices)


def test_asking_for_an_unknown_model_names_it() -> None:
    counts = _counts(2)

    with pytest.raises(ValueError, match="'nobody'"):
        counts.battles("nobody")
    with pytest.raises(ValueError, match="'nobody'"):
        counts.record(NAMES[0], "nobody")


def test_an_empty_board_has_no_votes() -> None:
    assert PairCounts.from_tallies([], []).votes == 0


@given(VOTES)
def test_counting_games_equals_summing_tallies(votes: list[Game]) -> None:
    tallies = [Tally(*game, n) for game, n in Counter(votes).items()]

    from_games = PairCounts.from_games(Games.from_votes(votes, names=NAMES))
    from_tallies = PairCounts.from_tallies(NAMES, tallies)

    assert from_games.votes == len(votes)
    for what in ("wins", "ties", "both_bad"):
        assert np.array_equal(getattr(from_games, what), getattr(from_tallies, what))


def test_the_published_counts_are_read_whole(arena_counts: PairCounts) -> None:
    assert len(arena_counts.names) == 129
    assert arena_counts.votes == 1_670_250
    assert sum(arena_counts.battles(name) for name in arena_counts.names) == 2 * 1_670_250
