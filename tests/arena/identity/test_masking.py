"""However an answer is cut: the same is shown, little waits, and nothing that was typed first counts."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from arena.domain import ModelSpec
from arena.identity import MASK, Masker, Names, Span, leaks, masked

PAIR = Names.of(
    ModelSpec(name=name, provider="openai_chat", display_name=name, aliases=aliases)
    for name, aliases in [("claude-3-5-sonnet-20241022", ("克劳德",)), ("qwen2.5-coder-0.5b-instruct", ())]
)
HELD_AT_MOST = 200

FRAGMENTS = st.sampled_from(
    [
        *(
            "I am ",
            "i'm ",
            "As ",
            "as a ",
            "trained by ",
            "created me",
            " here",
            "model",
            ", ",
            ". ",
            ".",
            "!",
            "?",
            "\n",
        ),
        *("Claude", "Qwen", "Qw", "en", "2.5", "-", "Coder", "Gemini", "Google", "OpenAI", "Open", "AI", "chat", "GPT"),
        *("-4o", "4", "all", "seed", "o", "3", "mini", "r+", "command", "'s", "Monet", " 3", " ", "**", "*", "_"),
        *("\u00ad", "\u200b", "\u00ad" * 9, "\u2011", "x" * 150, "ﬁ", "é", "İ", "ß", "\U0001d410", "\ud83d", "\ue000"),
        *("我是", "通义", "千问", "阿里", "云", "开发的", "。", "！", "你", "라", "마", "드", "저는 ", "입니다"),
        *("Яндекс", "сбер", "أنا "),
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=3), max_size=40).map("".join)
PROMPTS = st.lists(st.sampled_from(["hello", "Are you Claude?", "qwen 2.5", "通义千问", "open ai"]), max_size=2)


def cut(text: str, sizes: Sequence[int]) -> list[str]:
    chunks, start = [], 0
    for size in sizes:
        chunks.append(text[start : start + size])
        start += size
    return [*chunks, text[start:]]


@given(TEXTS, st.lists(st.integers(0, 12), max_size=80), PROMPTS)
@example("I am Cla**u**de", [1] * 20, [])
@example("AIOpen\u00adqwen. I am OpenAI", [1] * 30, [])
@example("드라마 라마 저는 라마입니다", [1] * 30, [])
@settings(max_examples=200, deadline=None)
def test_however_an_answer_is_cut_the_same_is_shown(text: str, sizes: list[int], prompts: list[str]) -> None:
    masker = Masker(PAIR, prompts)

    shown = "".join([*map(masker.feed, cut(text, sizes)), masker.finish()])

    assert shown == masked(text, names=PAIR, prompts=prompts)
    assert masker.spans == leaks(text, names=PAIR, prompts=prompts)


@given(TEXTS, st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_only_little_is_held_back(text: str, size: int) -> None:
    masker = Masker(PAIR)

    for chunk in cut(text, [size] * (len(text) // size)):
        masker.feed(chunk)

        assert masker.held_characters <= HELD_AT_MOST


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_is_shown_is_the_answer_with_its_leaks_replaced(text: str) -> None:
    spans = leaks(text, names=PAIR)

    pieces, place = [], 0
    for span in spans:
        assert place <= span.start < span.end
        assert text[span.start : span.end] == span.matched
        pieces += [text[place : span.start], MASK]
        place = span.end
    assert "".join([*pieces, text[place:]]) == masked(text, names=PAIR)


def test_words_that_begin_no_name_are_shown_at_once() -> None:
    masker = Masker(PAIR)

    assert masker.feed("The sky is blue") == "The sky is blue"
    assert masker.held_characters == 0


def test_a_word_split_over_chunks_is_held_until_it_is_whole() -> None:
    masker = Masker(PAIR)

    assert [masker.feed(chunk) for chunk in ["My ", "Q", "we", "n"]] == ["My ", "", "", ""]
    assert masker.feed("ny friend is here.") == "Qwenny friend is here."
    assert masker.feed(" My Qwen. ") == " My [model name]. "


def test_the_end_of_the_answer_settles_what_waits() -> None:
    masker = Masker(PAIR)

    assert masker.feed("I am Claude") == "I am "
    assert masker.finish() == MASK
    assert masker.spans == (Span(5, 11, "Claude"),)


@pytest.mark.parametrize(
    ("prompt", "answer", "hidden"),
    [
        ("Are you ChatGPT?", "Yes, I am ChatGPT by OpenAI.", "Yes, I am ChatGPT by [model name]."),
        ("Are you chat gpt?", "Yes, I am ChatGPT.", "Yes, I am ChatGPT."),
        ("Is Qwen good?", "Qwen is good, Qwen2.5-Coder is better.", "Qwen is good, [model name] is better."),
        ("qwen2.5-coder-0.5b", "Qwen2.5-Coder is a Qwen.", "Qwen2.5-Coder is a Qwen."),
        ("Is this GPT?", "I am GPT-4.", "I am [model name]."),
        ("Is this GPT-4?", "I am GPT-4.", "I am GPT-4."),
        ("通义千问是什么", "我是通义千问，由阿里云开发。", "我是通义千问，由[model name]开发。"),
        ("I was quenching", "Qwen it is.", "[model name] it is."),
    ],
)
def test_what_the_person_typed_first_does_not_count(prompt: str, answer: str, hidden: str) -> None:
    assert masked(answer, names=PAIR, prompts=["Hi", prompt]) == hidden


def test_the_maker_of_a_model_that_leaked_leaks_with_it() -> None:
    answer = "Qwen is a model by Alibaba Cloud."

    assert masked(answer, names=PAIR) == "[model name] is a model by [model name]."
    assert masked(answer, names=PAIR, prompts=["What is Qwen?"]) == answer


def test_what_only_an_earlier_answer_said_counts() -> None:
    assert leaks("I am ChatGPT.", names=PAIR, prompts=["Who are you?", "Are you sure?"])


@pytest.mark.parametrize(
    "piece",
    ["I am ", "qwe", "Claude ", "I am Claude ", "I am a model by ", "q\u00ad", "open ", "通", "*", "as a, ", "."],
)
def test_no_answer_takes_long_to_look_through(piece: str) -> None:
    """Sixty thousand characters in chunks of four; looking at all of it again and again would take hours."""
    text = piece * (60_000 // len(piece))
    masker = Masker(PAIR)

    shown = [masker.feed(text[start : start + 4]) for start in range(0, len(text), 4)]

    assert "".join([*shown, masker.finish()]).replace(MASK, "Claude") == text
