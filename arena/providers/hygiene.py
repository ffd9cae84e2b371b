"""Text that every database, log and browser takes: no lone surrogates, no control characters."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Carriage returns go without a trace: what is meant by them is in the line feed beside them.
_CONTROLS = {code: REPLACEMENT for code in [*range(0x20), *range(0x7F, 0xA0)] if code not in b"\n\t"} | {0x0D: None}


def clean(text: str) -> str:
    """`text` with surrogate pairs joined, lone halves and control characters (but newline and tab) replaced by U+FFFD.

    Carriage returns are removed.
    """
    if not _UNCLEAN.search(text):
        return text
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.translate(_CONTROLS)


class Cleaner:
    """Cleans a text that comes in pieces: a surrogate pair cut in two by a piece's end is joined.

    A half that is still waiting when the text ends was cut off there and is dropped.
    """

    def __init__(self) -> None:
        self._half = ""

    def __call__(self, piece: str) -> str:
        """What can be shown of the text up to here; may be empty while a half waits for its other half."""
        text = self._half + piece
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return clean(text[: len(text) - len(self._half)])
