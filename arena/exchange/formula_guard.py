"""Cells that a spreadsheet would run as formulas, made harmless and whole again.

OWASP, "CSV Injection": a cell that begins with one of these characters gets an apostrophe before it. A cell that
begins with apostrophes and then such a character gets one more, so that taking one away always restores it.
"""

import re

_RUNS = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # the last four are the full-width forms


def guarded(cell: str) -> str:
    """The cell as it may stand in a table of text."""
    return "'" + cell if _RUNS.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell[:1] == "'" and _RUNS.match(cell) else cell
