"""How names are spelled, and what the known ones stand for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from arena.identity.folding import UNSEEN, fold
from arena.identity.lexicon import FAMILIES, ORDINARY_MAKERS, Family, maker_names

PIECE = re.compile(rf"(?:[a-z]{UNSEEN}{{0,3}})+|[0-9]+|\+")


class Kind(Enum):
    """How a name counts: OWN anywhere; a MODEL's and a MAKER's only where somebody introduces himself."""

    OWN = auto()
    MODEL = auto()
    MAKER = auto()


@dataclass(frozen=True, slots=True)
class Named:
    """What a spelling stands for; `is_ordinary` when the word means something else as well."""

    kind: Kind
    is_ordinary: bool = False


def pieces(text: str) -> str:
    """A name as it is looked for, letters and digits apart: "gpt 4 o" for GPT-4o, GPT4o and "gpt 4o" alike.

    A plus sign is the word "plus". Only Latin letters and digits are kept.
    """
    found = PIECE.findall(fold(text))
    return " ".join("plus" if piece == "+" else piece.replace(UNSEEN, "") for piece in found)


def spelling(name: str) -> str:
    """The key of a name in the tables: its `pieces`, or as a whole, folded, when it is not all Latin."""
    folded = fold(name)
    return pieces(folded) if folded.isascii() else folded


@cache
def known_names() -> Mapping[str, Named]:
    """Every known name by its spelling; none of them is OWN."""
    everyday = frozenset(ORDINARY_MAKERS.split("|"))
    table = {spelling(maker): Named(Kind.MAKER, is_ordinary=maker in everyday) for maker in maker_names()}
    for family in FAMILIES:
        for name in _spellings(family):
            table[name] = Named(Kind.MODEL, is_ordinary=family.ordinary)
    return table


@cache
def known_families() -> Mapping[str, Family]:
    """The family of each name that is one Latin word."""
    return {name: family for family in FAMILIES for name in _spellings(family) if name.isascii() and name.isalpha()}


def _spellings(family: Family) -> Iterator[str]:
    yield from (spelling(name) for name in f"{family.words}|{family.native}".split("|") if name)
