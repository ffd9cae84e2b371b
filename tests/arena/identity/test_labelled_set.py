"""The figures that the guard promises, on the answers in tests/data/names_in_answers.jsonl."""

from collections.abc import Sequence

import pytest

from leaks_set import Case, cases, guard, share, unmasked

RECALL = 0.95
ORDINARY_ALARMS = 0.01
TRAP_ALARMS = 0.20
MASKED = 0.90

DEV, HELD_OUT = ([case for case in cases() if case.part == part] for part in ("dev", "held-out"))
PARTS = pytest.mark.parametrize("part", [DEV, HELD_OUT, cases()], ids=["dev", "held-out", "all"])


def test_the_set_is_as_varied_as_it_should_be() -> None:
    leaks = [case for case in cases() if case.is_leak]

    assert len(leaks) >= 150
    assert len({case.family for case in leaks}) >= 18
    assert len({case.language for case in leaks}) >= 6
    assert sum(case.kind == "ordinary" for case in cases()) >= 150
    assert sum(case.kind == "trap" for case in cases()) >= 40
    assert len({case.answer for case in cases()}) == len(cases())


def test_many_leaks_are_about_a_model_that_is_not_in_the_pair() -> None:
    leaks = [case for case in cases() if case.is_leak]

    foreign = [case for case in leaks if not any(case.family in name for name in case.pair)]

    assert len(foreign) >= 60


def test_the_names_that_give_a_model_away_stand_in_its_answer() -> None:
    assert [case.answer for case in cases() if not all(name in case.answer for name in case.names)] == []
    assert [case.answer for case in cases() if case.is_leak != bool(case.names)] == []


@PARTS
def test_leaks_are_found(part: Sequence[Case]) -> None:
    recall = share([case for case in part if case.is_leak], guard)

    assert recall is not None
    assert recall >= RECALL


@PARTS
def test_ordinary_answers_lose_no_vote(part: Sequence[Case]) -> None:
    alarms = share([case for case in part if case.kind == "ordinary"], guard)

    assert alarms is not None
    assert alarms <= ORDINARY_ALARMS


@PARTS
def test_traps_lose_few_votes(part: Sequence[Case]) -> None:
    alarms = share([case for case in part if case.kind == "trap"], guard)

    assert alarms is not None
    assert alarms <= TRAP_ALARMS


@PARTS
def test_names_that_give_a_model_away_are_not_shown(part: Sequence[Case]) -> None:
    leaks = [case for case in part if case.is_leak]

    shown = sum(len(unmasked(case)) for case in leaks)

    assert shown <= (1 - MASKED) * sum(len(case.names) for case in leaks)
