"""The names to look for: those of the pair, wherever they stand, and all others where somebody introduces himself."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

from arena.domain import ModelSpec
from arena.identity.derivation import own_names
from arena.identity.folding import UNSEEN
from arena.identity.lookup import Kind, Named, known_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that can give the models of a battle away; make them with `of`, once for a battle.

    Attributes:
        spelled: Latin names by their pieces, see `lookup.pieces`.
        native: names in other scripts, folded.
        beginnings: everything that a spelled name can begin with, up to the whole name.
        firsts: the first piece of each; and whatever of a first piece emphasis may cut off, with `*` behind it.
        native_pattern: finds the native ones, the longest first.
        native_beginnings: as `beginnings`, of the native ones.
    """

    spelled: Mapping[str, Named]
    native: Mapping[str, Named]
    beginnings: frozenset[str]
    firsts: frozenset[str]
    native_pattern: re.Pattern[str]
    native_beginnings: frozenset[str]

    @classmethod
    def of(cls, specs: Iterable[ModelSpec]) -> Self:
        """The names of a battle's models and all known ones; without a model, the known ones only."""
        known, added = known_names(), dict[str, Named]()
        for spec in specs:
            for name, named in own_names(spec).items():
                if named.kind is Kind.OWN or not (name in known or name in added):
                    added[name] = named
        return cls._extended(added)

    @classmethod
    def _extended(cls, added: Mapping[str, Named]) -> Self:
        known = _known()
        spelled = {name: named for name, named in added.items() if name.isascii()}
        native = {name: named for name, named in added.items() if not name.isascii()}
        return cls(
            spelled={**known.spelled, **spelled},
            native={**known.native, **native},
            beginnings=known.beginnings | _beginnings(spelled),
            firsts=known.firsts | _firsts(spelled),
            native_pattern=_pattern({**known.native, **native}) if native else known.native_pattern,
            native_beginnings=known.native_beginnings | _beginnings(native),
        )


@cache
def _known() -> Names:
    spelled = {name: named for name, named in known_names().items() if name.isascii()}
    native = {name: named for name, named in known_names().items() if not name.isascii()}
    return Names(
        spelled=spelled,
        native=native,
        beginnings=_beginnings(spelled),
        firsts=_firsts(spelled),
        native_pattern=_pattern(native),
        native_beginnings=_beginnings(native),
    )


def _beginnings(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name[:end] for name in names for end in range(1, len(name) + 1))


def _firsts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(first for name in names for first in _cut_off(name.split(" ", 1)[0]))


def _cut_off(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first[:end]}*" for end in range(1, len(first) + 1))


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    unseen = f"{UNSEEN}{{0,2}}"
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(unseen.join(map(re.escape, name)) for name in longest_first))
