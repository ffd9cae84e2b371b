import pytest
from ballot_box import TIE, A, B, Row, ballots
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.integrity import UNKNOWN, Habits, RuleSettings, Sign, count_habits, is_snap, judge_vote, prompt_key

HOLD_AT = 0.9


def signs(habits: Habits, *, snap: bool = False) -> set[Sign]:
    return {reason.sign for reason in judge_vote(habits, snap=snap).reasons}


def test_an_honest_voter_has_no_risk() -> None:
    habits = Habits(battles=60, votes=45, left=20, right=14, timed=45, snaps=2, same_prompt=3)

    assert judge_vote(habits, snap=False).value == 0.0


def test_a_newcomer_has_no_risk() -> None:
    assert judge_vote(Habits(), snap=False).value == 0.0
    assert judge_vote(Habits(battles=1, votes=1, left=1, timed=1, snaps=1, same_prompt=1), snap=False).value == 0.0


def test_whoever_always_takes_one_side_is_held_back_by_that_alone() -> None:
    risk = judge_vote(Habits(battles=50, votes=50, left=2, right=48), snap=False)

    assert risk.value >= HOLD_AT
    assert [reason.sentence for reason in risk.reasons] == ["Chose the right answer in 48 of 50 decided votes."]


@pytest.mark.parametrize("left", [10, 20])
def test_one_side_takes_many_votes_to_be_a_habit(left: int) -> None:
    assert signs(Habits(battles=left, votes=left, left=left)) == set()


def test_leaning_to_one_side_is_human() -> None:
    assert signs(Habits(battles=200, votes=200, left=140, right=60)) == set()


@pytest.mark.parametrize(
    ("habits", "sign", "words"),
    [
        (Habits(battles=20, votes=20, timed=20, snaps=10), Sign.SNAP_HABIT, "10 of 20 votes came before anybody"),
        (
            Habits(battles=20, votes=20, same_prompt=10),
            Sign.SAME_PROMPT,
            "10 of 20 votes are on nearly the same prompt",
        ),
        (Habits(battles=100, votes=12), Sign.ABSTAINS, "Voted in 12 of 100 finished battles"),
    ],
)
def test_one_habit_is_a_reason_but_holds_nothing_back(habits: Habits, sign: Sign, words: str) -> None:
    risk = judge_vote(habits, snap=True)

    assert {reason.sign for reason in risk.reasons} == {sign, Sign.SNAP_VOTE}
    assert words in risk.reasons[0].sentence
    assert risk.value < HOLD_AT


@pytest.mark.parametrize(
    "habits",
    [
        Habits(battles=20, votes=20, timed=20, snaps=9),
        Habits(battles=9, votes=9, timed=9, snaps=9),
        Habits(battles=40, votes=40, same_prompt=19),
        Habits(battles=9, votes=9, same_prompt=9),
        Habits(battles=100, votes=21),
        Habits(battles=29, votes=0),
    ],
)
def test_a_little_less_is_no_habit(habits: Habits) -> None:
    assert signs(habits) == set()


def test_two_habits_together_hold_a_vote_back() -> None:
    habits = Habits(battles=100, votes=15, timed=15, snaps=15)

    assert judge_vote(habits, snap=False).value >= HOLD_AT


def test_one_hasty_vote_is_a_small_risk() -> None:
    risk = judge_vote(Habits(battles=5, votes=5), snap=True)

    assert risk.value == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("decide_ms", "characters", "snap"),
    [
        (699, 0, True),
        (700, 0, False),
        (2_999, 3_000, True),
        (3_000, 3_000, False),
        (3_999, 100_000, True),
        (4_000, 100_000, False),
        (UNKNOWN, 3_000, False),
        (10, UNKNOWN, False),
    ],
)
def test_a_snap_depends_on_how_much_there_was_to_look_at(decide_ms: int, characters: int, *, snap: bool) -> None:
    assert is_snap(decide_ms, characters) is snap


def test_thresholds_are_settings() -> None:
    assert not is_snap(500, 1_000, settings=RuleSettings(glance_characters_per_second=10_000.0, least_glance_ms=100.0))
    assert judge_vote(Habits(battles=10, votes=0), snap=False, settings=RuleSettings(least_battles=10)).value > 0.0


@pytest.mark.parametrize(
    "alike",
    [
        ("Who are you?", "who are  YOU"),
        ("What is 12 + 5?", "what is 7+31"),
        ("Résumé", "re\N{COMBINING ACUTE ACCENT}sume\N{COMBINING ACUTE ACCENT}"),
        ("你是谁?", "你是谁\N{FULLWIDTH QUESTION MARK}"),
    ],
)
def test_prompts_that_are_nearly_the_same_share_a_key(alike: tuple[str, str]) -> None:
    assert prompt_key(alike[0]) == prompt_key(alike[1])


@pytest.mark.parametrize("other", [("Who are you?", "Who am I?"), ("你是谁", "你好"), ("🙂", "🙃"), ("", "?")])
def test_other_prompts_have_other_keys(other: tuple[str, str]) -> None:
    assert prompt_key(other[0]) != prompt_key(other[1])


@given(st.text(st.characters()))
def test_a_key_is_a_number_of_63_bits_whatever_was_typed(prompt: str) -> None:
    assert 0 <= prompt_key(prompt) < 2**63


def test_habits_are_counted_by_voter() -> None:
    quick, slow = {"decide_ms": 300, "characters": 2_000}, {"decide_ms": 9_000, "characters": 2_000}
    box = ballots(
        [
            Row(0, 0, 1, A, prompt=5, **quick),
            Row(0, 0, 1, B, prompt=5, **slow),
            Row(0, 1, 2, TIE, prompt=6),
            Row(0, 1, 2, None, prompt=5),
            Row(2, 2, 0, B, decide_ms=10),
            Row(UNKNOWN, 2, 0, A, prompt=5, **quick),
        ]
    )

    habits = count_habits(box, voters=3, settings=RuleSettings())

    assert habits == (
        Habits(battles=4, votes=3, left=1, right=1, timed=2, snaps=1, same_prompt=2),
        Habits(),
        Habits(battles=1, votes=1, right=1),
    )
