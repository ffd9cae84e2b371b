"""Pure: the fenced code blocks of a text."""

import re

_FENCE = re.compile(r"^[ ]{0,3}(?:`{3,}|~{3,})", re.MULTILINE)


def has_code(text: str) -> bool:
    """Whether there is a fenced block."""
    return _FENCE.search(text) is not None


def without_code(text: str) -> str:
    """Every second stretch between fences is outside; an open fence runs to the end, as in CommonMark."""
    return "\n".join(_FENCE.split(text)[::2])
