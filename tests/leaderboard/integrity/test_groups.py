"""Cohorts and models: what many small accounts show together."""

from dataclasses import replace

import numpy as np
import pytest

from integrity_worlds import Attack, Crowd, Plan, World, attacked_world, honest_world
from leaderboard.integrity import Check, Findings, IntegritySettings, ReferenceVoters, Sign, VoterFacts, sweep
from leaderboard.integrity.votes import POINTS

COHORTS = IntegritySettings(checks=frozenset({Check.COHORTS}))
ALARM = IntegritySettings(checks=frozenset({Check.ALARM}))
NOBODY_TRUSTED = Crowd(trusted=0.0)


def two_days(seed: int, attack: Attack = Attack.TARGET_ONLY) -> World:
    return attacked_world(seed, Plan(attack=attack, share=0.1, votes_each=10, sign_up_days=2), crowd=NOBODY_TRUSTED)


def spread_out(seed: int, *, share: float = 0.1, trusted: float = 0.3) -> World:
    plan = Plan(attack=Attack.TARGET_ONLY, share=share, votes_each=10)
    return attacked_world(seed, plan, crowd=Crowd(trusted=trusted))


def held_share(findings: Findings, rows: np.ndarray) -> float:
    return float(findings.hold[rows].mean())


@pytest.mark.parametrize("attack", [Attack.TARGET_ONLY, Attack.OMNIPRESENT])
def test_accounts_that_were_made_on_two_days_are_found_together(attack: Attack) -> None:
    world = two_days(350, attack)

    findings = sweep(world.ballots, world.facts, settings=COHORTS)

    days = set(world.facts.signed_up_day[world.attackers].tolist())
    assert {cohort.key for cohort in findings.cohorts} == days
    assert held_share(findings, world.by_attackers) == 1.0
    assert held_share(findings, world.ballots.voted & ~world.by_attackers) <= 0.08
    assert world.climb(findings.hold) <= 1


def test_a_cohort_says_when_it_came_and_where_it_leans() -> None:
    world = two_days(351)

    cohort = sweep(world.ballots, world.facts, settings=COHORTS).cohorts[0]

    target = world.ballots.names[world.target]
    assert cohort.sign is Sign.SIGN_UP_DAY
    assert (cohort.leaning.model, cohort.leaning.sign) == (target, Sign.FOR_MODEL)
    assert cohort.leaning.points > 100.0
    assert f"towards {target}, beyond what taste explains." in cohort.reason.sentence
    assert f"The votes of the {len(cohort.voters)} voters who first came on 2024-" in cohort.reason.sentence


def test_accounts_of_one_network_are_found_together() -> None:
    world = spread_out(352, trusted=0.0)
    network = np.where(world.attackers, 3, world.facts.network + 10)
    facts = replace(world.facts, network=network)

    findings = sweep(world.ballots, facts, settings=COHORTS)

    assert [(cohort.sign, cohort.key) for cohort in findings.cohorts] == [(Sign.NETWORK, 3)]
    assert set(findings.cohorts[0].voters) == set(np.flatnonzero(world.attackers).tolist())
    assert "voters of one network lean" in findings.cohorts[0].reason.sentence
    assert held_share(findings, world.ballots.voted & ~world.by_attackers) == 0.0


def test_trusted_voters_of_a_day_are_not_held_with_its_others() -> None:
    world = two_days(353)
    day = world.facts.signed_up_day[-1]
    trusted = (world.facts.signed_up_day == day) & ~world.attackers
    facts = replace(world.facts, trusted=trusted)

    findings = sweep(world.ballots, facts, settings=COHORTS)

    assert findings.reference is ReferenceVoters.EVERYBODY
    assert day in {cohort.key for cohort in findings.cohorts}
    assert not set(findings.held_voters) & set(np.flatnonzero(trusted).tolist())


@pytest.mark.parametrize("crowd", [Crowd(), NOBODY_TRUSTED, Crowd(taste=100.0), Crowd(community=0.25)])
def test_honest_worlds_raise_no_alarm(crowd: Crowd) -> None:
    settings = replace(ALARM, checks=frozenset({Check.ALARM, Check.COHORTS}))
    found = [
        sweep(world.ballots, world.facts, settings=settings)
        for world in (honest_world(seed, crowd=crowd) for seed in range(354, 358))
    ]

    assert [len(findings.alarms) for findings in found] == [0] * 4
    assert np.mean([findings.hold.mean() for findings in found]) <= 0.005


def test_many_accounts_spread_over_all_days_raise_an_alarm_where_voters_are_trusted() -> None:
    world = spread_out(360, share=0.2)

    findings = sweep(world.ballots, world.facts, settings=ALARM)

    assert findings.reference is ReferenceVoters.TRUSTED
    assert [alarm.model for alarm in findings.alarms] == [world.ballots.names[world.target]]
    assert "points above where the others put it" in findings.alarms[0].reason.sentence
    assert world.climb(np.zeros(len(world.ballots), np.bool_)) >= 7
    assert world.climb(findings.hold) <= 1


def test_the_gate_holds_the_votes_on_that_model_only_and_few_honest_ones() -> None:
    world = spread_out(360, share=0.2)

    findings = sweep(world.ballots, world.facts, settings=ALARM)

    rows, box = findings.alarms[0].rows, world.ballots
    assert set(np.flatnonzero(findings.hold).tolist()) == set(rows.tolist())
    assert ((box.seat_a[rows] == world.target) | (box.seat_b[rows] == world.target)).all()
    assert held_share(findings, world.by_attackers) >= 0.8
    assert held_share(findings, box.voted & ~world.by_attackers) <= 0.02
    assert findings.held_voters == ()


def test_an_alarm_says_so_when_a_model_is_voted_down() -> None:
    world = spread_out(361, share=0.2)
    box = world.ballots
    swapped = np.where(box.verdicts <= 1, 1 - box.verdicts, box.verdicts)
    downvoted = replace(box, verdicts=np.where(world.by_attackers, swapped, box.verdicts))

    findings = sweep(downvoted, world.facts, settings=ALARM)

    assert findings.alarms[0].model == box.names[world.target]
    assert findings.alarms[0].points < 0.0
    assert held_share(findings, world.by_attackers) >= 0.8
    assert "points below where the others put it" in findings.alarms[0].reason.sentence


def test_without_trusted_voters_newcomers_are_compared_with_those_who_came_before() -> None:
    world = spread_out(362, share=0.2, trusted=0.0)
    signed_up = world.facts.signed_up_day.copy()
    signed_up[world.attackers] = world.ballots.day.max()
    facts = replace(world.facts, signed_up_day=signed_up)

    findings = sweep(world.ballots, facts, settings=ALARM)

    assert findings.reference is ReferenceVoters.EVERYBODY
    assert [alarm.model for alarm in findings.alarms] == [world.ballots.names[world.target]]
    assert "Voters who came lately put" in findings.alarms[0].reason.sentence
    assert world.climb(findings.hold) <= 1


def test_where_all_voters_are_new_there_is_nobody_to_compare_them_with() -> None:
    world = spread_out(363, trusted=0.0)
    facts = replace(world.facts, signed_up_day=np.full(len(world.facts), world.ballots.day.max()))

    assert sweep(world.ballots, facts, settings=ALARM).alarms == ()


def test_cohorts_need_a_few_voters() -> None:
    world = attacked_world(364, Plan(attack=Attack.TARGET_ONLY, share=0.05), crowd=NOBODY_TRUSTED)
    everyone = np.arange(len(world.facts))
    facts = VoterFacts(signed_up_day=everyone // 2, network=everyone, trusted=np.zeros(everyone.size, np.bool_))

    of_two, of_three = (
        sweep(world.ballots, facts, settings=replace(COHORTS, least_cohort=least)).cohorts for least in (2, 3)
    )

    assert len(of_two) >= 3
    assert of_three == ()


def test_a_closed_gate_leaves_the_days_alone_on_which_the_accounts_were_made() -> None:
    world = spread_out(360, share=0.2)

    both = sweep(world.ballots, world.facts, settings=replace(ALARM, checks=frozenset({Check.ALARM, Check.COHORTS})))
    days_only = sweep(world.ballots, world.facts, settings=COHORTS)

    honest = world.ballots.voted & ~world.by_attackers
    assert held_share(days_only, honest) > 0.1
    assert held_share(both, honest) <= 0.02
    assert world.climb(both.hold) <= 1


def test_suspects_who_share_a_side_put_no_model_in_alarm() -> None:
    world = attacked_world(365, Plan(attack=Attack.ALWAYS_LEFT, share=0.3))

    assert sweep(world.ballots, world.facts, settings=ALARM).alarms == ()


def test_small_leanings_of_groups_are_left_alone() -> None:
    world = two_days(350)
    careless = replace(IntegritySettings(checks=frozenset({Check.ALARM, Check.COHORTS})), least_shift=2_000.0)

    findings = sweep(world.ballots, replace(world.facts, trusted=~world.attackers), settings=careless)

    assert (findings.cohorts, findings.alarms) == ((), ())


def test_a_trusted_newcomer_is_no_suspect() -> None:
    world = spread_out(362, share=0.2, trusted=0.0)
    signed_up, trusted = world.facts.signed_up_day.copy(), world.facts.trusted.copy()
    signed_up[world.attackers] = world.ballots.day.max()
    trusted[np.flatnonzero(world.attackers)[:3]] = True

    findings = sweep(world.ballots, replace(world.facts, signed_up_day=signed_up, trusted=trusted), settings=ALARM)

    gated = world.ballots.voter[findings.alarms[0].rows]
    assert len(findings.alarms) == 1
    assert not trusted[gated].any()


def test_the_lines_for_groups_are_drawn_where_the_settings_say() -> None:
    settings = IntegritySettings(cohort_at=0.9, alarm_at=0.98, between_groups=POINTS, least_shift=2 * POINTS)

    assert settings.of_cohorts.false_share == pytest.approx(0.1)
    assert settings.of_models.false_share == pytest.approx(0.02)
    assert settings.of_models.between_groups == pytest.approx(1.0)
    assert settings.of_models.least_shift == pytest.approx(2.0)
