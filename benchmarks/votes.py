"""How many votes a second the store can take, and how long a voter waits for the acknowledgement.

    python benchmarks/votes.py --threads 1 16 64 --seconds 3 --json votes.json
    python benchmarks/votes.py --url postgresql://me@localhost/empty --processes 4 --threads 4 16 64

Without a URL one process votes into a SQLite file of its own; with one, all rows go into that database, and the threads
are spread over the processes. Each thread casts one vote after the other and waits for its commit, as voters do;
battles are prepared beforehand and not timed. CPU is that of the voting processes. Afterwards everything is recomputed
from the votes.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from threading import Barrier
from typing import Any

from arena.domain import ModelSpec, Reply, ReplyStatus, Seats, Side
from arena.store import NewBattle, Store
from leaderboard.verdicts import Verdict

MODELS = 5
# By one process: on a server, in a file.
EXPECTED_VOTES_PER_SECOND = (300, 6_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table; latencies are those of a single `cast_vote(...).result()`."""

    processes: int
    threads: int
    votes: int
    votes_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_vote: float
    load_average: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one process does: so many threads vote for so long."""

    url: str
    name: str
    threads: int
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one process measured."""

    waits: Sequence[float]
    elapsed: float
    cpu: float


def main() -> None:
    options = _options()
    measures = []
    print(
        f"{'processes':>9} {'threads':>7} {'votes':>7} {'votes/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'CPU ms/vote':>11}"
        f" {'load':>5}"
    )
    for threads in options.threads:
        with _database(options) as url:
            measure = _measure(url, threads=threads, options=options)
        measures.append(measure)
        print(
            f"{measure.processes:9} {measure.threads:7} {measure.votes:7} {measure.votes_per_second:8.0f}"
            f" {measure.p50_ms:7.1f} {measure.p99_ms:7.1f} {measure.cpu_ms_per_vote:11.2f} {measure.load_average:5.1f}"
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
    parser.add_argument("--url", help="of a database that may be filled; a new SQLite file for each row by default")
    parser.add_argument("--processes", type=int, default=1, help="more than one need PostgreSQL")
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    return parser.parse_args()


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[str]:
    if options.url:
        yield options.url
        return
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        yield f"sqlite:///{Path(folder) / 'arena.db'}"


def _measure(url: str, *, threads: int, options: argparse.Namespace) -> Measure:
    with closing(Store.open(url)) as store:
        specs = [ModelSpec(name=f"model-{n}", provider="scripted", display_name=f"Model {n}") for n in range(MODELS)]
        store.write.sync_models(specs).result()
        before = store.read.verify().votes
    processes = min(options.processes, threads)
    loads = [
        Load(
            url=url,
            name=f"{before}-{number}",
            threads=threads // processes + (number < threads % processes),
            seconds=options.seconds,
            seed=options.seed + number,
        )
        for number in range(processes)
    ]
    shares = [_share(loads[0])] if processes == 1 else _shares(loads)
    waits = sorted(wait for share in shares for wait in share.waits)
    with closing(Store.open_to_read(url)) as store:
        report = store.read.verify()
    if report.votes - before != len(waits):
        raise SystemExit(f"{len(waits)} votes were acknowledged, {report.votes - before} are stored")
    return Measure(
        processes=processes,
        threads=threads,
        votes=len(waits),
        votes_per_second=len(waits) / max(share.elapsed for share in shares),
        p50_ms=1000 * waits[len(waits) // 2],
        p99_ms=1000 * waits[int(len(waits) * 0.99)],
        cpu_ms_per_vote=1000 * sum(share.cpu for share in shares) / len(waits),
        load_average=os.getloadavg()[0],
    )


def _shares(loads: Sequence[Load]) -> list[Share]:
    """One process for each; all begin to vote when the last one is ready."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(len(loads))
    with spawn.Pool(len(loads), initializer=_wait_for, initargs=(ready,)) as pool:
        return pool.map(_share, loads, chunksize=1)


_READY: list[Any] = [Barrier(1)]


def _wait_for(ready: Any) -> None:  # noqa: ANN401 - a barrier between processes, which has no public type
    _READY[0] = ready


def _share(load: Load) -> Share:
    rng = random.Random(load.seed)
    with closing(Store.open(load.url, lease_seconds=3600)) as store:
        each = int(EXPECTED_VOTES_PER_SECOND[load.url.startswith("sqlite")] * load.seconds / max(load.threads, 2))
        names = [[f"{load.name}-{thread}-{n}" for n in range(each)] for thread in range(load.threads)]
        battles = [_prepare(store, ids, rng) for ids in names]
        _READY[0].wait()
        return _vote(store, battles, seconds=load.seconds, rng=rng)


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


def _vote(store: Store, battles: Sequence[Sequence[str]], *, seconds: float, rng: random.Random) -> Share:
    verdicts = rng.choices(list(Verdict), k=1_000)
    with ThreadPoolExecutor(len(battles)) as pool:
        cpu_before, began = time.process_time(), time.perf_counter()
        deadline = began + seconds
        voters = [pool.submit(_voter, store, ids, verdicts, deadline=deadline) for ids in battles]
        waits = [wait for voter in voters for wait in voter.result()]
        return Share(waits=waits, elapsed=time.perf_counter() - began, cpu=time.process_time() - cpu_before)


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
