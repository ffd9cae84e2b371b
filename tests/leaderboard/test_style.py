import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.style import STYLE_FEATURES, STYLE_UNKNOWN, GameStyles, Style, style_of

ANSWER = """# Title
Some **bold** and __also bold__ words, 2 * 3 * 4.

## Part
1. one
2. two
- three
  * four
+ five
-not a list
#not a heading
"""


def test_an_answer_is_counted_by_hand() -> None:
    assert style_of([ANSWER]) == Style(length=(len(ANSWER) + 3) // 4, headings=2, lists=5, bold=2)


def test_code_is_taken_out_before_counting_but_not_out_of_the_length() -> None:
    code = "```python\n# comment\n- x\n1. y\n**z**\n```"

    assert style_of([code]) == Style(length=(len(code) + 3) // 4, headings=0, lists=0, bold=0)


def test_a_block_that_was_cut_off_is_code_to_the_end() -> None:
    assert style_of(["- one\n```\n- two\n# three"]).lists == 1


def test_what_stands_between_two_blocks_is_counted() -> None:
    assert style_of(["```\n# a\n```\n# b\n```\n# c\n```"]).headings == 1


@pytest.mark.parametrize(("text", "length"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本", 2), ("\ud800", 1)])
def test_the_length_is_a_quarter_of_the_bytes_rounded_up(text: str, length: int) -> None:
    assert style_of([text]).length == length


def test_the_turns_of_a_battle_are_counted_together() -> None:
    assert style_of(["- a\n", "- b"]) == Style(length=2, headings=0, lists=2, bold=0)
    assert style_of([]) == Style(0, 0, 0, 0)


def test_the_length_that_a_file_states_wins() -> None:
    assert style_of(["- a"], num_tokens=77) == Style(length=77, headings=0, lists=1, bold=0)


@pytest.mark.parametrize("piece", ["\n", " ", "```", "**", "__", "#", "1", "- ", "\n ", "**a", "*a*", "`"])
def test_no_text_makes_counting_slow(piece: str) -> None:
    # What grows with the square of the length would take minutes here and hit the test's time limit.
    style_of([piece * 300_000])


@given(st.lists(st.text(alphabet="#-*+1. \n_`ab")))
def test_the_turns_of_a_battle_add_up(answers: list[str]) -> None:
    each = [style_of([answer]) for answer in answers]

    assert style_of(answers) == tuple(sum(style[i] for style in each) for i in range(len(STYLE_FEATURES)))


@given(st.text(alphabet="#-*+1. \n_`ab"), st.text(alphabet="#-*+1. \n_`ab"))
def test_counts_are_never_negative(one: str, other: str) -> None:
    assert min(style_of([one, other])) >= 0


def test_styles_become_arrays_and_know_what_is_unknown() -> None:
    styles = GameStyles.from_styles([Style(1, 2, 3, 4), STYLE_UNKNOWN], [Style(5, 6, 7, 8), Style(9, 0, 0, 0)])

    assert styles.side_a.tolist() == [[1, 2, 3, 4], [-1, -1, -1, -1]]
    assert styles.known.tolist() == [True, False]
    assert len(styles) == 2
    with pytest.raises(ValueError, match="read-only"):
        styles.side_a[0, 0] = 7


def test_no_games_have_no_styles() -> None:
    assert GameStyles.from_styles([], []).side_a.shape == (0, len(STYLE_FEATURES))


@pytest.mark.parametrize("shape", [(3,), (3, 5), (2, 4)])
def test_arrays_that_make_no_sense_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="4 counts per game"):
        GameStyles(side_a=np.zeros((3, 4), np.int64), side_b=np.zeros(shape, np.int64))
