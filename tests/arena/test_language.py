import json
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.exchange.languages import NAMES
from arena.language import CANDIDATES, CLASSIFIER, JUDGED_CHARACTERS, UNDETERMINED, language_of, prepared

PROMPTS: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "short_prompts.json").read_text(encoding="utf-8")
)

NO_LANGUAGE = [
    "",
    " \n ",
    "ok",
    "OK?",
    "hi",
    "lol",
    "test",
    "asdf",
    "qwertyuiop",
    "foo bar baz",
    "42",
    "1+1",
    "...",
    "\N{PARTY POPPER}\N{PARTY POPPER}",
    "$x^2 + y^2 = z^2$",
    "192.168.0.1",
    "def f(x): return x",
    "for i in range(10): print(i)",
    "import numpy as np",
    "SELECT * FROM users;",
    "https://example.com/the/quick/brown/fox/jumps/over/the/lazy/dog",
    "someone.who.writes@mail.example.com",
    "```python\nprint('hello world, this is a test')\n```",
    "`print('hello world, this is a test')`",
]


@pytest.mark.parametrize("language", PROMPTS)
def test_a_short_prompt_gets_its_own_language_or_none(language: str) -> None:
    labels = {prompt: language_of([prompt]) for prompt in PROMPTS[language]}

    assert {prompt: label for prompt, label in labels.items() if label not in {language, UNDETERMINED}} == {}
    assert language in labels.values()


def test_most_short_prompts_get_a_language() -> None:
    labels = [language_of([prompt]) for prompts in PROMPTS.values() for prompt in prompts]

    assert labels.count(UNDETERMINED) < 0.15 * len(labels)


@pytest.mark.parametrize("language", PROMPTS)
def test_several_prompts_tell_a_language_together(language: str) -> None:
    assert language_of(PROMPTS[language]) == language


@pytest.mark.parametrize("text", NO_LANGUAGE)
def test_what_is_in_no_language_stays_undetermined(text: str) -> None:
    assert language_of([text]) == UNDETERMINED


def test_no_prompt_has_no_language() -> None:
    assert language_of([]) == UNDETERMINED


@pytest.mark.parametrize(
    "noise",
    [
        "```\n# This comment explains in plain English what the function returns\n```\n",
        "`the name of the function that returns the answer to the question` ",
        "https://example.com/what/is/the/meaning/of/this/page/and/who/wrote/it ",
        "10234012 4123 41 234 1234 12 3412 34 1234 ",
    ],
)
def test_code_addresses_and_numbers_do_not_speak(noise: str) -> None:
    assert language_of([noise * 3 + "Warum ist der Himmel blau?"]) == "de"


def test_the_beginning_of_a_long_prompt_tells() -> None:
    beginning = "Warum ist der Himmel blau? " * (JUDGED_CHARACTERS // 20)

    assert language_of([beginning + "Why is the sky blue? " * 50_000]) == "de"


def test_many_threads_share_one_model() -> None:
    with ThreadPoolExecutor(8) as pool:
        models = set(pool.map(lambda _: id(prepared()), range(8)))
        labels = list(pool.map(language_of, PROMPTS.values()))

    assert len(models) == 1
    assert labels == list(PROMPTS)


def test_every_language_that_can_be_told_has_a_name_in_fastchats_files() -> None:
    assert set(CANDIDATES) <= NAMES.keys()


def test_the_classifier_names_its_version_and_the_rules() -> None:
    assert f"py3langid {version('py3langid')}/1" == CLASSIFIER


@given(st.text(alphabet=st.characters()))
def test_any_text_has_a_candidate_or_nothing(text: str) -> None:
    assert language_of([text]) in {*CANDIDATES, UNDETERMINED}
