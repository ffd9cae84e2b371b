"""What the person typed first gives nothing away when it comes back."""

from collections.abc import Iterable, Iterator
from typing import Self

from arena.identity.folding import UNSEEN, fold
from arena.identity.lookup import pieces
from arena.identity.names import Names


class Typed:
    """The names in a battle's prompts."""

    def __init__(self, names: Iterable[str], text: str) -> None:
        self._names = frozenset(_joined(name) for name in names)
        self._text = text

    @classmethod
    def of(cls, prompts: Iterable[str], *, names: Names) -> Self:
        """Whatever of `names` stands in one of the prompts."""
        found: set[str] = set()
        texts = []
        for prompt in prompts:
            folded = fold(prompt)
            words = pieces(folded)
            found.update(_spelled_in(words.split(), names))
            found.update(match.replace(UNSEEN, "") for match in names.native_pattern.findall(folded))
            texts.append(f" {words} ")
        return cls(found, "\n".join(texts))

    def has(self, name: str, *, versioned: str) -> bool:
        """Whether `name` was typed, and with it the version that it carries now."""
        return _joined(name) in self._names and (versioned == name or f" {versioned} " in self._text)


def _spelled_in(words: list[str], names: Names) -> Iterator[str]:
    for place, word in enumerate(words):
        name, end = word, place + 1
        while name in names.beginnings:
            if name in names.spelled:
                yield name
            if end == len(words):
                break
            name, end = f"{name} {words[end]}", end + 1


def _joined(name: str) -> str:
    """Chat GPT and ChatGPT are one."""
    return name.replace(" ", "")
