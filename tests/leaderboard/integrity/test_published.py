import math

import numpy as np
import pytest
from ballot_box import BAD, TIE, A, B, Row, ballots

from integrity_worlds import Attack, Crowd, Plan, attacked_world, honest_world
from leaderboard.integrity import UNKNOWN, fastchat_test, paper_test


def even(pairs: int = 50) -> list[Row]:
    """A pair that two others have judged evenly, in both seats, with as many ties."""
    return [Row(1 + n % 2, n % 2, 1 - n % 2, (A, B, TIE, BAD)[n // 2 % 4]) for n in range(8 * pairs)]


def test_whoever_differs_from_a_clear_pair_is_flagged_by_the_paper() -> None:
    agreed = [Row(1 + n % 5, 0, 1, B) for n in range(400)]
    contrary = [Row(0, 0, 1, A) for _ in range(30)]

    flagged = paper_test(ballots(agreed + contrary), voters=7, alpha=0.1)

    assert flagged.tolist() == [True, *[False] * 6]


def test_the_papers_p_value_by_hand() -> None:
    # On the pair: 8 wins of the first model, 3 ties, 1 loss. A win has p = (1 + 8) / 13, so that one win makes
    # M = -2 ln(9 / 13), and chi-squared with 2 degrees has the tail exp(-M / 2) = 9 / 13 itself: flagged from
    # alpha / 5 = 9 / 13 on. The loser's p is (1 + 12) / 13 = 1.
    others = [Row(1, 0, 1, A)] * 4 + [Row(1, 1, 0, B)] * 3 + [Row(1, 0, 1, TIE)] * 2 + [Row(1, 1, 0, BAD)]
    box = ballots([*others, Row(0, 0, 1, A), Row(2, 0, 1, B)])

    below, above = (paper_test(box, voters=3, alpha=5 * 9 / 13 * factor) for factor in (0.999, 1.001))

    assert (below[0], above[0]) == (False, True)
    assert (below[2], above[2]) == (False, False)


def test_the_papers_looks_are_drawn_anew_for_each_seed_but_stay_the_same_for_one() -> None:
    box = honest_world(370).ballots

    first, again = (paper_test(box, voters=300, alpha=0.9, seed=1) for _ in range(2))

    assert first.tolist() == again.tolist()
    assert first.any()


def test_fastchats_product_by_hand() -> None:
    # The pair stands at 4 wins to 4 losses with the voter's own 4 in it. Each of his wins has p_lower = 1 / 2 and a
    # factor of 1; p_upper = 1 and one half. Against 1 to 7 a win has p_lower = 1 / 8, a factor of 4: two wins make 16,
    # three make 64.
    def alone(wins: int, losses: int, own: int) -> bool:
        rows = [Row(1, 0, 1, A)] * (wins - own) + [Row(1, 0, 1, B)] * losses + [Row(0, 0, 1, A)] * own
        rows += [Row(0, 0, 2, None)]
        rows += [Row(0, 1, 2, TIE)] * (5 - own)  # a pair without a win or loss ends the test without a finding
        return bool(fastchat_test(ballots(rows), voters=2)[0])

    assert not alone(4, 4, 4)
    assert not alone(2, 14, 2)
    assert alone(3, 21, 3)


def test_fastchat_tests_nobody_with_fewer_than_five_votes() -> None:
    rows = [Row(1, 0, 1, B)] * 100 + [Row(0, 0, 1, A)] * 4

    assert not fastchat_test(ballots(rows), voters=2)[0]
    assert fastchat_test(ballots([*rows, Row(0, 0, 1, A)]), voters=2)[0]


def test_fastchat_looks_at_a_hundred_votes() -> None:
    rows = even() + [Row(0, 0, 1, TIE) for _ in range(100)]  # of p = 1/2, which leave the product as it is
    late = [Row(0, 2, 1, A)] * 10
    known = [Row(1, 2, 1, B)] * 200

    assert not fastchat_test(ballots(known + rows + late), voters=3)[0]
    assert fastchat_test(ballots(known + late + rows), voters=3)[0]


def test_a_stricter_alpha_flags_fewer() -> None:
    box = honest_world(371).ballots

    loose, strict = (fastchat_test(box, voters=300, alpha=alpha) for alpha in (0.05, 0.001))

    assert strict.sum() < loose.sum()
    assert not (strict & ~loose).any()


def test_neither_finds_a_booster() -> None:
    world = attacked_world(372, Plan(attack=Attack.TARGET_ONLY, share=0.1), crowd=Crowd(trusted=0.0))

    flagged = [
        test[world.attackers].mean()
        for test in (
            fastchat_test(world.ballots, voters=len(world.facts)),
            paper_test(world.ballots, voters=len(world.facts), alpha=0.1),
        )
    ]

    assert max(flagged) <= 0.1


@pytest.mark.parametrize("rows", [[], [Row(UNKNOWN, 0, 1, A)], [Row(0, 0, 1)]])
def test_without_votes_of_known_voters_nobody_is_flagged(rows: list[Row]) -> None:
    box = ballots(rows)

    assert not paper_test(box, voters=2, alpha=0.3).any()
    assert not fastchat_test(box, voters=2).any()
    assert math.isfinite(np.sum(box.voter))
