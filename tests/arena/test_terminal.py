import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.terminal import visible


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain, größer, 東京, 🙂 \t\n", "plain, größer, 東京, 🙂 \t\n"),
        ("\x1b[31mred\x1b[0m\x07\x08\r", r"\u001b[31mred\u001b[0m\u0007\u0008\u000d"),
        ("\x9b31m \x7f \x00", r"\u009b31m \u007f \u0000"),
        ("a\u202eb\u2066c\u200f\u061c", r"a\u202eb\u2066c\u200f\u061c"),
        ("z\u200bero\u2060\ufeff\u00ad", r"z\u200bero\u2060\ufeff\u00ad"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("half \ud800", r"half \ud800"),
        ("\U000e0041", r"\udb40\udc41"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_number(written: str, shown: str) -> None:
    assert visible(written) == shown


@given(st.text())
def test_nothing_that_is_left_moves_the_cursor_or_hides(text: str) -> None:
    left = {unicodedata.category(sign) for sign in visible(text) if sign not in "\n\t"}

    assert not left & {"Cc", "Cs", "Zl", "Zp"}


@given(st.text())
def test_json_that_was_made_visible_means_the_same(text: str) -> None:
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text
