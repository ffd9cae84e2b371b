import pytest

from leaderboard.integrity import Reason, Risk, Sign


def reason(sign: Sign, risk: float) -> Reason:
    return Reason(sign=sign, risk=risk, sentence=f"{sign} {risk}")


def test_no_reason_is_no_risk() -> None:
    assert Risk().value == 0.0


def test_reasons_add_up_as_if_they_were_independent() -> None:
    # One honest voter in two shows the one, one in five the other: 1 - 0.5 x 0.2
    risk = Risk.of([reason(Sign.ABSTAINS, 0.5), reason(Sign.ONE_SIDE, 0.8)])

    assert risk.value == pytest.approx(0.9)
    assert [each.sign for each in risk.reasons] == [Sign.ONE_SIDE, Sign.ABSTAINS]


def test_the_same_sign_counts_once_with_its_greater_risk() -> None:
    then = Risk.of([reason(Sign.SNAP_HABIT, 0.7), reason(Sign.ABSTAINS, 0.5)])
    now = Risk.of([reason(Sign.SNAP_HABIT, 0.2), reason(Sign.FOR_MODEL, 0.95)])

    both = then.and_also(now)

    assert both == now.and_also(then)
    assert {each.sign: each.risk for each in both.reasons} == {
        Sign.FOR_MODEL: 0.95,
        Sign.SNAP_HABIT: 0.7,
        Sign.ABSTAINS: 0.5,
    }
