"""Is a name said by somebody who introduces himself? A few rules over words, the same for every language."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import assert_never

from arena.identity.grammar import (
    LEAKED,
    SENTENCE_END,
    TYPED,
    Anchor,
    AnchorKind,
    Sort,
    anchors_in,
    duties_in,
    is_family_word,
    is_name_word,
    is_passed_over,
    languages_with,
    outros_in,
    sort_of,
    words_of,
)

# "I'm an AI that writes and draws, built by X": how far the machine may be from "I'm", and X from there, in words.
_TO_THE_MACHINE = 10
_TO_THE_MAKER = 14

_PERSONAL = frozenset(
    {"son", "daughter", "said", "says", "asked", "replied", "years", "born", "fils", "fille", "dit", "sohn", "tochter"}
    | {"sagte", "dijo", "disse"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A name in its surroundings.

    Attributes:
        before: folded text up to the name; names in it are `LEAKED` or `TYPED`.
        after: folded text behind the name and its version.
        is_maker: it names who makes models.
        is_ordinary: the word means something else as well.
        has_version: a version belongs to it.
        is_small: it is written without a capital.
        is_surnamed: another capitalised word follows at once.
    """

    before: str
    after: str
    is_maker: bool = False
    is_ordinary: bool = False
    has_version: bool = False
    is_small: bool = False
    is_surnamed: bool = False


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The words before a name, `run` the last of them that may stand between "I am" and it; and those behind it."""

    previous: tuple[str, ...]
    before: tuple[str, ...]
    run: tuple[str, ...]
    after: tuple[str, ...]


@lru_cache(maxsize=4096)
def introduces(mention: Mention) -> bool:
    """Whether somebody says with this name who he is, or who made him."""
    *_, previous, current = ["", *SENTENCE_END.split(mention.before)]
    before = words_of(current)
    run = tuple(takewhile(is_passed_over, reversed(before)))[::-1]
    after = words_of(SENTENCE_END.split(mention.after, maxsplit=1)[0])
    sentence = _Sentence(words_of(previous), before, run, after)
    if mention.is_ordinary and _is_everyday(mention, sentence):
        return False
    return (
        _is_announced(mention, sentence)
        or _made_a_machine(sentence)
        or _is_said_afterwards(sentence)
        or _is_a_duty(sentence)
    )


def _is_everyday(mention: Mention, sentence: _Sentence) -> bool:
    """Told apart: "a Gemini", "granite", "Claude Monet", "Gemma, 29", "Hermes, son of Maia"."""
    if mention.is_small or mention.is_maker:
        return mention.is_small
    after = sentence.after
    is_machine = mention.has_version or _leads_to(after, Sort.NOUN | Sort.KIN)
    if not is_machine and (mention.is_surnamed or _has_article(sentence.before)):
        return True
    first = next((word for word in after if word != ","), "")
    return first in _PERSONAL or (first.isdigit() and after[0] == ",")


def _has_article(before: Sequence[str]) -> bool:
    """Whether the last word is an article in the language of the introduction: "as" is one in Portuguese."""
    languages = {language for anchor in anchors_in(before) for language in anchor.languages}
    return any(languages & languages_with(word, Sort.ARTICLE) for word in before[-1:])


def _is_announced(mention: Mention, sentence: _Sentence) -> bool:
    """Such as "I am an assistant called X", "my creator is X", 私は X です, "as X, I", "I, X, …"."""
    if not mention.is_maker and sentence.before[-2:] == ("i", ",") and sentence.after[:1] == (",",):
        return True
    start = len(sentence.before) - len(sentence.run)
    anchors = [anchor for anchor in anchors_in(sentence.before) if anchor.end >= start]
    return any(_announces(anchor, language, mention, sentence) for anchor in anchors for language in anchor.languages)


def _announces(anchor: Anchor, language: str, mention: Mention, sentence: _Sentence) -> bool:
    between = sentence.before[anchor.end :]
    sorts = [sort_of(word, language) for word in between]
    after = sentence.after
    if anchor.start and sort_of(sentence.before[anchor.start - 1], language) & Sort.DOUBT:
        return False
    if sorts and sorts[-1] & Sort.JOIN and not sorts[-1] & Sort.ARTICLE and not {LEAKED, TYPED} & {*between}:
        return False
    is_made = any(sort & Sort.MADE for sort in sorts) or _leads_to(after, Sort.MADE, language)
    has_noun = any(sort & Sort.NOUN for sort in sorts)
    match anchor.kind:
        case AnchorKind.MAKER:
            fits = True
        case AnchorKind.POSING:
            fits = _goes_on_as_i(after, language) or (has_noun and is_made and not _goes_on_about_others(after))
        case AnchorKind.WEAK:
            fits = is_made or has_noun or _leads_to(after, Sort.NOUN, language)
        case AnchorKind.INTRO if mention.is_maker:
            fits = is_made or _is_makers_machine(between, sorts, after, language)
        case AnchorKind.INTRO:
            fits = is_made or has_noun or not sorts or not sorts[-1] & Sort.BY
        case _:
            assert_never(anchor.kind)
    return fits


def _is_makers_machine(between: Sequence[str], sorts: Sequence[Sort], after: Sequence[str], language: str) -> bool:
    """Such as "I'm X's assistant", "I'm the assistant of X", "I'm X ChatGPT"; but no "I'm an X engineer"."""
    behind = next((word for word in after if word != "s"), "")
    if is_family_word(behind):
        return True
    has_noun = any(sort & Sort.NOUN for sort in sorts[:-1])
    return has_noun or _leads_to(after, Sort.NOUN, language) or not (between or after)


def _goes_on_as_i(after: Sequence[str], language: str) -> bool:
    """Such as "as X, I …" or "as X's assistant I …"."""
    for place, word in enumerate(after):
        if sort_of(word, language) & Sort.SELF:
            return "," in after[max(0, place - 3) : place] or all(map(_is_passed_on, after[:place]))
    return False


def _goes_on_about_others(after: Sequence[str]) -> bool:
    return len(after) > 1 and after[0] == "," and (after[1] in {"it", "they", "he", "she"} or is_name_word(after[1]))


def _made_a_machine(sentence: _Sentence) -> bool:
    """Such as "I'm an AI that writes, trained by X", "I'm an AI. Built by X" and, with Y leaked, "Y, a model by X"."""
    made = frozenset[str]().union(*(languages_with(word, Sort.MADE) for word in sentence.run))
    bound = _noun_and_by(sentence.run)
    if LEAKED in sentence.run and made | bound:
        return True
    about = sentence.before if len(sentence.run) < len(sentence.before) else (*sentence.previous, *sentence.before)
    return any(
        language in made | bound and _is_a_machine(about[anchor.end :], language)
        for anchor in anchors_in(about)
        for language in anchor.languages
        if anchor.kind is not AnchorKind.POSING and len(about) - len(sentence.run) - anchor.end <= _TO_THE_MAKER
    )


def _noun_and_by(run: Sequence[str]) -> frozenset[str]:
    """The languages in which a run ends like "model from the"."""
    words = [word for word in run if not languages_with(word, Sort.ARTICLE)]
    if len(words) < 2:  # noqa: PLR2004 - a noun and a preposition
        return frozenset()
    return languages_with(words[-2], Sort.NOUN) & languages_with(words[-1], Sort.BY)


def _is_a_machine(words: Sequence[str], language: str) -> bool:
    return any(sort_of(word, language) & Sort.NOUN for word in words[:_TO_THE_MACHINE])


def _is_said_afterwards(sentence: _Sentence) -> bool:
    """Such as "X created me", "X here!", X と申します; and "me creó X", where it is said before."""
    behind = tuple(takewhile(_is_passed_on, sentence.after))
    return (
        _is_making_me(behind)
        or _is_making_me(sentence.run)
        or (len(sentence.run) == len(sentence.before) and _has_outro(sentence.after, passed=len(behind)))
    )


def _is_making_me(words: Sequence[str]) -> bool:
    me = frozenset[str]().union(*(languages_with(word, Sort.ME) for word in words))
    made = frozenset[str]().union(*(languages_with(word, Sort.MADE) for word in words))
    return bool(me & made)


def _has_outro(after: Sequence[str], *, passed: int) -> bool:
    return any(outro.start <= passed and after[outro.end : outro.end + 1] in {(), (",",)} for outro in outros_in(after))


def _is_a_duty(sentence: _Sentence) -> bool:
    """Such as "I'm sorry, but that goes against X's policy"."""
    start = len(sentence.before) - len(sentence.run)
    return (
        _leads_to(sentence.after, Sort.RULE)
        and any(languages_with(word, Sort.SELF) for word in sentence.before)
        and any(duty.end >= start for duty in duties_in(sentence.before))
    )


def _leads_to(words: Sequence[str], sort: Sort, language: str | None = None) -> bool:
    """Whether a word of that sort, in that or any language, comes before any that is none of ours."""
    for word in words:
        if sort_of(word, language) & sort if language else languages_with(word, sort):
            return True
        if not _is_passed_on(word):
            return False
    return False


def _is_passed_on(word: str) -> bool:
    return is_passed_over(word) or is_name_word(word)
