import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.language import CANDIDATES, UNDETERMINED
from arena.strata import NO_STRATUM, classify
from leaderboard.style import estimated_tokens


def test_plain_talk_is_in_no_category() -> None:
    stratum = classify(["Why is the sky blue?"], ["Because of scattering.", "It just is."])

    assert stratum == replace(NO_STRATUM, language="en")


def test_the_prompts_alone_tell_the_language_and_a_file_knows_better() -> None:
    answers = ["Der Himmel ist blau, weil das Licht gestreut wird."]

    assert classify(["Why is the sky blue?"], answers).language == "en"
    assert classify(["Why is the sky blue?"], answers, language="ms").language == "ms"


def test_two_prompts_make_a_multi_turn_battle() -> None:
    assert not classify(["Hi"], ["Hello", "Hi"]).multi_turn
    assert classify(["Hi", "And?"], ["Hello", "Hi", "So", "Well"]).multi_turn


@pytest.mark.parametrize(
    ("prompts", "is_long"),
    [
        (["x" * 1996], False),  # 1996 / 4 = 499 tokens
        (["x" * 1997], True),  # ceil(1997 / 4) = 500
        (["x" * 1000, "x" * 997], True),
        (["é" * 998], False),  # 2 bytes each: 1996 bytes
        (["你" * 666], True),  # 3 bytes each: 1998 bytes
        ([""], False),
    ],
)
def test_a_long_prompt_has_500_tokens_of_four_bytes(prompts: list[str], is_long: bool) -> None:
    assert classify(prompts, ["short", "short"]).long_prompt is is_long


def test_long_answers_make_no_long_prompt() -> None:
    assert not classify(["Hi"], ["x" * 9_000, "y"]).long_prompt


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("```python\nprint(1)\n```", True),
        ("Like this:\n\n   ~~~~\nls\n~~~~", True),
        ("```\nstill open", True),
        ("Use `print` inline", False),
        ("three ``` inside a line", False),
        ("    indented by four", False),
        ("      ``` too deep for a fence", False),
    ],
)
def test_code_is_a_fenced_block_in_a_prompt_or_an_answer(text: str, is_code: bool) -> None:
    assert classify([text], ["a", "b"]).code is is_code
    assert classify(["a"], ["b", text]).code is is_code


@pytest.mark.parametrize(
    "text",
    [
        "What is 2 + 2?",
        "12*7",
        "17 × 23 please",
        "2^10 is large",
        "8 - 3 is five",
        "so 8-3=5",
        "9 / 3 makes three",
        "Solve $x^2 = 4$ for x",
        "$$\\int_0^1 x\\,dx$$",
        "\\(a + b\\) and \\[c\\]",
        "use \\frac{1}{2}",
        "\\begin{align} x &= 1 \\end{align}",
    ],
)
def test_maths_is_latex_or_arithmetic(text: str) -> None:
    assert classify([text], ["a", "b"]).maths


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6",
        "on 2024-08-14",
        "open 24/7",
        "pages 3-5",
        "C++ and C#",
        "call 555-0199",
        "a+b testing of websites",
        "see C:\\users",
        "score 3:2",
        "```\n2 + 2\n```",
        "I have 3 cats",
    ],
)
def test_numbers_that_are_no_maths_stay_out(text: str) -> None:
    assert not classify([text], ["a", "b"]).maths


def test_maths_beside_code_counts() -> None:
    assert classify(["```\nls\n```\nWhat is 2 + 2?"], []).maths


@given(st.lists(st.text(alphabet=st.characters())), st.lists(st.text(alphabet=st.characters())))
def test_any_text_can_be_sorted(prompts: list[str], answers: list[str]) -> None:
    stratum = classify(prompts, answers)

    assert stratum.multi_turn == (len(prompts) > 1)
    assert stratum.language in {UNDETERMINED, *CANDIDATES}


@given(st.text(alphabet=st.characters()))
def test_tokens_are_bytes_by_four_rounded_up(text: str) -> None:
    tokens = estimated_tokens([text])

    assert (tokens - 1) * 4 < len(text.encode(errors="surrogatepass")) <= tokens * 4


@pytest.mark.parametrize("piece", ["$", "1 ", "1-1", "`", "\\", "$$", "1" * 30 + " ", "$_", "\n```", "1 - "])
def test_no_answer_takes_long_to_sort(piece: str) -> None:
    """Regular expressions that backtrack would need hours for these."""
    began = time.process_time()

    classify([piece * (200_000 // len(piece))], [])

    assert time.process_time() - began < 20
