"""Lines and what they tell: one voter's votes against a reference that is known."""

import math

import numpy as np
import pytest
from ballot_box import TIE, A, B, Row, ballots

from integrity_worlds import Crowd, honest_world
from leaderboard.integrity.leaning import Leanings, Spreads, estimate_spreads, find_leanings
from leaderboard.integrity.lines import Lines, draw_lines
from leaderboard.integrity.reference import Reference, fit_reference
from leaderboard.integrity.votes import POINTS, VoteTable

NAMES = ("x", "y", "z", "w")
NARROW = Spreads(taste=1e-4, side=1e-4, board=1e-4, middle=0.0)
HUMAN = Spreads(taste=0.35, side=0.2, board=0.3, middle=0.0)


def known(strengths: list[float], *, voters: int = 2, variance: float = 0.0) -> Reference:
    """A reference to which none of the voters belongs."""
    size = len(strengths)
    return Reference(
        strengths=np.array(strengths),
        variances=np.full((size, size), variance) * (1 - np.eye(size)),
        pull=np.zeros((voters, size)),
    )


def lines_of(rows: list[Row], reference: Reference, *, voters: int = 2) -> Lines:
    votes = VoteTable.of(ballots(rows, names=NAMES), voters=np.ones(voters, np.bool_))
    return draw_lines(votes, reference, group_of=np.arange(voters), groups=voters)


def leanings(rows: list[Row], *, strengths: tuple[float, ...] = (0.0,) * 4, spreads: Spreads = HUMAN) -> Leanings:
    return find_leanings(lines_of(rows, known(list(strengths))), spreads, least_votes=5)


def on_x(scores: list[float]) -> list[Row]:
    """Votes on x against y, z and w in turn, each seat as often as the other."""
    left, right = {1.0: A, 0.5: TIE, 0.0: B}, {1.0: B, 0.5: TIE, 0.0: A}
    return [
        Row(0, 0, 1 + number % 3, left[score]) if number % 2 else Row(0, 1 + number % 3, 0, right[score])
        for number, score in enumerate(scores)
    ]


def line(lines: Lines, *, group: int, kind: int) -> int:
    return int(np.flatnonzero((lines.group == group) & (lines.kind == kind))[0])


def test_a_models_line_sums_what_its_votes_scored_beyond_their_chance() -> None:
    # x stands ln 3 above y: three quarters are expected of it, on either side.
    rows = [Row(0, 0, 1, A), Row(0, 1, 0, A), Row(0, 1, 0, TIE)]

    lines = lines_of(rows, known([math.log(3), 0.0, 0.0, 0.0]))

    x, y = line(lines, group=0, kind=0), line(lines, group=0, kind=1)
    assert lines.votes[x] == 3
    assert lines.push[x] == pytest.approx(1 + 0 + 0.5 - 3 * 0.75)
    assert lines.push[y] == pytest.approx(-lines.push[x])
    assert lines.weight[x] == pytest.approx(3 * 3 / 16)


def test_the_side_and_the_board_have_lines_of_their_own() -> None:
    rows = [Row(0, 0, 1, A), Row(0, 1, 0, A)]

    lines = lines_of(rows, known([math.log(3), 0.0, 0.0, 0.0]))

    side, whole = line(lines, group=0, kind=lines.kinds.side), line(lines, group=0, kind=lines.kinds.board)
    assert lines.push[side] == pytest.approx((1 - 0.75) + (1 - 0.25))
    assert lines.push[whole] == pytest.approx(math.log(3) * (1 - 0.75) - math.log(3) * (1 - 0.25))


def test_a_groups_own_part_in_the_reference_is_taken_out() -> None:
    reference = known([1.0, 0.0, 0.0, 0.0])
    reference.pull[0] = [1.0, 0.0, 0.0, 0.0]

    lines = lines_of([Row(0, 0, 1, A), Row(1, 0, 1, A)], reference)

    assert lines.push[line(lines, group=0, kind=0)] == pytest.approx(0.5)
    assert lines.push[line(lines, group=1, kind=0)] < 0.3


def test_the_part_of_a_voter_without_a_group_stays_in_the_reference() -> None:
    reference = known([1.0, 0.0, 0.0, 0.0])
    reference.pull[1] = [1.0, 0.0, 0.0, 0.0]
    votes = VoteTable.of(ballots([Row(0, 0, 1, A)], names=NAMES), voters=np.ones(2, np.bool_))

    lines = draw_lines(votes, reference, group_of=np.array([0, -1]), groups=1)

    assert lines.push[line(lines, group=0, kind=0)] < 0.3


def test_one_opponent_adds_its_own_taste_and_many_add_little() -> None:
    one = lines_of([Row(0, 0, 1, A)] * 6, known([0.0] * 4))
    three = lines_of([Row(0, 0, opponent, A) for opponent in (1, 2, 3) * 2], known([0.0] * 4))

    assert one.spreads[line(one, group=0, kind=0)] == pytest.approx(2.0)
    assert three.spreads[line(three, group=0, kind=0)] == pytest.approx(1 + 1 / 3)


def test_the_tastes_of_a_group_of_four_average_out() -> None:
    rows = [Row(voter, 0, opponent, A) for voter in range(4) for opponent in (1, 2, 3)]
    votes = VoteTable.of(ballots(rows, names=NAMES), voters=np.ones(4, np.bool_))

    lines = draw_lines(votes, known([0.0] * 4, voters=4), group_of=np.zeros(4, np.int64), groups=1)

    assert lines.spreads[line(lines, group=0, kind=0)] == pytest.approx((1 + 1 / 3) / 4)
    assert lines.spreads[line(lines, group=0, kind=lines.kinds.side)] == pytest.approx(1 / 4)


def test_an_uncertain_reference_widens_what_is_expected() -> None:
    lines = lines_of([Row(0, 0, 1, A)], known([0.0] * 4, variance=0.3))

    assert lines.unknown[line(lines, group=0, kind=0)] == pytest.approx(0.3)
    assert lines.unknown[line(lines, group=0, kind=lines.kinds.side)] == 0.0


def test_whoever_ties_often_scatters_less() -> None:
    lines = lines_of([Row(0, 0, 1, TIE)] * 12 + [Row(1, 0, 1, A)] * 12, known([0.0] * 4))

    tied, decided = (line(lines, group=group, kind=0) for group in (0, 1))
    assert lines.noise[tied] == pytest.approx(0.3 * lines.weight[tied])  # 1 - (12 / 4) / (12 / 4 + 1), but 0.3 at least
    assert lines.noise[decided] == lines.weight[decided]


def test_an_uncertain_reference_makes_votes_less_surprising() -> None:
    certain, vague = (
        find_leanings(lines_of(on_x([1.0] * 12), known([0.0] * 4, variance=variance)), HUMAN, least_votes=5)
        for variance in (0.0, 2.0)
    )

    assert vague.surprise[0] < 0.5 * certain.surprise[0]


def test_ten_wins_in_ten_even_battles_surprise_by_ten_times_ln_two() -> None:
    found = leanings(on_x([1.0] * 10), spreads=NARROW)

    # Tested are x and the side: y, z and w have fewer than five votes, and even battles say nothing of the board.
    assert found.kind[0] == 0
    assert found.surprise[0] == pytest.approx(10 * math.log(2), abs=0.02)
    assert found.false_share[0] == pytest.approx(2 * 2 * 0.5**10, rel=0.05)


def test_the_surprise_is_the_ratio_of_the_best_to_what_people_are_like() -> None:
    found = leanings(on_x([1.0] * 16 + [0.0, 0.5]))

    # The same by brute force: 16.5 of 18, a dispersion of 1 - (1 / 4) / (18 / 4 + 1), each opponent six times
    shifts = np.linspace(-6.0, 6.0, 240_001)
    likelihood = (16.5 * shifts - 18 * np.log1p(np.exp(shifts))) / (1 - 0.25 / 5.5)
    variance = HUMAN.taste**2 * (1 + 1 / 3)
    people = likelihood - shifts**2 / (2 * variance)
    assert found.kind[0] == 0
    assert found.surprise[0] == pytest.approx(likelihood.max() - people.max(), abs=1e-4)
    assert found.shift[0] == pytest.approx(shifts[people.argmax()], abs=1e-3)


def test_votes_against_a_model_lean_away_from_it() -> None:
    found = leanings(on_x([0.0] * 12))

    assert found.kind[0] == 0
    assert found.shift[0] < 0.0


def test_always_one_side_is_a_leaning_to_the_side() -> None:
    rows = [Row(0, number % 4, (number + 1 + number // 4 % 3) % 4, B) for number in range(36)]

    found = leanings(rows)

    assert found.kind[0] == 4
    assert found.shift[0] < 0.0


def rounds(verdict_of_better: str) -> list[Row]:
    """Each pair four times, seats taking turns; the lower index is the better model."""
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    won, lost = (A, B) if verdict_of_better == "wins" else (B, A)
    return [row for i, j in pairs for _ in range(4) for row in (Row(0, i, j, won), Row(0, j, i, lost))]


STEEP = (1.5, 0.5, -0.5, -1.5)


def test_votes_against_the_board_are_found_and_votes_with_it_are_not() -> None:
    against, along = leanings(rounds("loses"), strengths=STEEP), leanings(rounds("wins"), strengths=STEEP)

    assert against.kind[0] == 5
    assert against.shift[0] < 0.0
    assert against.false_share[0] < 1e-6
    assert along.false_share[0] > 0.5


def test_where_all_vote_against_the_reference_one_more_is_not_odd_for_it() -> None:
    contrary = Spreads(taste=0.35, side=0.2, board=0.3, middle=-2.0)

    assert leanings(rounds("loses"), strengths=STEEP).kind[0] == 5
    assert leanings(rounds("loses"), strengths=STEEP, spreads=contrary).kind[0] != 5


def test_few_votes_are_no_test() -> None:
    found = leanings([Row(0, 0, 1, A)] * 4, spreads=NARROW)

    assert found.false_share.tolist() == [1.0, 1.0]


def test_models_only_passes_the_side_and_the_board_over() -> None:
    lines = lines_of(rounds("loses"), known(list(STEEP)))

    found = find_leanings(lines, HUMAN, least_votes=5, models_only=True)

    assert found.kind[0] < 4


def test_groups_may_differ_by_more_than_their_members_explain() -> None:
    lines = lines_of(on_x([1.0, 1.0, 1.0, 0.0] * 15), known([0.0] * 4))

    strict, lenient = (find_leanings(lines, NARROW, least_votes=5, between_groups=extra) for extra in (0.0, 1.0))

    assert strict.surprise[0] > 5.0
    assert lenient.surprise[0] < 1.5


@pytest.mark.parametrize("taste", [0.0, 50.0, 100.0])
def test_the_spread_of_taste_is_learnt_from_the_votes(taste: float) -> None:
    seen = []
    for seed in range(310, 316):
        world = honest_world(seed, crowd=Crowd(taste=taste))
        everyone = np.ones(len(world.facts), np.bool_)
        votes = VoteTable.of(world.ballots, voters=everyone)
        reference = fit_reference(votes, members=everyone, cap=4.0)
        lines = draw_lines(votes, reference, group_of=np.arange(votes.voters), groups=votes.voters)
        seen.append(POINTS * estimate_spreads(lines, honest=everyone, least_votes=5).taste)

    assert np.mean(seen) == pytest.approx(max(25.0, taste), abs=20.0)


def test_too_few_lines_leave_the_spreads_at_what_is_usual() -> None:
    lines = lines_of([Row(0, 0, 1, A)] * 9, known([0.0] * 4))

    spreads = estimate_spreads(lines, honest=np.ones(2, np.bool_), least_votes=5)

    assert spreads.taste * POINTS == pytest.approx(60.0)
    assert (spreads.side, spreads.board, spreads.middle) == (0.2, 0.3, 0.0)


def test_what_the_reference_does_not_know_is_not_taken_for_taste() -> None:
    taste = []
    for seed in range(316, 320):
        world = honest_world(seed, crowd=Crowd(taste=0.0, voters=500))
        votes = VoteTable.of(world.ballots, voters=np.ones(500, np.bool_))
        reference = fit_reference(votes, members=np.arange(500) < 15, cap=4.0)
        lines = draw_lines(votes, reference, group_of=np.arange(500), groups=500)
        taste.append(POINTS * estimate_spreads(lines, honest=np.arange(500) >= 15, least_votes=5).taste)

    assert np.mean(taste) < 60.0
