"""Words of folded texts, and what each is good for in which language."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from functools import cache, lru_cache

from arena.identity.folding import UNSEEN, UNSPACED, fold, spaced_letters
from arena.identity.languages import LANGUAGES
from arena.identity.lexicon import family_names, maker_names
from arena.identity.wording import Language

# Stand in a context for names before: one that gives the model away, and one that the person typed first.
LEAKED = "\ue000"
TYPED = "\ue001"

# A full stop ends a sentence when a blank, a closing sign or a letter without spaces follows; the others always do.
SENTENCE_END = re.compile(rf"[.!?](?=[\s\"'*_)\]{UNSPACED}])|[。।؟…\n]")


class Sort(Flag):
    """What a word is good for where somebody introduces himself; the fields of `Language` say more."""

    LINK = auto()
    MADE = auto()
    BY = auto()
    NOUN = auto()
    ARTICLE = auto()
    JOIN = auto()
    ME = auto()
    SELF = auto()
    RULE = auto()
    DOUBT = auto()
    KIN = auto()


NO_SORT = Sort(0)
_BETWEEN = Sort.LINK | Sort.MADE | Sort.BY | Sort.NOUN | Sort.ARTICLE | Sort.JOIN | Sort.ME | Sort.KIN


class AnchorKind(Enum):
    """How an introduction works, by the fields of `Language`."""

    INTRO = "intro"
    MAKER = "maker"
    WEAK = "weak"
    POSING = "posing"


@dataclass(frozen=True, slots=True)
class Anchor:
    """An introduction at [start, end), in words; `languages` are the codes of those that have it."""

    kind: AnchorKind
    start: int
    end: int
    languages: tuple[str, ...]


def words_of(folded: str) -> tuple[str, ...]:
    """The words of a folded text. Commas, colons and brackets are one word, emphasis and other signs are nothing."""
    return tuple(_grammar().word.findall(folded.replace(UNSEEN, "").translate(_COMMAS)))


def sort_of(word: str, language: str) -> Sort:
    """What a word is good for in a language."""
    return _sorts_of(word).get(language, NO_SORT)


def languages_with(word: str, sort: Sort) -> frozenset[str]:
    """The languages in which a word is of that sort."""
    return frozenset(code for code, found in _sorts_of(word).items() if found & sort)


def is_passed_over(word: str) -> bool:
    """Whether a word may stand between "I am" and a name, in whatever language: none comes labelled."""
    return word == "," or any(found & _BETWEEN for found in _sorts_of(word).values())


def is_name_word(word: str) -> bool:
    """Whether a word is part of a known name."""
    return word in _grammar().names


def is_family_word(word: str) -> bool:
    """Whether a word is part of the name of a family of models."""
    return word in _grammar().families


def anchors_in(words: Sequence[str]) -> tuple[Anchor, ...]:
    """Every introduction in a sentence."""
    text = _set_apart(words)
    return tuple(
        Anchor(kind, text.count(" ", 0, match.start()) - 1, text.count(" ", 0, match.end()), phrases[match[0]])
        for kind, phrases in _grammar().anchors.items()
        for match in _pattern(tuple(phrases)).finditer(text)
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phrase stands among words: at [start, end)."""

    start: int
    end: int


def outros_in(words: Sequence[str]) -> tuple[Place, ...]:
    """Phrases such as "at your service"."""
    return _places(words, _grammar().outros)


def duties_in(words: Sequence[str]) -> tuple[Place, ...]:
    """Phrases such as "goes against"."""
    return _places(words, _grammar().duties)


def _places(words: Sequence[str], phrases: tuple[str, ...]) -> tuple[Place, ...]:
    text = _set_apart(words)
    found = _pattern(phrases).finditer(text)
    return tuple(Place(text.count(" ", 0, match.start()) - 1, text.count(" ", 0, match.end())) for match in found)


def _set_apart(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    word: re.Pattern[str]
    sorts: Mapping[str, Mapping[str, Sort]]  # word -> language -> sort
    stems: Mapping[str, Mapping[str, Sort]]
    names: frozenset[str]
    families: frozenset[str]
    anchors: Mapping[AnchorKind, Mapping[str, tuple[str, ...]]]  # phrase -> languages
    outros: tuple[str, ...]
    duties: tuple[str, ...]


@lru_cache(maxsize=16_384)
def _sorts_of(word: str) -> Mapping[str, Sort]:
    if word in {LEAKED, TYPED}:
        return {language.code: Sort.NOUN for language in LANGUAGES}
    grammar = _grammar()
    sorts = dict(grammar.sorts.get(word, {}))
    for end in range(1, len(word) + 1):
        for language, sort in grammar.stems.get(word[:end], {}).items():
            sorts[language] = sorts.get(language, NO_SORT) | sort
    return sorts


@cache
def _grammar() -> _Grammar:
    word = _word_pattern()
    sorts: dict[str, dict[str, Sort]] = {}
    stems: dict[str, dict[str, Sort]] = {}
    for language in LANGUAGES:
        for sort, entries in _sorted_words(language).items():
            for entry in entries.split():
                for part in word.findall(fold(entry)):
                    table = (stems if entry.endswith("*") else sorts).setdefault(part, {})
                    table[language.code] = table.get(language.code, NO_SORT) | sort
    return _Grammar(
        word=word,
        sorts=sorts,
        stems=stems,
        names=frozenset(_long_words([*family_names(), *maker_names()], word)),
        families=frozenset(_long_words(family_names(), word)),
        anchors={kind: _phrases_of(kind, word) for kind in AnchorKind},
        outros=tuple(_phrases("|".join(language.outro for language in LANGUAGES), word)),
        duties=tuple(_phrases("|".join(language.duties for language in LANGUAGES), word)),
    )


def _sorted_words(language: Language) -> Mapping[Sort, str]:
    return {
        Sort.LINK: language.link,
        Sort.MADE: language.made,
        Sort.BY: language.by,
        Sort.NOUN: language.nouns,
        Sort.ARTICLE: language.articles,
        Sort.JOIN: language.joins,
        Sort.ME: language.me,
        Sort.SELF: language.selves,
        Sort.RULE: language.rules,
        Sort.DOUBT: language.doubt,
        Sort.KIN: language.kin,
    }


def _word_pattern() -> re.Pattern[str]:
    """Words of scripts with spaces; of those without, the longest known word, else a single character."""
    known = {fold(entry) for language in LANGUAGES for entry in _entries(language) if _UNSPACED.search(entry)}
    longest_first = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    return re.compile(f"{longest_first}|{LEAKED}|{TYPED}|,|[a-z]+|[0-9]+|(?:{spaced_letters()})+|[{UNSPACED}]")


def _entries(language: Language) -> Iterator[str]:
    for words in _sorted_words(language).values():
        yield from words.split()
    for phrases in (language.intro, language.maker, language.weak, language.posing, language.outro, language.duties):
        yield from phrases.replace("|", " ").split()


def _long_words(names: Iterable[str], word: re.Pattern[str]) -> Iterator[str]:
    yield from (part for name in names for part in word.findall(fold(name)) if len(part) > 1)


def _phrases_of(kind: AnchorKind, word: re.Pattern[str]) -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        for phrase in _phrases(getattr(language, kind.value), word):
            table[phrase] = (*table.get(phrase, ()), language.code)
    return table


def _phrases(text: str, word: re.Pattern[str]) -> Iterator[str]:
    yield from (" ".join(word.findall(fold(phrase))) for phrase in text.split("|") if phrase)


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))
    return re.compile(f"(?<= )(?:{longest_first})(?= )")


_UNSPACED = re.compile(f"[{UNSPACED}]")
_COMMAS = str.maketrans(dict.fromkeys(",;:(\u060c\u061b\u3001", ","))
