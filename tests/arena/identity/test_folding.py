import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.identity.folding import fold


@given(st.text(alphabet=st.characters()))
@example("İßﬁ㎏…")
def test_every_character_stays_one_character(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()))
def test_a_text_is_folded_character_by_character(before: str, after: str) -> None:
    assert fold(before + after) == fold(before) + fold(after)


@given(st.text(alphabet=st.characters()))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("QWEN", "qwen"),
        ("Ｑｗｅｎ", "qwen"),
        ("Ⓠⓦⓔⓝ", "qwen"),
        ("𝕼𝖜𝖊𝖓", "qwen"),
        ("Tülu Sabiá Łódź", "tulu sabia lodz"),
        ("GROẞ groß", "gros gros"),
        ("YANDEKSİ ı", "yandeksi i"),
        ("Ёлка Йод", "елка иод"),
        ("أنا", "انا"),
        ("don’t", "don't"),
        ("a\u00a0b\u3000c", "a b c"),
        ("2\u20115\u20146", "2-5-6"),
        ("が한हूँ", "が한हूँ"),
        ("千问，好", "千问,好"),
    ],
)
def test_ways_to_write_one_word_become_one(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("character", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u0301", "\ufe0f", "\ue000"])
def test_what_cannot_be_seen_becomes_a_soft_hyphen(character: str) -> None:
    assert fold(f"a{character}b") == "a\u00adb"
