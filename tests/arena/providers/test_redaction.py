import pytest

from arena.providers import redacted


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdefgh12345678.",
        "Authorization: Bearer abcdefgh12345678",
        "bearer  abcdefgh12345678",
        "http://user:abcdefgh12345678@host/v1",
        "https://host/v1?key=abcdefgh12345678&x=1",
        "https://host/v1?x=1&api_key=abcdefgh12345678",
        "https://host/v1?access_token=abcdefgh12345678",
        "X-Api-Key: abcdefgh12345678",
        "gsk_abcdefgh12345678",
        "hf_abcdefgh12345678",
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    assert "abcdefgh12345678" not in redacted(text)


def test_a_configured_secret_is_hidden_whatever_it_looks_like() -> None:
    assert redacted("my pass word is hunter22", "hunter22", None) == "my pass word is [redacted]"


def test_a_secret_too_short_to_be_one_blanks_out_nothing() -> None:
    assert redacted("none of these", "no") == "none of these"


def test_ordinary_words_stay() -> None:
    assert redacted("model risk-based skip-layer not found") == "model risk-based skip-layer not found"


def test_a_long_text_becomes_one_short_clean_line() -> None:
    text = redacted("a\n\n\x00b " + "x" * 1000)

    assert text.startswith("a \N{REPLACEMENT CHARACTER}b x")
    assert len(text) == 500
