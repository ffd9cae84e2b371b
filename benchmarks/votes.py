"""How many votes a second one process can take on SQLite, and how long a voter waits for the acknowledgement.

    python benchmarks/votes.py --threads 1 16 64 --seconds 3 --json votes.json

Each thread casts one vote after the other and waits for its commit, as voters do; battles are prepared beforehand and
not timed. CPU is the whole process's, voters included. Afterwards everything is recomputed from the votes.
"""

import argparse
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from arena.domain import ModelSpec, Reply, ReplyStatus, Seats, Side
from arena.store import NewBattle, Store
from leaderboard.verdicts import Verdict

MODELS = 5
EXPECTED_VOTES_PER_SECOND = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table; latencies are those of a single `cast_vote(...).result()`."""

    threads: int
    votes: int
    votes_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_vote: float
    load_average: float


def main() -> None:
    options = _options()
    measures = []
    print(f"{'threads':>7} {'votes':>7} {'votes/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'CPU ms/vote':>11} {'load':>5}")
    for threads in options.threads:
        with tempfile.TemporaryDirectory(dir=options.directory) as folder:
            measure = _measure(Path(folder), threads=threads, seconds=options.seconds, seed=options.seed)
        measures.append(measure)
        print(
            f"{measure.threads:7} {measure.votes:7} {measure.votes_per_second:8.0f} {measure.p50_ms:7.1f}"
            f" {measure.p99_ms:7.1f} {measure.cpu_ms_per_vote:11.2f} {measure.load_average:5.1f}"
        )
    if options.json:
        report = {"machine": platform.platform(), "cpus": os.cpu_count(), "rows": [asdict(row) for row in measures]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each row may take at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, help="where the database lies; the temporary folder by default")
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    return parser.parse_args()


def _measure(folder: Path, *, threads: int, seconds: float, seed: int) -> Measure:
    rng = random.Random(seed)
    store = Store.open(f"sqlite:///{folder / 'arena.db'}", lease_seconds=3600)
    try:
        specs = [ModelSpec(name=f"model-{n}", provider="scripted", display_name=f"Model {n}") for n in range(MODELS)]
        store.write.sync_models(specs).result()
        share = int(EXPECTED_VOTES_PER_SECOND * seconds / threads) if threads > 1 else int(1_500 * seconds)
        battles = [_prepare(store, [f"{thread}-{n}" for n in range(share)], rng) for thread in range(threads)]
        return _vote(store, battles, seconds=seconds, rng=rng)
    finally:
        store.close()


def _prepare(store: Store, ids: Sequence[str], rng: random.Random) -> Sequence[str]:
    """Open battles and finish both answers, through the same verbs as the arena."""
    names = [f"model-{n}" for n in range(MODELS)]
    waiting: list[Future[Any]] = []
    for battle_id in ids:
        a, b = rng.sample(names, 2)
        new = NewBattle(
            id=battle_id,
            conversation_id=battle_id,
            seats=Seats(a, b),
            owner="voter",
            prompt="Why is the sky blue?",
            fingerprints=dict.fromkeys(Side, ""),
        )
        waiting.append(store.write.open_battle(new))
        for side in Side:
            reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="Because of Rayleigh scattering.")
            waiting.append(store.write.finish_reply(battle_id, reply))
    for future in waiting:
        future.result()
    return ids


def _vote(store: Store, battles: Sequence[Sequence[str]], *, seconds: float, rng: random.Random) -> Measure:
    verdicts = rng.choices(list(Verdict), k=1_000)
    with ThreadPoolExecutor(len(battles)) as pool:
        cpu_before, began = time.process_time(), time.perf_counter()
        deadline = began + seconds
        voters = [pool.submit(_voter, store, ids, verdicts, deadline=deadline) for ids in battles]
        waits = sorted(wait for voter in voters for wait in voter.result())
        elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu_before
    report = store.read.verify()
    if report.votes != len(waits):
        raise SystemExit(f"{len(waits)} votes were acknowledged, {report.votes} are stored")
    return Measure(
        threads=len(battles),
        votes=len(waits),
        votes_per_second=len(waits) / elapsed,
        p50_ms=1000 * waits[len(waits) // 2],
        p99_ms=1000 * waits[int(len(waits) * 0.99)],
        cpu_ms_per_vote=1000 * cpu / len(waits),
        load_average=os.getloadavg()[0],
    )


def _voter(store: Store, ids: Sequence[str], verdicts: Sequence[Verdict], *, deadline: float) -> list[float]:
    waits: list[float] = []
    for battle_id, verdict in zip(ids, cycle(verdicts), strict=False):
        began = time.perf_counter()
        if began > deadline:
            break
        store.write.cast_vote(battle_id, "voter", verdict).result()
        waits.append(time.perf_counter() - began)
    return waits


if __name__ == "__main__":
    main()
