import numpy as np
import pytest

from integrity_worlds import Attack, Crowd, Plan, World, attacked_world, honest_world
from leaderboard.integrity.residuals import Peeled, PeelSettings, peel_voters
from leaderboard.integrity.votes import POINTS, VoteTable

NOBODY_TRUSTED = Crowd(trusted=0.0)


def peel(world: World, *, trusted_only: bool = False) -> Peeled:
    votes = VoteTable.of(world.ballots, voters=np.ones(len(world.facts), np.bool_))
    members = world.facts.trusted if trusted_only else np.ones(len(world.facts), np.bool_)
    return peel_voters(votes, members=members, settings=PeelSettings())


@pytest.mark.parametrize("share", [0.05, 0.10, 0.20])
def test_boosters_are_found_and_honest_voters_beside_them_are_not(share: float) -> None:
    world = attacked_world(320, Plan(attack=Attack.TARGET_ONLY, share=share), crowd=NOBODY_TRUSTED)

    peeled = peel(world)

    assert peeled.found[world.attackers].mean() >= 0.9
    assert peeled.found[~world.attackers].mean() <= 0.005
    assert set(peeled.leanings.kind[world.attackers & peeled.found]) == {world.target}
    assert (peeled.leanings.shift[world.attackers & peeled.found] > 0.0).all()


def test_whoever_demotes_a_model_is_found_as_well() -> None:
    world = attacked_world(321, Plan(attack=Attack.TARGET_ONLY, share=0.05), crowd=NOBODY_TRUSTED)
    votes = VoteTable.of(world.ballots, voters=np.ones(len(world.facts), np.bool_))
    votes.score[world.attackers[votes.voter]] = 1.0 - votes.score[world.attackers[votes.voter]]

    peeled = peel_voters(votes, members=np.ones(votes.voters, np.bool_), settings=PeelSettings())

    assert peeled.found[world.attackers].mean() >= 0.9
    assert (peeled.leanings.shift[world.attackers] < 0.0).all()


@pytest.mark.parametrize(("attack", "votes_each"), [(Attack.ALWAYS_LEFT, 50), (Attack.OMNIPRESENT, 200)])
def test_other_oddities_are_found_by_their_own_lines(attack: Attack, votes_each: int) -> None:
    world = attacked_world(322, Plan(attack=attack, share=0.08, votes_each=votes_each), crowd=NOBODY_TRUSTED)

    peeled = peel(world)

    assert peeled.found[world.attackers].mean() >= 0.9
    assert peeled.found[~world.attackers].mean() <= 0.005


def test_in_the_end_all_are_measured_against_those_who_were_not_found() -> None:
    world = attacked_world(323, Plan(attack=Attack.TARGET_ONLY, share=0.2), crowd=NOBODY_TRUSTED)
    votes = VoteTable.of(world.ballots, voters=np.ones(len(world.facts), np.bool_))

    peeled = peel(world)

    assert (peeled.found == world.attackers).all()
    told = peel_voters(votes, members=~world.attackers, settings=PeelSettings())
    assert peeled.spreads == told.spreads
    assert peeled.leanings.surprise.tolist() == told.leanings.surprise.tolist()


def test_with_trusted_voters_as_the_reference_their_scatter_is_the_measure() -> None:
    world = attacked_world(324, Plan(attack=Attack.OMNIPRESENT, share=0.2))

    with_trust, without = (peel(world, trusted_only=trusted_only) for trusted_only in (True, False))

    assert with_trust.found[world.attackers].mean() > without.found[world.attackers].mean() + 0.2
    assert with_trust.spreads.board < without.spreads.board


@pytest.mark.parametrize(
    "crowd", [Crowd(), Crowd(taste=100.0), Crowd(heavy_tails=True), Crowd(voters=40), Crowd(models=3)]
)
def test_honest_voters_are_left_alone(crowd: Crowd) -> None:
    found = [peel(honest_world(seed, crowd=crowd)).found.mean() for seed in range(330, 335)]

    assert np.mean(found) <= 0.005


def test_honest_tastes_are_no_offence_however_many_votes_there_are() -> None:
    peeled = peel(honest_world(336, crowd=Crowd(voters=100, votes_each=400.0)))

    assert peeled.found.sum() == 0
    assert 35.0 < peeled.spreads.taste * POINTS < 65.0
