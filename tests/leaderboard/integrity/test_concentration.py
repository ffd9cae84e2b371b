import numpy as np
import pytest
from ballot_box import A, B, Row, ballots

from integrity_worlds import Attack, Crowd, Plan, attacked_world, honest_world
from leaderboard.integrity.ballots import Ballots
from leaderboard.integrity.concentration import Concentrations, find_concentrations
from leaderboard.integrity.votes import VoteTable

NAMES = tuple("uvwxyz")


def concentrations(box: Ballots, *, voters: int) -> Concentrations:
    votes = VoteTable.of(box, voters=np.ones(voters, np.bool_))
    return find_concentrations(box, votes, least_votes=5, margin=1.5)


def crowd(*, day: int = 0, first: int = 10) -> list[Row]:
    """Thirty voters who vote once on each pair: every model takes part in a third of the battles."""
    pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
    return [Row(first + number % 30, i, j, A, day=day) for number in range(30) for i, j in pairs]


def test_twenty_votes_on_one_model_are_too_many_where_it_is_shown_in_a_third() -> None:
    rows = [Row(0, 0, 1 + number % 5, A if number % 2 else B) for number in range(20)]

    found = concentrations(ballots(crowd() + rows, names=NAMES), voters=40)

    assert found.false_share[0] < 0.05
    assert (found.model[0], found.voted[0]) == (0, 1.0)
    assert found.shown[0] == pytest.approx(170 / 470)  # his own battles were shown, too
    assert found.false_share[1:].min() == 1.0


def test_battles_without_a_vote_show_what_was_on_offer() -> None:
    # Were only votes known, model 0 would seem to take part in two thirds of all battles.
    rows = [Row(voter, 0, 1 + number % 5, A) for voter in range(9) for number in range(10)]
    left = [Row(voter, 1 + number % 5, 1 + (number + 1) % 5) for voter in range(9) for number in range(20)]

    seen = concentrations(ballots(rows + left, names=NAMES), voters=9)
    unseen = concentrations(ballots(rows, names=NAMES), voters=9)

    assert seen.false_share.max() < 0.1
    assert unseen.false_share.min() == 1.0


def test_what_is_usual_is_what_was_shown_on_the_days_of_the_votes() -> None:
    # Model 5 is new on day 9, and then half of the battles are its own.
    old = [row for row in crowd() if 5 not in row[1:3]] * 4
    new = [
        Row(50 + number % 30, *seats, A, day=9)
        for number in range(150)
        for seats in ((5, number % 5), (0, 1 + number % 4))
    ]
    rows = [Row(0, 5, number % 5, A, day=9) if number % 4 else Row(0, 0, 1, A, day=9) for number in range(16)]

    found = concentrations(ballots(old + new + rows, names=NAMES), voters=80)

    assert found.voted[0] == 0.75
    assert found.shown[0] == pytest.approx(0.5, abs=0.06)
    assert found.false_share[0] == 1.0


def test_few_votes_are_no_test() -> None:
    many = [Row(1 + number % 30, number % 60, (number * 7 + 1) % 60, A) for number in range(3000)]
    others = [row for row in many if row.seat_a != row.seat_b]

    four, five = (
        concentrations(
            ballots([*others, *(Row(0, 0, 1 + n, A) for n in range(votes))], names=[f"m{n}" for n in range(60)]),
            voters=31,
        )
        for votes in (4, 5)
    )

    assert four.false_share[0] == 1.0
    assert five.false_share[0] < 0.05


def test_half_as_often_again_as_others_may_be_chance() -> None:
    others = [(i, j) for i in range(1, 6) for j in range(i + 1, 6)]
    rows = [Row(0, *((0, 1 + n % 5) if n % 20 < 9 else others[n % 10]), A) for n in range(400)]  # 45 % instead of 33 %
    box = ballots(crowd() * 20 + rows, names=NAMES)
    votes = VoteTable.of(box, voters=np.ones(40, np.bool_))

    strict, lenient = (find_concentrations(box, votes, least_votes=5, margin=margin) for margin in (1.0, 1.5))

    assert strict.false_share[0] < 0.05
    assert lenient.false_share[0] == 1.0


@pytest.mark.parametrize("votes_each", [10, 50])
def test_whoever_votes_for_the_target_only_is_found_with_few_votes(votes_each: int) -> None:
    plan = Plan(attack=Attack.TARGET_ONLY, share=0.1, votes_each=votes_each)
    world = attacked_world(340, plan)

    found = concentrations(world.ballots, voters=len(world.facts)).false_share <= 0.1

    assert found[world.attackers].mean() >= 0.95
    assert found[~world.attackers].mean() <= 0.005


def test_honest_voters_concentrate_on_nothing() -> None:
    found = [
        (concentrations(world.ballots, voters=len(world.facts)).false_share <= 0.1).mean()
        for world in (honest_world(seed, crowd=Crowd(models=models)) for seed in (341, 342) for models in (2, 3, 20))
    ]

    assert max(found) <= 0.005


def test_without_votes_nobody_is_tested() -> None:
    found = concentrations(ballots([]), voters=2)

    assert found.false_share.tolist() == [1.0, 1.0]
