"""Reads the name that may stand at one place of a text, and judges it by what stands around it."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from string import ascii_lowercase, digits

from arena.identity.folding import UNSEEN
from arena.identity.grammar import SENTENCE_END
from arena.identity.lexicon import QUALIFIERS
from arena.identity.lookup import PIECE, Kind, Named, pieces
from arena.identity.names import Names
from arena.identity.phrases import Mention, introduces
from arena.identity.typed import Typed

# Everything that decides about a name lies within these distances of it, in characters: so no more than their sum is
# ever held back, and the work for one name does not grow with the answer.
SPAN = 96
_AHEAD = 48
_VERSION = 24

_EMPHASIS = re.compile(f"[*~`{UNSEEN}]{{1,4}}")
_GAP = re.compile(r"[ \-_/:]{1,2}|\.(?! )")
# A version that follows a name: numbers, of which a bare one of several digits is none ("Qwen 44 s"), and words.
_NUMBER = r"v?\d{1,4}(?:[.-]\d{1,4})+[a-z]{0,2}|(?<! )v?\d{1,4}[a-z]{0,2}|\d|\d{1,3}[a-z]{1,2}"
_WORDS = "|".join(sorted(QUALIFIERS, reverse=True))
_TAIL = re.compile(rf"(?:[ \-_.:]?(?:{_NUMBER}|r?\+|{_WORDS})(?![a-z0-9{UNSEEN}]))*")
_LATIN = frozenset(ascii_lowercase + digits)


class NeedsMoreText(Exception):
    """Nothing can be said before the text is `length` characters long, ends, or its sentence does."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


class Finding(Enum):
    """NOTHING stands there; a name stands there that the person TYPED first; a LEAK does."""

    NOTHING = auto()
    TYPED = auto()
    LEAK = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands at a place, and where it ends."""

    end: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    named: Named
    end: int


class Reader:
    """Judges names one by one; it keeps nothing in between."""

    def __init__(self, names: Names, typed: Typed) -> None:
        self._names = names
        self._typed = typed

    def read(self, raw: str, folded: str, start: int, *, before: str, final: bool) -> Reading:
        """What stands at `start`, where a word begins that a name begins with.

        `raw` and `folded` are the text from somewhere on, `before` is folded text up to `start`. Without `final` more
        text follows.

        Raises:
            NeedsMoreText: the judgement may depend on it.
        """
        is_latin = folded[start].isascii()
        nothing = max(start + 1, _end_of(PIECE, folded, start))
        found = self._spelled(folded, start, final=final) if is_latin else self._native(folded, start)
        if found is None:
            return Reading(nothing, Finding.NOTHING)
        ahead = _ahead(folded, found, final=final)
        version = "" if found.named.kind is Kind.MAKER else ahead[: _end_of(_TAIL, ahead[:_VERSION], 0)]
        end = found.end + len(version)
        if is_latin and ahead[len(version) : len(version) + 1] in _LATIN:
            return Reading(nothing, Finding.NOTHING)
        if self._typed.has(found.name, versioned=pieces(folded[start:end]) if is_latin and version else found.name):
            return Reading(end, Finding.TYPED)
        mention = _mention(raw[start : end + 3], found, before=before, version=version, after=ahead[len(version) :])
        return Reading(end, Finding.LEAK if found.named.kind is Kind.OWN or introduces(mention) else Finding.NOTHING)

    def _spelled(self, folded: str, start: int, *, final: bool) -> _Found | None:
        """The longest Latin name at `start`; blanks, hyphens, emphasis and the like may set its pieces apart."""
        name, at, found = "", start, None
        while (piece := PIECE.match(folded, at)) and piece.end() <= start + SPAN:
            name += pieces(piece[0])
            if name not in self._names.beginnings:
                break
            at = _end_of(_EMPHASIS, folded, piece.end())
            gap = _GAP.match(folded, at)
            at = _end_of(_EMPHASIS, folded, gap.end()) if gap else at
            if at == len(folded) and not final:
                raise NeedsMoreText(len(folded) + 1)
            if name in self._names.spelled:
                found = _Found(name, self._names.spelled[name], piece.end())
            if gap or not (piece[0][0].isalpha() and folded[at : at + 1].isalpha()):
                name += " "
        return found

    def _native(self, folded: str, start: int) -> _Found | None:
        """The longest name in another script at `start`; that it may go on, `_ahead` waits for."""
        match = self._names.native_pattern.match(folded, start)
        if match is None:
            return None
        name = match[0].replace(UNSEEN, "")
        return _Found(name, self._names.native[name], match.end())


def _ahead(folded: str, found: _Found, *, final: bool) -> str:
    """What follows a name, as far as it matters: up to the end of the sentence, or so many characters."""
    reach = _VERSION if found.named.kind is Kind.OWN else _AHEAD
    ahead = folded[found.end : found.end + reach]
    sentence_end = SENTENCE_END.search(ahead)
    if sentence_end is None and len(ahead) < reach and not final:
        raise NeedsMoreText(found.end + reach)
    return ahead[: sentence_end.end()] if sentence_end else ahead


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _mention(raw: str, found: _Found, *, before: str, version: str, after: str) -> Mention:
    """`raw` begins with the name and goes on for three characters."""
    first, behind = raw[:1], raw[-3:]
    return Mention(
        before=before,
        after=after,
        is_maker=found.named.kind is Kind.MAKER,
        is_ordinary=found.named.is_ordinary,
        has_version=any(character.isdigit() for character in found.name + version),
        is_small=first.islower(),
        is_surnamed=behind[:1] == " " and behind[1:2].isupper() and behind[2:].islower(),
    )
