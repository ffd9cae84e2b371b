import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.fairness import Move, board_effect, bradley_terry, left_share, moves, seat_advantage, share
from leaderboard.games import PairCounts, Tally
from leaderboard.method import Evidence
from leaderboard.ratings import rate_bradley_terry
from leaderboard.verdicts import Verdict

NAMES = ("a", "b", "c")
TALLIES = st.lists(
    st.builds(
        lambda seats, verdict, n: Tally(seats[0], seats[1], verdict, n),
        st.permutations(NAMES),
        st.sampled_from(Verdict),
        st.integers(1, 20),
    ),
    max_size=8,
)


def test_a_share_has_wilsons_interval() -> None:
    # 8 of 10 at 95 %: 0.4902 to 0.9433 (E. B. Wilson's formula by hand, z = 1.959964).
    found = share(8, 10)

    assert found.estimate == 0.8
    assert found.lower == pytest.approx(0.4902, abs=1e-4)
    assert found.upper == pytest.approx(0.9433, abs=1e-4)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_share_stays_within_its_interval_and_the_interval_within_one(trials: int, part: float) -> None:
    found = share(part * trials, trials)

    assert found.lower is not None
    assert found.upper is not None
    assert 0 <= found.lower <= part + 1e-12
    assert part - 1e-12 <= found.upper <= 1
    assert found.lower < found.upper


def test_without_a_trial_a_share_is_not_known() -> None:
    assert share(0, 0) == (0, None, None, None)


def test_the_left_share_counts_decisive_votes_only() -> None:
    votes = [Tally("a", "b", verdict, n) for verdict, n in zip(Verdict, (6, 2, 90, 50), strict=True)]

    assert left_share(votes)[:2] == (8, 0.75)


def _world(advantage: float, *, votes: int, seed: int) -> list[Tally]:
    rng = Random(seed)
    strength = {"a": 100.0, "b": 0.0, "c": -100.0}
    tallies = []
    for _ in range(votes):
        left, right = rng.sample(NAMES, 2)
        chance = 1 / (1 + 10 ** ((strength[right] - strength[left] - advantage) / 400))
        tallies.append(Tally(left, right, Verdict.A if rng.random() < chance else Verdict.B, 1))
    return tallies


def test_the_advantage_of_a_seat_is_found_and_taken_out_of_the_ratings() -> None:
    found = seat_advantage(_world(80.0, votes=20_000, seed=3))

    assert found.points == pytest.approx(80, abs=8)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < 80 < found.upper
    assert found.ratings["a"] - found.ratings["c"] == pytest.approx(200, abs=12)


def test_the_interval_covers_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        found = seat_advantage(_world(40.0, votes=120, seed=seed))
        assert found.lower is not None
        assert found.upper is not None
        covered += found.lower <= 40 <= found.upper

    assert 0.90 <= covered / 200 <= 0.99


def test_seats_that_are_shared_evenly_leave_bradley_terry_as_it_is() -> None:
    both = [
        Tally(*seats, verdict, n)
        for seats, (left, right) in {
            ("a", "b"): (7, 3),
            ("b", "a"): (3, 7),
            ("b", "c"): (4, 4),
            ("c", "b"): (4, 4),
        }.items()
        for verdict, n in ((Verdict.A, left), (Verdict.B, right))
    ]
    plain = rate_bradley_terry(Evidence(counts=PairCounts.from_tallies(NAMES, both))).ratings

    found = seat_advantage(both)

    assert found.points == pytest.approx(0, abs=1e-6)
    assert [found.ratings[name] for name in NAMES] == pytest.approx([plain[name] for name in NAMES], abs=1e-6)


@given(TALLIES)
def test_changing_all_seats_turns_the_advantage_round(tallies: list[Tally]) -> None:
    other = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
    turned = [Tally(t.model_b, t.model_a, other.get(t.verdict, t.verdict), t.n) for t in tallies]

    one, two = seat_advantage(tallies), seat_advantage(turned)

    assert (one.points is None) == (two.points is None)
    if one.points is not None and two.points is not None:
        assert one.points == pytest.approx(-two.points, abs=1e-6)
        assert all(math.isfinite(rating) for rating in one.ratings.values())
        assert np.isclose(sum(one.ratings.values()), 1000 * len(one.ratings))


def test_without_a_decisive_vote_no_advantage_is_known() -> None:
    found = seat_advantage([Tally("a", "b", Verdict.TIE, 5), Tally("a", "a", Verdict.A, 5)])

    assert (found.votes, found.points, found.lower, found.upper) == (0, None, None, None)
    assert found.ratings == {"a": 1000.0, "b": 1000.0}


def test_moves_name_who_changes_places() -> None:
    before = {"a": 3.0, "b": 2.0, "c": 1.0, "gone": 9.0}
    after = {"a": 3.0, "b": 1.0, "c": 2.0, "new": 9.0}

    assert moves(before, after) == (Move("b", 2, 3), Move("c", 3, 2))


def test_the_same_order_moves_nobody() -> None:
    assert moves({"a": 3.0, "b": 2.0}, {"a": 9.0, "b": 8.0}) == ()


BOARD = [Tally("a", "b", Verdict.A, 6), Tally("b", "c", Verdict.A, 6)]
AGAINST = [Tally("c", "a", Verdict.A, 20)]


def test_votes_that_join_a_board_and_leave_it_again_move_the_same_models() -> None:
    joined = board_effect(BOARD, added=AGAINST)
    left = board_effect([*BOARD, *AGAINST], removed=AGAINST)

    assert joined.votes == left.votes == 20
    assert joined.moved == (Move("a", 1, 3), Move("c", 3, 1))
    assert left.moved == (Move("c", 1, 3), Move("a", 3, 1))


def test_votes_that_change_no_order_say_so() -> None:
    effect = board_effect(BOARD, added=[Tally("a", "c", Verdict.A, 3)], removed=[Tally("a", "b", Verdict.A, 1)])

    assert (effect.votes, effect.moved) == (4, ())


def test_the_rest_is_rated_as_if_the_removed_votes_had_never_been() -> None:
    votes = [*BOARD, Tally("a", "b", Verdict.TIE, 2)]
    ratings = rate_bradley_terry(Evidence(counts=PairCounts.from_tallies(NAMES, BOARD))).ratings

    assert bradley_terry(BOARD) == ratings
    assert board_effect(votes, removed=[Tally("a", "b", Verdict.TIE, 2)]).moved == moves(bradley_terry(votes), ratings)


def test_an_empty_board_has_no_effect_and_no_ratings() -> None:
    itself = [Tally("a", "a", Verdict.A, 5)]

    assert board_effect([], added=itself).moved == ()
    assert bradley_terry(itself) == bradley_terry([]) == {}
