"""Who is found out, who is wronged, and how far the target climbs: simulated attackers against every defence.

    python benchmarks/integrity.py                       the whole table, a few minutes on one core
    python benchmarks/integrity.py --worlds 3            the same from fewer worlds
    python benchmarks/integrity.py --only target-only    the rows whose name begins so
    python benchmarks/integrity.py --scale 1000000       how long one sweep over so many votes takes

A row is the mean over worlds (`integrity_worlds.py`) with the seeds 1, 2, 3 and so on. *Climb* is how many places the
target stands above its rank on the honest board, with the votes left out that a defence names. The defences: none; the
two published tests; the test of single voters ("voters"); that and the tests of cohorts and models ("groups"); and the
whole sweep, which also looks at who abstains and at the rules of the moment ("sweep").
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from integrity_worlds import Attack, Crowd, Plan, World, attacked_world, board, honest_world, large_world
from leaderboard import PairCounts
from leaderboard.integrity import Check, IntegritySettings, fastchat_test, paper_test, sweep, votes_to_flip

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SWEEPS = {
    "voters": IntegritySettings(checks=frozenset({Check.RESIDUALS})),
    "groups": IntegritySettings(checks=frozenset({Check.RESIDUALS, Check.ALARM, Check.COHORTS})),
    "sweep": IntegritySettings(),
}
PUBLISHED: Mapping[str, Callable[[World], NDArray[np.bool_]]] = {
    "FastChat": lambda world: fastchat_test(world.ballots, voters=len(world.facts)),
    "paper .1": lambda world: paper_test(world.ballots, voters=len(world.facts), alpha=0.1),
    "paper .3": lambda world: paper_test(world.ballots, voters=len(world.facts), alpha=0.3),
}
DEFENCES = (*PUBLISHED, *SWEEPS)
NOBODY_TRUSTED = Crowd(trusted=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one defence did in a world, or on average over worlds; all but the climb in percent.

    `found` are the accounts of attackers, `held` their votes, `wronged` the honest voters and `honest_held` theirs.
    """

    climb: float
    found: float
    held: float
    wronged: float
    honest_held: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scenario's figures, in one world or over several; `climb` and `points` are gained when nobody defends."""

    title: str
    worlds: int
    votes: float
    accounts: float
    climb: float
    points: float
    outcomes: Mapping[str, Outcome]
    alarms: int
    cohorts: int
    sweep_cpu_ms: float
    flips: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure that a row has to reach."""

    what: str
    limit: float
    figure: Callable[[Row], float]
    at_least: bool = False

    def met(self, row: Row) -> bool:
        """Whether it does."""
        figure = self.figure(row)
        return figure >= self.limit if self.at_least else figure <= self.limit


FEW_WRONGED = Target(what="honest voters flagged, %", limit=0.5, figure=lambda row: row.outcomes["sweep"].wronged)
NO_ALARM = Target(what="models in alarm, in all worlds", limit=0.0, figure=lambda row: row.alarms)
MOST_FOUND = Target(what="accounts found, %", limit=90.0, figure=lambda row: row.outcomes["sweep"].found, at_least=True)
LOW_CLIMB = Target(what="climb, places", limit=1.0, figure=lambda row: row.outcomes["sweep"].climb)
FEW_HELD = Target(what="honest votes held, %", limit=8.0, figure=lambda row: row.outcomes["sweep"].honest_held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """An attack or none, in one kind of crowd; without `trusted` voters nobody is known to be honest."""

    name: str
    plan: Plan | None = None
    crowd: Crowd = NOBODY_TRUSTED
    targets: tuple[Target, ...] = ()

    @property
    def title(self) -> str:
        """The row's first columns."""
        trust = f"{self.crowd.trusted:.0%} trusted" if self.crowd.trusted else ""
        if self.plan is None:
            return f"{self.name:<40}{trust}".rstrip()
        days = f"{self.plan.sign_up_days} days" if self.plan.sign_up_days else ""
        return f"{self.name:<16}{self.plan.share:>4.0%}, {self.plan.votes_each:>2} each  {days:<8}{trust}".rstrip()

    def world(self, seed: int) -> World:
        """The scenario's world of this seed."""
        if self.plan is None:
            return honest_world(seed, crowd=self.crowd)
        return attacked_world(seed, self.plan, crowd=self.crowd)


def main() -> None:
    if not ONE_THREAD.items() <= os.environ.items():  # numpy reads them when it is loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    options = _options()
    if options.scale:
        _time_one_sweep(options.scale, models=options.models, seed=options.seed)
        return
    chosen = [each for each in scenarios() if each.name.startswith(options.only)]
    _print_heading()
    rows = []
    for scenario in chosen:
        rows.append(row_of(scenario, seeds=range(options.seed, options.seed + options.worlds)))
        _print_row(rows[-1])
    _print_targets(chosen, rows)
    if options.json:
        report = {"machine": platform.platform(), "cpus": os.cpu_count(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def scenarios() -> Iterator[Scenario]:
    """All rows."""
    none, some = NOBODY_TRUSTED, Crowd(trusted=0.3)
    honest = (FEW_WRONGED, NO_ALARM)
    yield Scenario(name="honest", targets=honest)
    yield Scenario(name="honest", crowd=some, targets=honest)
    yield Scenario(name="honest, taste of 100 points", crowd=replace(none, taste=100.0))
    yield Scenario(name="honest, taste with heavy tails", crowd=replace(none, heavy_tails=True))
    yield Scenario(name="honest, a quarter from elsewhere", crowd=replace(none, community=0.25))
    for share in (0.05, 0.10):
        yield _attack(Attack.TARGET_ONLY, share, targets=(MOST_FOUND, FEW_WRONGED, LOW_CLIMB))
    yield _attack(Attack.TARGET_ONLY, 0.20)
    yield _attack(Attack.TARGET_ONLY, 0.20, crowd=some, targets=(LOW_CLIMB,))
    yield _attack(Attack.TARGET_ONLY, 0.10, votes_each=10)
    yield _attack(Attack.TARGET_ONLY, 0.10, votes_each=10, crowd=some)
    for attack in (Attack.TARGET_ONLY, Attack.OMNIPRESENT):
        yield _attack(attack, 0.10, votes_each=10, sign_up_days=2, targets=(LOW_CLIMB, FEW_HELD))
    for attack in (Attack.OMNIPRESENT, Attack.FOLLOWS, Attack.FOLLOWS_LOOSELY):
        for share in (0.05, 0.10, 0.20):
            yield _attack(attack, share)
        yield _attack(attack, 0.20, crowd=some)
    for share in (0.10, 0.20):
        yield _attack(Attack.FOLLOWS_LOOSELY, share, votes_each=10, sign_up_days=2)
    yield _attack(Attack.ALWAYS_LEFT, 0.05, targets=(MOST_FOUND,))
    yield _attack(Attack.RANDOM, 0.05)


def _attack(
    attack: Attack,
    share: float,
    *,
    crowd: Crowd | None = None,
    votes_each: int = 50,
    sign_up_days: int | None = None,
    targets: tuple[Target, ...] = (),
) -> Scenario:
    plan = Plan(attack=attack, share=share, votes_each=votes_each, sign_up_days=sign_up_days)
    return Scenario(name=attack.value, plan=plan, crowd=crowd or NOBODY_TRUSTED, targets=targets)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20, help="worlds a row")
    parser.add_argument("--seed", type=int, default=1, help="of the first world of each row")
    parser.add_argument("--only", default="", metavar="NAME", help="only the rows whose name begins so")
    parser.add_argument("--scale", type=int, metavar="VOTES", help="time one sweep instead")
    parser.add_argument("--models", type=int, default=100, help="with --scale")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    return parser.parse_args()


def row_of(scenario: Scenario, *, seeds: Sequence[int]) -> Row:
    """What comes of a scenario in the worlds of these seeds, on average."""
    seen = [_of_one_world(scenario.title, scenario.world(seed)) for seed in seeds]
    return Row(
        title=scenario.title,
        worlds=len(seen),
        votes=fmean(each.votes for each in seen),
        accounts=fmean(each.accounts for each in seen),
        climb=fmean(each.climb for each in seen),
        points=fmean(each.points for each in seen),
        outcomes={name: _mean([each.outcomes[name] for each in seen]) for name in DEFENCES},
        alarms=sum(each.alarms for each in seen),
        cohorts=sum(each.cohorts for each in seen),
        sweep_cpu_ms=fmean(each.sweep_cpu_ms for each in seen),
        flips=median(each.flips for each in seen),
    )


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    columns = zip(*(asdict(each).values() for each in outcomes), strict=True)
    return Outcome(**dict(zip(asdict(outcomes[0]), map(fmean, columns), strict=True)))


def _of_one_world(title: str, world: World) -> Row:
    ballots, nothing = world.ballots, np.zeros(len(world.ballots), np.bool_)
    outcomes = {}
    for name, test in PUBLISHED.items():
        flagged = test(world)
        outcomes[name] = _outcome(world, flagged, flagged[ballots.voter] & ballots.voted)
    for name, settings in SWEEPS.items():
        begun = time.process_time()
        findings = sweep(ballots, world.facts, settings=settings)
        cpu_seconds = time.process_time() - begun
        flagged = np.isin(np.arange(len(world.facts)), findings.held_voters)
        outcomes[name] = _outcome(world, flagged, findings.hold)
    honest, everything = board(ballots, ~world.by_attackers), board(ballots, ~nothing)
    flip = votes_to_flip(PairCounts.from_games(ballots.games(~nothing)))
    return Row(
        title=title,
        worlds=1,
        votes=int(ballots.voted.sum()),
        accounts=world.accounts,
        climb=world.climb(nothing),
        points=float(everything[world.target] - honest[world.target]),
        outcomes=outcomes,
        alarms=len(findings.alarms),
        cohorts=len(findings.cohorts),
        sweep_cpu_ms=1000.0 * cpu_seconds,
        flips=flip.votes if flip else 0,
    )


def _outcome(world: World, flagged: NDArray[np.bool_], left_out: NDArray[np.bool_]) -> Outcome:
    attackers, theirs = world.attackers, world.by_attackers
    return Outcome(
        climb=world.climb(left_out),
        found=_percent(flagged, attackers),
        held=_percent(left_out, theirs),
        wronged=_percent(flagged, ~attackers),
        honest_held=_percent(left_out, world.ballots.voted & ~theirs),
    )


def _percent(found: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return 100.0 * float(found[among].mean()) if among.any() else 0.0


def _print_heading() -> None:
    print(
        "Climb of the target, in places; accounts found (their votes held); honest voters flagged (their votes held).\n"
    )
    print(f"{'':<52} {'undefended':<12} {'':>8} {'':>8} {'':>8}  {'voters':<12}{'groups':<12}sweep")
    columns = "climb  found    climb  found    climb  found  (votes)  flagged  (votes)"
    print(f"{'':<52} {'climb points':<12} {'FastChat':>8} {'paper .1':>8} {'paper .3':>8}  {columns}")


def _print_row(row: Row) -> None:
    voters, groups, whole = (row.outcomes[name] for name in SWEEPS)
    published = " ".join(f"{row.outcomes[name].climb:+8.1f}" for name in PUBLISHED)
    print(
        f"{row.title:<52} {row.climb:+5.1f} {row.points:+6.0f} {published}"
        f"  {voters.climb:+5.1f} {voters.found:5.0f}%   {groups.climb:+5.1f} {groups.found:5.0f}%"
        f"   {whole.climb:+5.1f} {whole.found:5.0f}% {whole.held:7.0f}%"
        f" {whole.wronged:7.2f}% {whole.honest_held:7.2f}%",
        flush=True,
    )


def _print_targets(chosen: Sequence[Scenario], rows: Sequence[Row]) -> None:
    print("\nTo reach, and reached by the whole sweep:")
    for scenario, row in zip(chosen, rows, strict=True):
        for target in scenario.targets:
            sign, word = ("≥" if target.at_least else "≤"), ("met" if target.met(row) else "MISSED")
            print(f"{row.title:<52} {target.what:<31} {sign} {target.limit:<5g} {target.figure(row):6.2f}  {word}")
    first = rows[0]
    flagged = ", ".join(f"{name} {first.outcomes[name].wronged:.1f} %" for name in PUBLISHED)
    print(f"\nThe published tests flag so many honest voters in the first row: {flagged}.")
    print(f"Dropping {first.flips:g} of {first.votes:,.0f} votes (median) costs its leader the first place.")
    print(f"One sweep takes {max(row.sweep_cpu_ms for row in rows):.0f} ms of CPU in the slowest row.")


def _time_one_sweep(votes: int, *, models: int, seed: int) -> None:
    world = large_world(seed, votes=votes, models=models)
    begun = time.process_time()
    findings = sweep(world.ballots, world.facts)
    cpu_seconds = time.process_time() - begun
    found = np.isin(np.flatnonzero(world.attackers), findings.held_voters)
    wronged = len(findings.held_voters) - int(found.sum())
    battles, votes = len(world.ballots), int(world.ballots.voted.sum())
    print(f"{votes:,} votes of {len(world.facts):,} voters in {battles:,} battles of {models} models:")
    print(f"{cpu_seconds:.2f} s of CPU; {found.sum()} of {found.size} attackers found, {wronged} honest voters flagged")


if __name__ == "__main__":
    main()
