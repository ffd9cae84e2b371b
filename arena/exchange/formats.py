"""The table of vote formats: one file each, one line each. Recognition asks in this order, the loosest last."""

from collections.abc import Mapping
from pathlib import Path

from arena.errors import ImportRefused, UnknownFormat
from arena.exchange import (
    clean_battle,
    comparia_votes,
    lmarena_55k,
    lmarena_100k,
    lmarena_140k,
    open_webui,
    pair_counts,
    plain,
)
from arena.exchange.format import Format
from arena.exchange.tables import Sample

FORMATS: Mapping[str, Format] = {
    "pair_counts": pair_counts.FORMAT,
    "lmarena_140k": lmarena_140k.FORMAT,
    "lmarena_100k": lmarena_100k.FORMAT,
    "lmarena_55k": lmarena_55k.FORMAT,
    "comparia_votes": comparia_votes.FORMAT,
    "open_webui": open_webui.FORMAT,
    "clean_battle": clean_battle.FORMAT,
    "plain": plain.FORMAT,
}


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        UnknownFormat: there is none; names those there are.
    """
    if name not in FORMATS:
        raise UnknownFormat(f"There is no format {name!r}; known are {', '.join(FORMATS)}.")
    return FORMATS[name]


def recognised(path: Path) -> str:
    """The name of the format in which a file is written, by its content.

    Raises:
        ImportRefused: none fits, or the file cannot be read.
    """
    sample = Sample.of(path)
    for name, format_ in FORMATS.items():
        if format_.recognise(sample):
            return name
    columns = ", ".join(sorted(sample.columns)[:12]) or "none"
    raise ImportRefused(
        f"{path.name} is in no known format (its columns: {columns[:300]}). A plain table needs model_a, model_b and "
        f"winner; or name one with --format: {', '.join(FORMATS)}."
    )
