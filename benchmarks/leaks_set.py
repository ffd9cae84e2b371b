"""The labelled set of the leak guard, and how well a filter does on it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from arena.domain import ModelSpec
from arena.identity import Names, leaks, masked

LABELLED = Path(__file__).parents[1] / "tests" / "data" / "names_in_answers.jsonl"

# FastChat drops a battle when one of these stands anywhere in it (fastchat/serve/monitor/clean_battle_data.py).
FASTCHAT_WORDS = (
    *("vicuna", "lmsys", "koala", "uc berkeley", "open assistant", "laion", "chatglm", "chatgpt", "gpt-4", "openai"),
    *("anthropic", "claude", "bard", "palm", "lamda", "google", "gemini", "llama", "qianwan", "qwen", "alibaba"),
    *("mistral", "zhipu", "keg lab", "01.ai", "ai2", "tülu", "tulu", "deepseek", "hermes", "cohere", "dbrx"),
    "databricks",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the set; tests/data/README.md says what the fields mean."""

    kind: str
    part: str
    language: str
    pair: Sequence[str]
    prompt: str
    answer: str
    family: str = ""
    names: Sequence[str] = ()
    organisations: Sequence[str] = ()

    @property
    def is_leak(self) -> bool:
        """Whether the vote on it should not count."""
        return self.kind == "leak"


Filter = Callable[[Case], bool]
"""Says whether the answer of a case gives a model away."""


@cache
def cases() -> tuple[Case, ...]:
    """The whole set, in its order."""
    return tuple(_case(json.loads(line)) for line in LABELLED.read_text(encoding="utf-8").splitlines())


def guard(case: Case) -> bool:
    """The arena's own filter."""
    return bool(leaks(case.answer, names=names_of(case), prompts=[case.prompt]))


def substrings(case: Case) -> bool:
    """FastChat's filter: a word of its list anywhere in the prompt or the answer."""
    text = f"{case.prompt}\n{case.answer}".lower()
    return any(word in text for word in FASTCHAT_WORDS)


def unmasked(case: Case) -> tuple[str, ...]:
    """The names of a leak that the masked answer still shows."""
    shown = masked(case.answer, names=names_of(case), prompts=[case.prompt])
    return tuple(name for name in case.names if name in shown)


def names_of(case: Case) -> Names:
    """The names of the pair, as an arena.toml would give them."""
    return _names(tuple(case.pair), tuple(case.organisations))


def share(of: Sequence[Case], found_by: Filter) -> float | None:
    """The share of cases that a filter finds, 0 to 1; None of none."""
    return sum(map(found_by, of)) / len(of) if of else None


@cache
def _names(pair: tuple[str, ...], organisations: tuple[str, ...]) -> Names:
    makers = [*organisations, *[None] * len(pair)]
    return Names.of(
        ModelSpec(name=name, provider="openai_chat", display_name=name, organisation=maker)
        for name, maker in zip(pair, makers, strict=False)
    )


def _case(row: Mapping[str, Any]) -> Case:
    return Case(**{**row, "organisations": tuple(row.get("organisations", {}).values())})
