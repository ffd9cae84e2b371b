import math

import numpy as np
import pytest
from ballot_box import TIE, A, B, Row, ballots, only

from integrity_worlds import Attack, Plan, World, attacked_world, board, honest_world
from leaderboard.integrity.reference import Reference, fit_reference
from leaderboard.integrity.votes import POINTS, VoteTable

NO_CAP = math.inf


def table(rows: list[Row], *, voters: int) -> VoteTable:
    return VoteTable.of(ballots(rows), voters=np.ones(voters, np.bool_))


def fit(votes: VoteTable, *, but: int | None = None, cap: float = NO_CAP) -> Reference:
    members = np.arange(votes.voters) != (votes.voters if but is None else but)
    return fit_reference(votes, members=members, cap=cap)


def world_table(world: World) -> VoteTable:
    return VoteTable.of(world.ballots, voters=np.ones(len(world.facts), np.bool_))


def test_two_models_by_hand() -> None:
    # Three wins, a loss and a tie, and the prior's one vote for half each: ln(4 / 2)
    verdicts = [A, A, A, B, TIE]
    box = ballots([Row(voter, 0, 1, verdict) for voter, verdict in enumerate(verdicts)], names=["x", "y"])

    reference = fit(VoteTable.of(box, voters=np.ones(5, np.bool_)))

    assert reference.strengths == pytest.approx([math.log(2) / 2, -math.log(2) / 2])


def test_without_a_cap_it_is_the_boards_own_bradley_terry() -> None:
    world = honest_world(301)

    reference = fit(world_table(world))

    points = board(world.ballots, world.ballots.voted)
    assert reference.strengths * POINTS == pytest.approx(points - points.mean(), abs=1e-6)


def test_a_voter_weighs_no_more_than_the_cap() -> None:
    eager = [Row(0, 0, 1, A) for _ in range(40)]
    others = [Row(v, 0, 1, B) for v in range(1, 5)]

    reference = fit(table(eager + others, voters=5), cap=4.0)

    # Four votes against four
    assert reference.strengths[0] == pytest.approx(reference.strengths[1], abs=1e-9)


def test_votes_of_whoever_is_no_member_do_not_count() -> None:
    rows = [Row(0, 0, 1, A), Row(1, 0, 1, B), Row(1, 1, 2, A)]

    assert fit(table(rows, voters=2), but=1).strengths == pytest.approx(fit(table(rows[:1], voters=2)).strengths)
    assert fit(table(rows, voters=2), but=1).pull[1].tolist() == [0.0, 0.0, 0.0]


def test_leaving_a_voter_out_is_what_his_pull_says() -> None:
    votes = world_table(honest_world(302))
    reference = fit(votes)
    busiest = int(np.argmax(votes.by_voter(votes.ones)))

    without = fit(votes, but=busiest)

    moved = reference.strengths - without.strengths
    assert np.abs(moved).max() * POINTS > 2.0
    assert reference.pull[busiest] == pytest.approx(moved, abs=0.15 * np.abs(moved).max())


def test_a_cap_keeps_boosters_from_making_the_board() -> None:
    world = attacked_world(303, Plan(attack=Attack.TARGET_ONLY, share=0.2))
    votes = world_table(world)
    honest = fit_reference(votes, members=~world.attackers, cap=4.0).strengths[world.target]

    moved = [fit(votes, cap=cap).strengths[world.target] - honest for cap in (NO_CAP, 4.0)]

    assert moved[0] * POINTS > 200.0
    assert moved[1] < 0.3 * moved[0]


def test_a_model_that_nobody_voted_on_is_as_uncertain_as_can_be() -> None:
    votes = table([Row(v, 0, 1, A if v % 2 else B) for v in range(60)], voters=60)

    reference = fit(votes)

    assert np.sqrt(reference.variances[0, 1]) < 0.4
    assert np.sqrt(reference.variances[0, 2]) > 1.0
    assert reference.variances.diagonal().tolist() == [0.0, 0.0, 0.0]


def test_the_variances_are_those_that_other_voters_would_give() -> None:
    world = honest_world(304)
    votes = world_table(world)
    rng = np.random.default_rng(1)

    gaps = []
    for _ in range(50):  # the bootstrap over voters
        times = np.bincount(rng.integers(votes.voters, size=votes.voters), minlength=votes.voters)
        again = only(world.ballots, votes.row.repeat(times[votes.voter]))
        strengths = fit(VoteTable.of(again, voters=np.ones(votes.voters, np.bool_))).strengths
        gaps.append(strengths[0] - strengths[1])

    assert np.std(gaps) == pytest.approx(np.sqrt(fit(votes).variances[0, 1]), rel=0.25)


@pytest.mark.parametrize("models", [0, 1])
def test_too_few_models_to_compare_leave_nothing_to_know(models: int) -> None:
    votes = VoteTable.of(ballots([], names=["x"][:models]), voters=np.ones(2, np.bool_))

    reference = fit(votes)

    assert reference.strengths.tolist() == [0.0] * models
    assert reference.pull.shape == (2, models)
