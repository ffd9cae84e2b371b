from itertools import accumulate
from math import isclose

import pytest

from safe_markdown import safe_markdown
from streaming_answer import ANSWER_END, CLOCK_MS, answer_tokens, has_mark, marked, marks_in


def test_an_answer_has_the_length_asked_for_and_a_mark_in_every_other_token() -> None:
    tokens = answer_tokens(2000)

    text = "".join(marked(token, stream=0, now_seconds=0.0) for token in tokens)
    assert 2000 <= len(text) < 2050
    assert ANSWER_END in text
    assert 0.45 < sum(map(has_mark, tokens)) / len(tokens) < 0.55
    assert max(len(token) for token in tokens[:-1]) <= 7


def test_safe_rendering_keeps_every_mark_at_every_moment_of_an_answer() -> None:
    tokens = answer_tokens(1000)
    pieces = [marked(token, stream=3843, now_seconds=100 + n / 40) for n, token in enumerate(tokens)]

    for count, text in enumerate(accumulate(pieces), start=1):
        marks = marks_in(safe_markdown(text))

        assert marks == marks_in(text)
        assert len(marks) == len(set(marks)) == sum(map(has_mark, tokens[:count]))
        assert {mark.stream for mark in marks} <= {3843}


@pytest.mark.parametrize("sent_at", [0.0, 1.234, CLOCK_MS / 1000 - 0.001, 5_000_000.5])
@pytest.mark.parametrize("age_ms", [0, 1, 150, 60_000])
def test_a_mark_tells_its_age_also_when_its_clock_wraps_round(sent_at: float, age_ms: float) -> None:
    (mark,) = marks_in(marked("@ ", stream=7, now_seconds=sent_at))

    # A mark holds whole milliseconds, cut off.
    assert isclose(mark.age_ms(now_seconds=sent_at + age_ms / 1000), age_ms, abs_tol=1.0)
    assert mark.stream == 7


def test_words_that_look_like_a_mark_in_part_are_none() -> None:
    assert marks_in("Zebra Zurichs aZ00000 Z0000 Z000000 z00000 Z0000_0") == []
