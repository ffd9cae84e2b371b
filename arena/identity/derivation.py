"""The names of one model: those given in `arena.toml`, and those that follow from them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from arena.domain import ModelSpec
from arena.identity.folding import UNSPACED, fold, spaced_letters
from arena.identity.lexicon import GENERIC, NUMBERED, SETTINGS, Family
from arena.identity.lookup import Kind, Named, known_families, known_names, pieces, spelling

LONGEST_NAME = 48
"""Longer names are looked for by their first words."""

_TOKEN = re.compile(r"[a-z]*[0-9]+(?:\.[0-9]+)+[a-z]*|[a-z0-9]+|\+")
_TOLD_APART = re.compile(r"[,;:()\[\]|–—]")
_SIZE = re.compile(r"a?(?:\d+x)?\d+(?:\.\d+)?[bm]")
_DATE = re.compile(r"\d{4,8}")
_INNER_CAPITAL = re.compile(r"(?<=[a-z]{2})(?=[A-Z]{2}|[A-Z][a-z])")
_NATIVE = re.compile(f"[{UNSPACED}]{{2,}}|(?:{spaced_letters()}){{2,}}")
_SHORT = 2

_OWN = Named(Kind.OWN)
_ORDINARY = Named(Kind.MODEL, is_ordinary=True)


def own_names(spec: ModelSpec) -> Mapping[str, Named]:
    """The names of a model by their spelling.

    Given are name, display name, aliases and the last part of the upstream id. From those of a known family follow the
    family's word, alone if it means nothing else ("Qwen", but not "Claude"), with its version ("Claude 3.5"), with its
    variant ("Claude Sonnet") and with its maker ("Google Gemini"). A given name counts anywhere unless it is a single
    everyday word, a letter and a number, or two words that say nothing ("Model A").
    """
    table = {spelling(name): Named(Kind.MAKER) for name in (spec.organisation,) if name and spelling(name)}
    for given in (spec.name, spec.display_name, *spec.aliases, spec.upstream_id.rsplit("/", 1)[-1]):
        for text in (given, _TOLD_APART.split(given, maxsplit=1)[0], _INNER_CAPITAL.sub(" ", given)):
            for name, named in _names_in(text):
                if table.get(name, _ORDINARY) != _OWN:
                    table[name] = named
    return table


def _names_in(text: str) -> Iterator[tuple[str, Named]]:
    folded = fold(text)
    for native in _NATIVE.findall(folded):
        yield native, _judged(native, _known_or(native, _OWN))
    tokens = _TOKEN.findall(folded)
    if folded.isascii():
        yield from _named(tokens)
    while len(tokens) > 1 and _known_or(pieces(tokens[0]), _OWN).kind is Kind.MAKER:
        tokens = tokens[1:]
        yield from _named(tokens)
    yield from _derived(tokens)


def _derived(tokens: Sequence[str]) -> Iterator[tuple[str, Named]]:
    bare = _without_settings(tokens)
    head = "".join(takewhile(str.isalpha, tokens[0])) if tokens else ""
    family = known_families().get(head)
    if family is not None:
        yield from _of_family(head, tokens, family)
    elif 0 < len(bare) < len(tokens):
        name = pieces(" ".join(bare))
        yield name, _OWN if re.search("[0-9]", name) and len(name) > _SHORT + 1 else _ORDINARY


def _of_family(head: str, tokens: Sequence[str], family: Family) -> Iterator[tuple[str, Named]]:
    for count in range(1, len(tokens)):
        yield from _named(tokens[:count])
    for variant in tokens[1:]:
        if variant not in SETTINGS and not variant.isdigit() and re.search("[a-z]", variant):
            yield from _named([head, variant])
    for maker in filter(None, family.makers.split("|")):
        yield from _named([*maker.split(), head])
    yield from _named([head])
    if not family.ordinary:
        for name in filter(None, f"{family.words}|{family.native}".split("|")):
            if not name.isascii() or name.replace(" ", "") == head:
                yield spelling(name), _OWN


def _named(tokens: Sequence[str]) -> Iterator[tuple[str, Named]]:
    name = pieces(" ".join(tokens))
    while len(name) > LONGEST_NAME:
        name = name.rpartition(" ")[0]
    if name:
        yield name, _judged(name, _known_or(name, _OWN))


def _known_or(name: str, otherwise: Named) -> Named:
    return known_names().get(name, otherwise)


def _judged(name: str, known: Named) -> Named:
    """Whether a name counts anywhere."""
    words = name.split()
    says_nothing = len(words) <= _SHORT and all(word in GENERIC or not word.isalpha() for word in words)
    if known.kind is Kind.MAKER:
        return known
    is_short = name.isascii() and len(name.replace(" ", "")) <= _SHORT
    if known.is_ordinary or says_nothing or is_short or _is_numbered(words):
        return _ORDINARY
    return _OWN


def _is_numbered(words: Sequence[str]) -> bool:
    """Step 2, the Gemini 4 flight, Command R on a keyboard."""
    match words:
        case [head, tail] if tail.isdigit():
            return head in NUMBERED
        case [head, tail]:
            return len(tail) == 1 and _known_or(head, _OWN).is_ordinary
        case _:
            return False


def _without_settings(tokens: Sequence[str]) -> Sequence[str]:
    end = len(tokens)
    while end and (tokens[end - 1] in SETTINGS or _SIZE.fullmatch(tokens[end - 1]) or _DATE.fullmatch(tokens[end - 1])):
        end -= 1
    return tokens[:end]
