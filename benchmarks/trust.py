"""Every figure of docs/integrity.md in one table: the leak guard on its labelled set, and each simulated attacker.

    python benchmarks/trust.py                  the whole table as Markdown, a few minutes on one core
    python benchmarks/trust.py --worlds 3       the same from fewer worlds an attack

*Found* is the share of leaks, or of the attackers' accounts; *wronged* the share of harmless answers that lose their
vote, or of honest voters who are flagged (and of their votes that are held); *climb* how many places the target gains,
without the sweep and with it. `leaks.py` and `integrity.py` tell more of each.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from integrity import FEW_HELD, FEW_WRONGED, LOW_CLIMB, MOST_FOUND, NO_ALARM, ONE_THREAD, Scenario, row_of, scenarios
from leaks_set import Case, cases, guard, share

MOST_LEAKS, FEW_ORDINARY, FEW_TRAPS = 95.0, 1.0, 20.0
IN_SHORT = {
    MOST_FOUND: "found ≥ 90 %",
    FEW_WRONGED: "wronged ≤ 0.5 %",
    FEW_HELD: "their votes held ≤ 8 %",
    LOW_CLIMB: "climb ≤ 1",
    NO_ALARM: "no model in alarm",
}
NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table, as it is printed; `met` is None where nothing was to be reached."""

    what: str
    found: str = NOTHING
    wronged: str = NOTHING
    undefended: str = NOTHING
    defended: str = NOTHING
    to_reach: str = NOTHING
    met: bool | None = None


def main() -> None:
    if not ONE_THREAD.items() <= os.environ.items():  # numpy reads them when it is loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    options = _options()
    print("| what | found | wronged (votes held) | climb without | climb with | to reach | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    lines = []
    for line in chain(leak_lines(cases()), attack_lines(options.only, worlds=options.worlds)):
        lines.append(line)
        told = "" if line.met is None else "met" if line.met else "MISSED"
        print(f"| {' | '.join([*list(asdict(line).values())[:-1], told])} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(line) for line in lines], indent=2) + "\n", encoding="utf-8")


def leak_lines(every: Sequence[Case]) -> Iterator[Line]:
    """The guard on leaks, ordinary answers and traps: on all of them, and on those held out."""
    for title, chosen in (("all", every), ("held out", [case for case in every if case.part == "held-out"])):
        leaks, ordinary, traps = (
            [case for case in chosen if case.kind == kind] for kind in ("leak", "ordinary", "trap")
        )
        recall = 100.0 * (share(leaks, guard) or 0.0)
        found = f"{recall:.1f} %"
        wanted = f"found ≥ {MOST_LEAKS:g} %"
        yield Line(what=f"{len(leaks)} leaks, {title}", found=found, to_reach=wanted, met=recall >= MOST_LEAKS)
        yield _harmless(f"{len(ordinary)} ordinary answers, {title}", ordinary, most=FEW_ORDINARY)
        yield _harmless(f"{len(traps)} traps, {title}", traps, most=FEW_TRAPS)


def _harmless(what: str, chosen: Sequence[Case], *, most: float) -> Line:
    alarms = 100.0 * (share(chosen, guard) or 0.0)
    return Line(what=what, wronged=f"{alarms:.1f} %", to_reach=f"wronged ≤ {most:g} %", met=alarms <= most)


def attack_lines(only: str, *, worlds: int) -> Iterator[Line]:
    """Each kind of attacker, with the seeds 1, 2, 3 and so on."""
    for scenario in scenarios():
        if scenario.name.startswith(only):
            yield _attack(scenario, worlds=worlds)


def _attack(scenario: Scenario, *, worlds: int) -> Line:
    row = row_of(scenario, seeds=range(1, worlds + 1))
    sweep = row.outcomes["sweep"]
    return Line(
        what=" ".join(scenario.title.split()),
        found=f"{sweep.found:.0f} %" if scenario.plan else NOTHING,
        wronged=f"{sweep.wronged:.2f} % ({sweep.honest_held:.2f} %)",
        undefended=f"{row.climb:+.1f}",
        defended=f"{sweep.climb:+.1f}",
        to_reach=", ".join(IN_SHORT[target] for target in scenario.targets) or NOTHING,
        met=all(target.met(row) for target in scenario.targets) if scenario.targets else None,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20, help="worlds an attack")
    parser.add_argument("--only", default="", metavar="NAME", help="only the attacks whose name begins so")
    parser.add_argument("--json", type=Path, help="write the lines to this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
