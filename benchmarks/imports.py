"""How many votes a second an import takes from Parquet and CSV into SQLite, and how much memory.

    python benchmarks/imports.py --votes 1000000 --json imports.json

Made-up votes without conversations: 100 models, half a minute apart, with ids, voters and languages. Each import runs
in a process of its own and does all that `arena import` does: sum, check of the whole file, loading, the switch.
`read` is the check alone. Afterwards the number of counted votes is compared with the file's.
"""

import argparse
import gc
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from arena.exchange import write_votes
from arena.foreign import ForeignVote
from arena.store import Store
from arena.transfer import check_file, import_file
from leaderboard.verdicts import Verdict

MODELS = 100
START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table; the times are of the wall, `cpu_us` is the process's CPU time per vote."""

    kind: str
    votes: int
    file_mb: float
    read_per_second: float
    import_per_second: float
    cpu_us: float
    peak_mb: float
    database_mb: float
    load_average: float


def main() -> None:
    options = _options()
    if options.measure:
        print(json.dumps(asdict(_measure(options.measure))))
        return
    print(
        f"{'kind':8} {'votes':>9} {'file MB':>8} {'read/s':>8} {'import/s':>8} {'CPU us':>6} {'peak MB':>7} {'load':>5}"
    )
    rows = []
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        for kind in options.kinds:
            path = Path(folder) / f"votes.{kind}"
            write_votes(_votes(options.votes, seed=options.seed), path, format_name="plain")
            # A process of its own: peak memory is the import's alone.
            out = subprocess.check_output([sys.executable, __file__, "--measure", str(path)], text=True)
            row = Measure(**json.loads(out))
            rows.append(row)
            print(
                f"{row.kind:8} {row.votes:9,} {row.file_mb:8.1f} {row.read_per_second:8,.0f} "
                f"{row.import_per_second:8,.0f} {row.cpu_us:6.1f} {row.peak_mb:7.0f} {row.load_average:5.1f}"
            )
    if options.json:
        report = {"machine": platform.platform(), "cpus": os.cpu_count(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--kinds", nargs="+", default=["parquet", "csv"], choices=["parquet", "csv", "jsonl"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, help="where files and database lie; the temporary folder by default")
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _votes(n: int, *, seed: int) -> Iterator[ForeignVote]:
    rng = random.Random(seed)
    names = [f"model-{i}" for i in range(MODELS)]
    popularity = [1 / (i + 3) for i in range(MODELS)]  # some models are drawn far more often, as everywhere
    for i in range(n):
        a, b = rng.choices(names, popularity, k=2)
        while a == b:
            b = rng.choice(names)
        yield ForeignVote(
            line=i,
            model_a=a,
            model_b=b,
            verdict=rng.choice(list(Verdict)),
            cast_at=START + timedelta(seconds=30 * i),
            voter=f"voter-{rng.randrange(50_000)}",
            id=f"vote-{i:09}",
            language=rng.choice(["en", "de", "zh"]),
            turns=1,
        )


def _measure(path: Path) -> Measure:
    gc.disable()  # as the command does
    began = time.perf_counter()
    checked = check_file(path)
    read_seconds = time.perf_counter() - began
    database = path.with_name(f"{path.name}.db")
    store = Store.open(f"sqlite:///{database}")
    began, cpu_began = time.perf_counter(), time.process_time()
    report = import_file(store, path, actor="benchmark")
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    peak_mb = _peak_mb()
    if store.read.source_counts(report.source.name).votes != checked.votes:
        raise SystemExit(f"{checked.votes} votes are in the file, {report.source.votes} in the database")
    store.close()
    return Measure(
        kind=path.suffix[1:],
        votes=checked.votes,
        file_mb=path.stat().st_size / 1e6,
        read_per_second=checked.votes / read_seconds,
        import_per_second=checked.votes / seconds,
        cpu_us=1e6 * cpu_seconds / checked.votes,
        peak_mb=peak_mb,
        database_mb=database.stat().st_size / 1e6,
        load_average=os.getloadavg()[0],
    )


def _peak_mb() -> float:
    """The most memory this process held; a child's `ru_maxrss` begins with its parent's, so Linux's own figure."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    main()
