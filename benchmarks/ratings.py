"""How long a rated board takes: from counts against fixed floors, from a table of votes against other packages.

    python benchmarks/ratings.py --votes 1000000 --models 100 --json ratings.json

Everything runs in one process, one after the other, and what can be is kept to one thread. Figures are the process's
CPU time, which neighbours on the machine disturb least; our own are the best of several runs. Packages that are not
installed are left out. They have an environment of their own, which needs nothing else of the arena:

    python3 -m venv .venv-peers
    .venv-peers/bin/pip install numpy pandas pyarrow evalica==0.4.2 scikit-learn arena-rank==0.1.1
    PYTHONPATH=. .venv-peers/bin/python benchmarks/ratings.py
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from leaderboard import (
    BradleyTerrySettings,
    EloSettings,
    Evidence,
    GameStyles,
    PairCounts,
    fold_elo,
    rank_ranges,
    rate_bradley_terry,
    rate_elo_order_free,
    rate_style_control,
)
from leaderboard.frames import games_from_frame
from ratings_peers import POINTS, WORDS, Peer, Votes, installed_peers

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
FLOORS_MS = {20: (0.3, 0.13), 100: (1.6, 0.66), 300: (12.0, 6.9)}
"""Models: cold and warm, as measured of a prototype; three times as long is allowed."""
ALLOWED = 3.0
ORDER_FREE_VOTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row; `reference` is the floor or our own time, `ratio` is how many times as long this took."""

    task: str
    who: str
    cpu_ms: float
    reference_ms: float
    ratio: float
    note: str = ""


def main() -> None:
    if not ONE_THREAD.items() <= os.environ.items():  # numpy reads them when it is loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    options = _options()
    print(f"{'task':<34} {'who':<24} {'CPU ms':>10} {'against':>11} {'ratio':>8}  note")
    rows = [*_from_counts(options.counts, seed=options.seed)]
    rows += _from_frame(_simulated(options.votes, options.models, seed=options.seed), repeats=options.repeats)
    if options.json:
        report = {"machine": platform.platform(), "cpus": os.cpu_count(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000], help="votes behind the counts")
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3, help="runs of our own, of which the best counts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    return parser.parse_args()


def _simulated(votes: int, models: int, *, seed: int) -> Votes:
    """Popularity falls as 1 / rank, strengths scatter by 100 points, 27 % ties of which half are both bad."""
    rng = np.random.default_rng(seed)
    names = np.array([f"vendor/model-{i:03}" for i in range(models)])
    strengths = rng.normal(0.0, 100.0 / POINTS, models)
    popularity = 1.0 / np.arange(1, models + 1)
    a, b = (rng.choice(models, 2 * votes, p=popularity / popularity.sum()) for _ in range(2))
    apart = np.flatnonzero(a != b)[:votes]
    a, b = a[apart], b[apart]
    chance = 1.0 / (1.0 + np.exp(strengths[b] - strengths[a]))
    tie = np.minimum(0.27, 2.0 * np.minimum(chance, 1.0 - chance))
    draw = rng.random(a.size)
    verdict = np.select([draw < chance - tie / 2, draw >= chance + tie / 2], [0, 1], 2 + rng.integers(2, size=a.size))
    frame = pd.DataFrame({"model_a": names[a], "model_b": names[b], "winner": WORDS[verdict]})
    sides = [np.exp(rng.normal(3.0, 0.6, (a.size, 4)) + 0.2 * strengths[seat, None]).astype(int) for seat in (a, b)]
    return Votes(frame, GameStyles(side_a=sides[0], side_b=sides[1]))


def _from_counts(sizes: Sequence[int], *, seed: int) -> list[Measure]:
    rows = []
    for models, floors in FLOORS_MS.items():
        for votes in sizes:
            counts = PairCounts.from_games(games_from_frame(_simulated(votes, models, seed=seed).frame))
            rows += _cold_and_warm(counts, floors=floors, votes=votes)
    return rows


def _cold_and_warm(counts: PairCounts, *, floors: tuple[float, float], votes: int) -> list[Measure]:
    before = rate_bradley_terry(Evidence(counts=counts)).ratings
    wins = counts.wins.copy()
    wins[0, 1] += 1
    evidence, after = Evidence(counts=counts), Evidence(counts=replace(counts, wins=wins))
    models = len(counts.names)

    def rate(which: Evidence, warm: Mapping[str, float] | None) -> object:
        return rank_ranges(rate_bradley_terry(which, warm=warm).estimate)

    cold = _best_ms(lambda: rate(evidence, None), repeats=20)
    warm = _best_ms(lambda: rate(after, before), repeats=20)
    note = f"{votes:,} votes; at most {ALLOWED:.0f} times is allowed"
    return [
        _row(f"counts, {models} models, cold", "Bradley-Terry, CI, ranks", cold, floors[0], note),
        _row(f"counts, {models} models, one more vote", "Bradley-Terry, CI, ranks", warm, floors[1], note),
    ]


def _from_frame(votes: Votes, *, repeats: int) -> list[Measure]:
    task = f"{len(votes.frame):,} votes"
    rows = []
    ours = {"Bradley-Terry, CI": _our_bradley_terry, "Elo": _our_elo, "style control": _our_style}
    for kind, rate in ours.items():
        own_ms = _best_ms(partial(rate, votes), repeats=repeats)
        rows.append(_row(f"{task}, {kind}", "leaderboard", own_ms, own_ms, "from the table of strings"))
        exact = rate(votes)
        for who, peer in installed_peers(kind).items():
            rows.append(_against(f"{task}, {kind}", who, peer, votes=votes, own_ms=own_ms, exact=exact))
    part = games_from_frame(votes.frame.head(ORDER_FREE_VOTES))
    order_free = _best_ms(lambda: rate_elo_order_free(Evidence.from_games(part)), repeats=1)
    rows.append(_row(f"{len(part):,} votes, Elo in 100 orders", "leaderboard", order_free, order_free, "from counts"))
    return rows


def _against(task: str, who: str, peer: Peer, *, votes: Votes, own_ms: float, exact: Mapping[str, float]) -> Measure:
    some = slice(20_000)
    peer.rate(Votes(votes.frame[some], GameStyles(side_a=votes.styles.side_a[some], side_b=votes.styles.side_b[some])))
    begun = time.process_time()  # after the imports, and after what it compiles once and for all
    points = peer.rate(votes)
    cpu_ms = (time.process_time() - begun) * 1e3 * peer.rounds
    expected = pd.Series(dict(exact))[list(points.index)].to_numpy()
    gaps = np.abs((points.to_numpy() - points.mean()) - (expected - expected.mean()))
    note = f"{peer.note}; " if peer.note else ""
    return _row(task, who, cpu_ms, own_ms, f"{note}differs by {gaps.max():.2g} points at most")


def _our_bradley_terry(votes: Votes) -> Mapping[str, float]:
    counts = PairCounts.from_games(games_from_frame(votes.frame))
    return rate_bradley_terry(Evidence(counts=counts), settings=BradleyTerrySettings(prior=0.0)).ratings


def _our_elo(votes: Votes) -> Mapping[str, float]:
    return fold_elo(games_from_frame(votes.frame), settings=EloSettings(k=4.0)).ratings


def _our_style(votes: Votes) -> Mapping[str, float]:
    return rate_style_control(Evidence.from_games(games_from_frame(votes.frame), styles=votes.styles)).ratings


def _best_ms(run: Callable[[], object], *, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        run()
        times.append(time.process_time() - begun)
    return min(times) * 1e3


def _row(task: str, who: str, cpu_ms: float, reference_ms: float, note: str) -> Measure:
    row = Measure(task=task, who=who, cpu_ms=cpu_ms, reference_ms=reference_ms, ratio=cpu_ms / reference_ms, note=note)
    print(f"{row.task:<34} {row.who:<24} {row.cpu_ms:10.2f} {row.reference_ms:11.2f} {row.ratio:8.2f}  {row.note}")
    return row


if __name__ == "__main__":
    main()
