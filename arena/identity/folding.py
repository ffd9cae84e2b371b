"""One spelling for all ways to write a word: each character becomes exactly one, so that places stay places."""

import re
import unicodedata
from functools import lru_cache

# What cannot be seen (zero-width characters, soft hyphens, combining accents, private use) becomes this.
UNSEEN = "\u00ad"

# Scripts that put no spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]")
_INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0"
# Letters that Unicode does not take apart, and signs that are typed in many ways.
_PLAIN = dict(zip("ßłøđıæœðþ’‘ʼ′＇“”„«»‹›", "slodiaodt'''''\"\"\"\"\"''", strict=True))
# Only here accents are decoration; elsewhere (Japanese, Hindi, Korean) what can be taken apart makes another letter.
_ACCENTED = re.compile("[\u00c0-\u024f\u0370-\u06ff\u1e00-\u1fff]")


def fold(text: str) -> str:
    """`text` in small letters without accents, wide or decorated forms, as long as before, character by character."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Fold(dict[int, str]):
    """The table for `str.translate`, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded_character(chr(code))
        return folded


_FOLDED = _Fold()


def _folded_character(character: str) -> str:
    if unicodedata.category(character) in {"Cf", "Co"} or _ACCENTS.match(character) or character in _INVISIBLE_LETTERS:
        return UNSEEN
    folded = _or_same(unicodedata.normalize("NFKC", character).casefold(), character)
    folded = _PLAIN.get(folded, folded)
    if _ACCENTED.match(folded):
        apart = unicodedata.normalize("NFD", folded)
        return apart[0].lower() if all(map(_ACCENTS.match, apart[1:])) else folded
    return "-" if unicodedata.category(folded) == "Pd" else folded


def _or_same(folded: str, character: str) -> str:
    """A ligature would become two characters: it stays what it is."""
    return folded if len(folded) == 1 else _PLAIN.get(character.lower(), character)


@lru_cache(maxsize=1)
def spaced_letters() -> str:
    """The inside of a character class: letters of scripts with spaces but Latin, and the marks that belong to them."""
    return f"[^\\W\\d_a-z{UNSPACED}]|[\u0900-\u0dff]"
