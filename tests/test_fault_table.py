"""The table in docs/providers.md says what the code does."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arena.domain import Fault
from tests.fault_cases import CASES, OWN_FAULTS
from words import FAULTS

PAGE = Path(__file__).parents[1] / "docs" / "providers.md"
HEAD = "| what the upstream does | what the person sees | recorded as | asked again |"


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One cause: the sentence it leads to, its recorded name, whether the model is asked again."""

    cause: str
    sentence: str
    recorded: str
    asked_again: str


def written() -> Iterator[Line]:
    """What the page says, one line per cause."""
    _, table = PAGE.read_text(encoding="utf-8").split(f"{HEAD}\n| --- | --- | --- | --- |\n")
    for row in table.split("\n\n")[0].splitlines():
        causes, sentence, recorded, asked_again = row.strip("| ").split(" | ")
        yield from (Line(cause, sentence, recorded, asked_again) for cause in causes.split("; "))


def true() -> Iterator[Line]:
    """What the tests of the faults have shown."""
    for case in CASES.values():
        yield line(case.words, case.fault, asked_again=case.asked_again)
    for fault, words in OWN_FAULTS.items():
        yield line(words, fault, asked_again=False)


def line(words: str, fault: Fault | None, *, asked_again: bool) -> Line:
    sentence, recorded = (FAULTS[fault], fault.value) if fault else ("the answer", "ok")
    return Line(words, sentence, f"`{recorded}`", "once" if asked_again else "no")


def test_the_table_of_faults_says_what_the_code_does() -> None:
    assert sorted(written()) == sorted(true())


def test_every_fault_stands_in_the_table() -> None:
    assert {line.recorded for line in written()} == {"`ok`", *(f"`{fault}`" for fault in Fault)}
