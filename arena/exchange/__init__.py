"""The door to files of other tools."""

from arena.exchange.api_endpoints import import_api_endpoints
from arena.exchange.format import Format
from arena.exchange.formats import FORMATS, format_named
from arena.exchange.formula_guard import guarded
from arena.exchange.reading import VoteFile
from arena.exchange.strict_json import read_json
from arena.exchange.writing import kind_for, write_tallies, write_votes

__all__ = [
    "FORMATS",
    "Format",
    "VoteFile",
    "format_named",
    "guarded",
    "import_api_endpoints",
    "kind_for",
    "read_json",
    "write_tallies",
    "write_votes",
]
