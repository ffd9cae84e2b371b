"""How well the leak guard tells answers that give a model away from those that do not, and how fast it is.

    python benchmarks/leaks.py --json leaks.json

The answers are tests/data/names_in_answers.jsonl, whose README says how they came about. Beside the guard stands
FastChat's list of 33 substrings. Recall is of leaks, the other two are false alarms; "masked" is the share of the
leaked names that are gone from what is shown. Speed is CPU time of one core, for texts of a million characters as a
whole and in chunks of four; "held" is how many characters wait to be shown after a chunk.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from arena.domain import ModelSpec
from arena.identity import Masker, Names
from leaks_set import Case, cases, guard, share, substrings, unmasked

CHARACTERS = 1_000_000
CHUNK_CHARACTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """One row of the first table: shares from 0 to 1, None where there is nothing to count."""

    group: str
    leaks: int
    recall: float | None
    masked: float | None
    ordinary: int
    ordinary_alarms: float | None
    traps: int
    trap_alarms: float | None
    substring_recall: float | None
    substring_ordinary_alarms: float | None
    substring_trap_alarms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One row of the second: megabytes (UTF-8) a second, and how many characters are held back."""

    text: str
    whole_mb_per_second: float
    chunks_mb_per_second: float
    held_mean: float
    held_max: int


def main() -> None:
    options = _options()
    accuracy = [_accuracy(group, chosen) for group, chosen in _groups(cases())]
    _print_accuracy(accuracy)
    print()
    print(f"{'speed of':<30} {'whole MB/s':>10} {'by fours':>9} {'held':>6} {'at most':>8}")
    speeds = [_print_speed(_speed(name, text, options.characters)) for name, text in _texts().items()]
    if options.json:
        rows = {"accuracy": [asdict(row) for row in accuracy], "speed": [asdict(row) for row in speeds]}
        report = {"machine": platform.platform(), "load": os.getloadavg()[0], **rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--characters", type=int, default=CHARACTERS, help="length of the texts for the speed")
    parser.add_argument("--json", type=Path, help="write both tables to this file, too")
    return parser.parse_args()


def _groups(every: Sequence[Case]) -> Iterator[tuple[str, Sequence[Case]]]:
    yield "all", every
    for part in ("dev", "held-out"):
        yield part, [case for case in every if case.part == part]
    for language in sorted({case.language for case in every}):
        yield f"language {language}", [case for case in every if case.language == language]
    for family in sorted({case.family for case in every if case.family}):
        yield f"claims {family}", [case for case in every if case.family == family]


def _accuracy(group: str, chosen: Sequence[Case]) -> Accuracy:
    leaks, ordinary, traps = ([case for case in chosen if case.kind == kind] for kind in ("leak", "ordinary", "trap"))
    names = sum(len(case.names) for case in leaks)
    left = sum(len(unmasked(case)) for case in leaks)
    return Accuracy(
        group=group,
        leaks=len(leaks),
        recall=share(leaks, guard),
        masked=1 - left / names if names else None,
        ordinary=len(ordinary),
        ordinary_alarms=share(ordinary, guard),
        traps=len(traps),
        trap_alarms=share(traps, guard),
        substring_recall=share(leaks, substrings),
        substring_ordinary_alarms=share(ordinary, substrings),
        substring_trap_alarms=share(traps, substrings),
    )


def _print_accuracy(rows: Sequence[Accuracy]) -> None:
    print(f"{'':<20} {'leaks':>5} {'recall':>7} {'masked':>7}   ordinary        traps     | FastChat's list")
    print(f"{'group':<20} {'n':>5} {'%':>7} {'%':>7} {'n':>5} {'%':>5} {'n':>5} {'%':>5}  | recall  ordinary  traps")
    for row in rows:
        print(
            f"{row.group:<20} {row.leaks:5} {_percent(row.recall):>7} {_percent(row.masked):>7} {row.ordinary:5}"
            f" {_percent(row.ordinary_alarms):>5} {row.traps:5} {_percent(row.trap_alarms):>5}  |"
            f" {_percent(row.substring_recall):>6} {_percent(row.substring_ordinary_alarms):>9}"
            f" {_percent(row.substring_trap_alarms):>6}"
        )


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.1%}".removesuffix("%")


def _texts() -> Mapping[str, str]:
    ordinary = [case for case in cases() if case.kind == "ordinary"]
    return {
        "ordinary English answers": "\n\n".join(case.answer for case in ordinary if case.language == "en"),
        "ordinary Chinese, Japanese": "\n\n".join(case.answer for case in ordinary if case.language in {"zh", "ja"}),
        "ordinary Russian": "\n\n".join(case.answer for case in ordinary if case.language == "ru"),
        "leaks in all languages": "\n\n".join(case.answer for case in cases() if case.is_leak),
        "hostile: I am I am I am": "I am ",
        "hostile: one long word": "qwe",
        "hostile: I am Claude I am": "I am Claude ",
        "hostile: Claude Claude": "Claude ",
        "hostile: soft hyphens": "q\u00ad",
    }


def _speed(name: str, text: str, characters: int) -> Speed:
    text = (text * (characters // len(text) + 1))[:characters]
    names = Names.of(
        ModelSpec(name=name, provider="openai_chat", display_name=name)
        for name in ("claude-3-5-sonnet-20241022", "llama-3.3-70b")
    )
    begun = time.process_time()
    masker = Masker(names)
    masker.feed(text)
    masker.finish()
    whole_seconds = time.process_time() - begun
    begun = time.process_time()
    masker = Masker(names)
    for start in range(0, len(text), CHUNK_CHARACTERS):
        masker.feed(text[start : start + CHUNK_CHARACTERS])
    masker.finish()
    chunks_seconds = time.process_time() - begun
    held = _held(names, text[:100_000])
    megabytes = len(text.encode()) / 1e6
    return Speed(
        text=name,
        whole_mb_per_second=megabytes / max(whole_seconds, 1e-9),
        chunks_mb_per_second=megabytes / max(chunks_seconds, 1e-9),
        held_mean=sum(held) / len(held),
        held_max=max(held),
    )


def _held(names: Names, text: str) -> Sequence[int]:
    """How many characters wait after each chunk."""
    masker, held = Masker(names), []
    for start in range(0, len(text), CHUNK_CHARACTERS):
        masker.feed(text[start : start + CHUNK_CHARACTERS])
        held.append(masker.held_characters)
    return held


def _print_speed(row: Speed) -> Speed:
    speeds = f"{row.whole_mb_per_second:10.2f} {row.chunks_mb_per_second:9.2f}"
    print(f"{row.text:<30} {speeds} {row.held_mean:6.1f} {row.held_max:8}")
    return row


if __name__ == "__main__":
    main()
