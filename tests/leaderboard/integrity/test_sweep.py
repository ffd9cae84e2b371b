from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ballot_box import DAY_US, TIE, A, B, Row, ballots, only, strangers
from hypothesis import given, settings
from hypothesis import strategies as st

from integrity_worlds import Attack, Crowd, Plan, World, attacked_world, honest_world
from leaderboard import VERDICTS, Evidence, PairCounts, rate_bradley_terry
from leaderboard.integrity import (
    UNKNOWN,
    Check,
    Findings,
    IntegritySettings,
    ReferenceVoters,
    Sign,
    VoterFacts,
    sweep,
)

NOBODY_TRUSTED = Crowd(trusted=0.0)


def run(world: World, **changes: Any) -> Findings:  # noqa: ANN401 - settings of any type
    return sweep(world.ballots, world.facts, settings=replace(IntegritySettings(), **changes))


def found(world: World, findings: Findings) -> float:
    return float(np.isin(np.flatnonzero(world.attackers), findings.held_voters).mean())


def wronged(world: World, findings: Findings) -> float:
    return float(np.isin(np.flatnonzero(~world.attackers), findings.held_voters).mean())


@pytest.mark.parametrize("share", [0.05, 0.10])
def test_boosters_are_held_back_and_win_nothing(share: float) -> None:
    world = attacked_world(400, Plan(attack=Attack.TARGET_ONLY, share=share), crowd=NOBODY_TRUSTED)

    findings = run(world)

    assert world.climb(np.zeros(len(world.ballots), np.bool_)) >= 5
    assert found(world, findings) >= 0.9
    assert wronged(world, findings) <= 0.005
    assert world.climb(findings.hold) <= 1


def test_boosters_say_what_they_are_held_for() -> None:
    world = attacked_world(401, Plan(attack=Attack.TARGET_ONLY, share=0.1), crowd=NOBODY_TRUSTED)

    risk = run(world).risks[int(np.flatnonzero(world.attackers)[0])]

    target = world.ballots.names[world.target]
    assert {reason.sign for reason in risk.reasons} == {Sign.ONE_MODEL, Sign.FOR_MODEL, Sign.ABSTAINS}
    sentences = " ".join(reason.sentence for reason in risk.reasons)
    assert f"{target} takes part in" in sentences
    assert f"towards {target}, beyond what taste explains." in sentences
    assert risk.value > 0.99


@pytest.mark.parametrize(
    ("attack", "sign", "words"),
    [
        (Attack.ALWAYS_LEFT, Sign.LEANS_TO_SIDE, "to the left, whatever stands there."),
        (Attack.OMNIPRESENT, Sign.AGAINST_BOARD, "The votes do not follow what all others see"),
    ],
)
def test_other_oddities_say_what_they_are(attack: Attack, sign: Sign, words: str) -> None:
    world = attacked_world(322, Plan(attack=attack, share=0.08, votes_each=200), crowd=NOBODY_TRUSTED)

    findings = run(world, checks=frozenset({Check.RESIDUALS}))

    reasons = [findings.risks[voter].reasons[0] for voter in np.flatnonzero(world.attackers).tolist()]
    assert [reason.sign for reason in reasons] == [sign] * len(reasons)
    assert all(words in reason.sentence for reason in reasons)


def test_honest_voters_have_no_reason_to_be_held() -> None:
    worlds = [honest_world(seed, crowd=crowd) for seed in (402, 403) for crowd in (Crowd(), NOBODY_TRUSTED)]

    sweeps = [run(world) for world in worlds]

    assert [findings.held_voters for findings in sweeps] == [()] * 4
    assert [int(findings.hold.sum()) for findings in sweeps] == [0] * 4


@pytest.mark.parametrize(("trusted", "kind"), [(0.3, ReferenceVoters.TRUSTED), (0.02, ReferenceVoters.EVERYBODY)])
def test_trusted_voters_are_the_reference_when_there_are_enough_of_them(trusted: float, kind: ReferenceVoters) -> None:
    assert run(honest_world(404, crowd=Crowd(trusted=trusted))).reference is kind


def some_trusted(world: World, *, votes: range, voters: int) -> np.ndarray:
    """So many honest voters with so many votes each."""
    cast = np.bincount(world.ballots.voter[world.ballots.voted], minlength=len(world.facts))
    chosen = np.flatnonzero((cast >= votes.start) & (cast < votes.stop) & ~world.attackers)[:voters]
    return np.isin(np.arange(len(world.facts)), chosen)


def test_a_small_share_of_trusted_votes_is_no_reference() -> None:
    world = honest_world(404)
    trusted = some_trusted(world, votes=range(20, 40), voters=14)

    findings = sweep(world.ballots, replace(world.facts, trusted=trusted))

    assert findings.reference is ReferenceVoters.EVERYBODY
    eager = replace(IntegritySettings(), trusted_share=0.02)
    assert sweep(world.ballots, replace(world.facts, trusted=trusted), settings=eager).reference.value == "trusted"


def test_a_trusted_voter_who_is_held_back_is_no_measure_for_others() -> None:
    world = attacked_world(404, Plan(attack=Attack.ALWAYS_LEFT, share=0.01), crowd=NOBODY_TRUSTED)
    trusted = some_trusted(world, votes=range(100, 1000), voters=9)
    trusted[np.flatnonzero(world.attackers)[0]] = True
    facts = replace(world.facts, trusted=trusted)

    assert trusted.sum() == 10
    assert sweep(world.ballots, facts).reference is ReferenceVoters.EVERYBODY


def test_trust_is_no_immunity() -> None:
    world = attacked_world(405, Plan(attack=Attack.TARGET_ONLY, share=0.05))
    trusted = world.facts.trusted.copy()
    bought = int(np.flatnonzero(world.attackers)[0])
    trusted[bought] = True

    findings = sweep(world.ballots, replace(world.facts, trusted=trusted))

    assert findings.reference is ReferenceVoters.TRUSTED
    assert bought in findings.held_voters


def test_every_part_can_be_left_out() -> None:
    world = attacked_world(406, Plan(attack=Attack.TARGET_ONLY, share=0.1), crowd=NOBODY_TRUSTED)

    nothing = run(world, checks=frozenset())
    signs = {
        check: {reason.sign for risk in run(world, checks=frozenset({check})).risks.values() for reason in risk.reasons}
        for check in (Check.RULES, Check.CONCENTRATION, Check.RESIDUALS)
    }

    assert (dict(nothing.risks), nothing.cohorts, nothing.alarms) == ({}, (), ())
    assert signs == {
        Check.RULES: {Sign.ABSTAINS},
        Check.CONCENTRATION: {Sign.ONE_MODEL},
        Check.RESIDUALS: {Sign.FOR_MODEL},
    }


def test_held_votes_are_all_votes_of_held_voters_and_never_a_battle_without_a_vote() -> None:
    world = attacked_world(407, Plan(attack=Attack.TARGET_ONLY, share=0.05), crowd=NOBODY_TRUSTED)

    findings = run(world)

    expected = np.isin(world.ballots.voter, findings.held_voters) & world.ballots.voted
    assert findings.hold.tolist() == expected.tolist()
    assert findings.vote_risk[~world.ballots.voted].max() == 0.0


def test_a_higher_line_holds_less() -> None:
    world = attacked_world(408, Plan(attack=Attack.OMNIPRESENT, share=0.1, votes_each=50), crowd=Crowd())

    few, many = (run(world, hold_at=hold_at) for hold_at in (0.9999999, 0.9))

    assert set(few.held_voters) < set(many.held_voters)


def test_the_rating_without_held_votes_is_that_of_a_board_that_never_had_them() -> None:
    world = attacked_world(409, Plan(attack=Attack.TARGET_ONLY, share=0.1), crowd=NOBODY_TRUSTED)
    findings = run(world)

    without = PairCounts.from_games(world.ballots.games(world.ballots.voted & ~findings.hold))

    never = only(world.ballots, np.flatnonzero(~findings.hold))
    alone = PairCounts.from_games(never.games(never.voted))
    assert rate_bradley_terry(Evidence(counts=without)).ratings == rate_bradley_terry(Evidence(counts=alone)).ratings


def test_an_erased_voters_votes_are_neither_held_nor_a_reference() -> None:
    world = attacked_world(410, Plan(attack=Attack.TARGET_ONLY, share=0.05), crowd=NOBODY_TRUSTED)
    erased = int(np.flatnonzero(world.attackers)[0])
    box = replace(world.ballots, voter=np.where(world.ballots.voter == erased, UNKNOWN, world.ballots.voter))

    findings = sweep(box, world.facts)

    assert not findings.hold[box.voter == UNKNOWN].any()
    assert erased not in findings.risks
    assert set(findings.held_voters) == set(np.flatnonzero(world.attackers).tolist()) - {erased}


def test_a_snap_adds_to_its_own_votes_risk() -> None:
    rows = [Row(0, 0, 1, A, decide_ms=100, characters=900), Row(0, 0, 1, B, decide_ms=9_000, characters=900)]

    findings = sweep(ballots(rows), strangers(1))

    assert findings.vote_risk.tolist() == [pytest.approx(0.2), 0.0]
    assert not findings.hold.any()


def test_the_same_votes_lead_to_the_same_findings() -> None:
    world = attacked_world(411, Plan(attack=Attack.OMNIPRESENT, share=0.2))

    first, again = run(world), run(world)

    assert first.vote_risk.tolist() == again.vote_risk.tolist()
    assert first.risks == again.risks
    assert first.cohorts == again.cohorts


def test_the_names_of_sides_models_and_voters_do_not_matter() -> None:
    world = attacked_world(412, Plan(attack=Attack.TARGET_ONLY, share=0.05), crowd=NOBODY_TRUSTED)
    box, facts = world.ballots, world.facts
    rng = np.random.default_rng(1)
    models, voters = rng.permutation(len(box.names)), rng.permutation(len(facts))
    swap = np.array([VERDICTS.index(verdict) for verdict in (B, A, *VERDICTS[2:])])
    mirrored = replace(
        box,
        names=tuple(np.array(box.names)[np.argsort(models)].tolist()),
        seat_a=models[box.seat_b],
        seat_b=models[box.seat_a],
        verdicts=np.where(box.voted, swap[box.verdicts], UNKNOWN),
        voter=voters[box.voter],
    )
    back = np.argsort(voters)
    moved = VoterFacts(
        signed_up_day=facts.signed_up_day[back], network=facts.network[back], trusted=facts.trusted[back]
    )

    findings = sweep(mirrored, moved)

    assert findings.vote_risk == pytest.approx(sweep(box, facts).vote_risk, abs=1e-6)


@pytest.mark.parametrize(
    "rows",
    [[], [Row(0, 0, 1)], [Row(0, 0, 1, A)], [Row(UNKNOWN, 0, 1, A)] * 50, [Row(0, 0, 1, A)] * 500],
    ids=["no battle", "no vote", "one vote", "erased voters", "one voter"],
)
@pytest.mark.parametrize("trusted", [[], [0]])
def test_too_little_to_compare_with_is_no_ground_for_a_finding(rows: list[Row], trusted: list[int]) -> None:
    findings = sweep(ballots(rows), strangers(1, trusted=trusted), settings=IntegritySettings(checks=STATISTICS))

    assert findings.reference is ReferenceVoters.NOBODY
    assert dict(findings.risks) == {}
    assert not findings.hold.any()


STATISTICS = frozenset(Check) - {Check.RULES}


@pytest.mark.parametrize("names", [[], ["x"]])
def test_an_arena_without_models_or_voters_has_no_findings(names: list[str]) -> None:
    findings = sweep(ballots([], names=names), strangers(0))

    assert findings.hold.tolist() == []
    assert findings.held_voters == ()


def test_facts_are_needed_of_every_voter() -> None:
    with pytest.raises(ValueError, match="names voter 3, but there are facts of 3 voters only"):
        sweep(ballots([Row(3, 0, 1, A)]), strangers(3))


@st.composite
def small_arenas(draw: st.DrawFn) -> list[Row]:
    """A few voters, all of whose votes may be alike, on a few models."""
    models, voters = draw(st.integers(2, 4)), draw(st.integers(10, 14))
    columns = st.tuples(
        st.integers(UNKNOWN, voters - 1),
        st.just(0),
        st.integers(1, models - 1),
        st.sampled_from([A, B, TIE, None]),
        st.integers(0, 20),
    )
    row = columns.map(lambda each: Row(*each))
    once = [Row(voter, 0, 1, draw(st.sampled_from([A, B]))) for voter in range(voters)]
    return (once + draw(st.lists(row, max_size=30))) * draw(st.integers(1, 20))


@given(rows=small_arenas(), trust=st.booleans())
@settings(max_examples=40)
def test_no_small_arena_is_too_odd_to_be_swept(rows: list[Row], *, trust: bool) -> None:
    box = ballots(rows, names=["w", "x", "y", "z"])
    days = np.arange(14) % 3
    facts = VoterFacts(signed_up_day=days, network=days, trusted=np.full(14, trust))

    findings = sweep(box, facts)

    assert np.isfinite(findings.vote_risk).all()
    assert ((findings.vote_risk >= 0.0) & (findings.vote_risk <= 1.0)).all()
    assert not findings.hold[~box.voted].any()


def test_days_are_those_of_utc() -> None:
    box = replace(ballots([Row(0, 0, 1, A)] * 2), at_us=np.array([DAY_US - 1, DAY_US]))

    assert box.day.tolist() == [0, 1]
