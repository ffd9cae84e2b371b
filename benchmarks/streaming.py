"""How late the tokens of many battles at once become visible, and what a battle costs.

    python benchmarks/streaming.py --battles 1,10,30,50 --json streaming.json

The real `arena serve`, with two models at a local endpoint that sends 2,000 characters of Markdown at 40 tokens/s each;
visitors are raw websockets on the battle page. Endpoint, arena and visitors are three processes and share the machine.
A token's *added delay* runs from its leaving the endpoint to its arrival in a message to the visitor, by one clock.
"""

import argparse
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import psutil

from streaming_answer import answer_tokens, has_mark

HERE = Path(__file__).resolve().parent
START_SECONDS = 60.0
MODEL = """
[[models]]
name = "{name}"
display_name = "{name}"
base_url = "http://127.0.0.1:{port}/v1"
upstream_id = "{name}"
"""
COLUMNS = (
    ("battles", "{battles:7}"),
    (" p50", "{delay_p50_ms:4.0f}"),
    (" p95", "{delay_p95_ms:4.0f}"),
    ("  max", "{delay_max_ms:5.0f}"),
    ("gap95", "{gap_p95_ms:5.0f}"),
    ("first", "{first_p50_ms:5.0f}"),
    ("1st95", "{first_p95_ms:5.0f}"),
    ("CPU s", "{cpu_seconds_per_battle:5.2f}"),
    ("core%", "{core_percent:5.0f}"),
    ("kB/btl", "{kilobytes_per_battle:6.0f}"),
    ("load%", "{load_percent:5.0f}"),
    ("other%", "{foreign_percent:6.0f}"),
    ("steal%", "{steal_percent:6.1f}"),
    ("late95", "{endpoint_late_p95_ms:6.1f}"),
    ("failed", "{failed:6}"),
)
LEGEND = """\
p50 p95 max   added delay of each token, ms (to reach: p95 <= 150 at 10 battles, <= 300 at 50, on 2 cores)
gap95         between two updates of one side, ms, p95
first 1st95   from the prompt to the first visible token, less the model's own {first_token_ms:.0f} ms; p50 and p95
CPU s core%   the arena's process: CPU-seconds per battle; share of one core
kB/btl        sent to each visitor
load%         endpoint and visitors together, share of one core
other%        everything else on the machine, share of one core; steal%: taken by the host, of all cores
late95        by how much the endpoint missed its own pace, ms, p95
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; see LEGEND."""

    battles: int
    delay_p50_ms: float
    delay_p95_ms: float
    delay_max_ms: float
    gap_p95_ms: float
    first_p50_ms: float
    first_p95_ms: float
    cpu_seconds_per_battle: float
    core_percent: float
    kilobytes_per_battle: float
    load_percent: float
    foreign_percent: float
    steal_percent: float
    endpoint_late_p95_ms: float
    tokens: int
    seconds: float
    failed: int
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU-seconds used so far, and when that was."""

    at: float
    arena: float
    load: float
    machine: float
    steal: float


def main() -> None:
    options = _options()
    print(LEGEND.format(first_token_ms=options.first_token_ms))
    print(" ".join(title for title, _ in COLUMNS), flush=True)
    rows = []
    for battles in options.battles:
        row = _measure(battles, options)
        rows.append(row)
        print(" ".join(shape.format(**asdict(row)) for _, shape in COLUMNS), *row.faults[:3], flush=True)
    if options.json:
        report = {
            "machine": platform.platform(),
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "options": {key: str(value) for key, value in vars(options).items()},
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if any(row.failed for row in rows):
        sys.exit(1)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of 100 do not exceed (nearest rank); NaN when there are none."""
    if not values:
        return float("nan")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--battles", type=_numbers, default=[1, 10, 30, 50], help="how many at once: 1,10,30,50")
    parser.add_argument("--rate", type=float, default=40.0, help="tokens per second of each answer")
    parser.add_argument("--characters", type=int, default=2000, help="length of an answer")
    parser.add_argument("--first-token-ms", type=float, default=300.0, help="the models' own time to first token")
    parser.add_argument("--ramp-seconds", type=float, default=1.0, help="over how long the prompts are spread")
    parser.add_argument("--cpu", type=int, help="keep the arena on this one CPU; by default it may use all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _measure(battles: int, options: argparse.Namespace) -> Row:
    with tempfile.TemporaryDirectory() as folder, _endpoint(options) as endpoint:
        port = int(_line(endpoint))
        with _arena(Path(folder), endpoint_port=port, cpu=options.cpu) as arena:
            with _viewers(arena.url, 1, options) as guest:  # what is done once is not measured
                _watch(guest)
            with _viewers(arena.url, battles, options) as viewers:
                load = [psutil.Process(endpoint.pid), psutil.Process(viewers.pid)]
                _expect(viewers, "ready")
                before = _cpu(arena.process, load)
                _tell(viewers, "go")
                _expect(viewers, "done")
                after = _cpu(arena.process, load)
                battles_seen = json.loads(_line(viewers))
            if any(battle["fault"] for battle in battles_seen):
                print(arena.log.read_text()[-2000:], file=sys.stderr)
        late_ms = json.loads(endpoint.communicate("", timeout=START_SECONDS)[0])["late_p95_ms"]
    return _row(battles_seen, before, after, late_ms=late_ms, first_token_ms=options.first_token_ms)


@dataclass(frozen=True, slots=True)
class RunningArena:
    """A started `arena serve`."""

    url: str
    process: psutil.Process
    log: Path


@contextlib.contextmanager
def _arena(folder: Path, *, endpoint_port: int, cpu: int | None) -> Iterator[RunningArena]:
    config = folder / "arena.toml"
    config.write_text("".join(MODEL.format(name=name, port=endpoint_port) for name in ("left", "right")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "arena", "serve", "--config", str(config), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=HERE.parent)
        try:
            if cpu is not None:
                psutil.Process(process.pid).cpu_affinity([cpu])  # the threads to come inherit it
            _wait_until_healthy(url, process, log)
            yield RunningArena(url, psutil.Process(process.pid), log)
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _is_healthy(url):
            return
        time.sleep(0.1)
    raise SystemExit(f"The arena did not start:\n{log.read_text()}")


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(json.load(answer)["status"] == "ready")
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _helper(script: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A process of the benchmark's own, spoken to by lines."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _endpoint(options: argparse.Namespace) -> contextlib.AbstractContextManager["subprocess.Popen[str]"]:
    return _helper(
        "streaming_endpoint.py",
        *("--rate", options.rate, "--characters", options.characters),
        *("--first-token-ms", options.first_token_ms, "--seed", options.seed),
    )


def _viewers(
    url: str, battles: int, options: argparse.Namespace
) -> contextlib.AbstractContextManager["subprocess.Popen[str]"]:
    marks = sum(map(has_mark, answer_tokens(options.characters)))
    return _helper(
        "streaming_viewers.py",
        *("--url", url, "--battles", battles, "--marks", marks),
        *("--ramp-seconds", options.ramp_seconds, "--seed", options.seed),
    )


def _watch(viewers: "subprocess.Popen[str]") -> None:
    _expect(viewers, "ready")
    _tell(viewers, "go")
    _expect(viewers, "done")


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _expect(process: "subprocess.Popen[str]", word: str) -> None:
    said = _line(process).strip()
    if said != word:
        raise SystemExit(f"A helper said {said!r} instead of {word!r}.")


def _tell(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def _cpu(arena: psutil.Process, load: Sequence[psutil.Process]) -> Cpu:
    machine = psutil.cpu_times()
    return Cpu(
        at=time.monotonic(),
        arena=sum(map(_used, [arena, *arena.children(recursive=True)])),
        load=sum(map(_used, load)),
        machine=sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - getattr(machine, "guest", 0.0),
        steal=getattr(machine, "steal", 0.0),
    )


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _row(seen: Sequence[dict[str, Any]], before: Cpu, after: Cpu, *, late_ms: float, first_token_ms: float) -> Row:
    delays = [delay for battle in seen for delay in battle["delays_ms"]]
    gaps = [gap for battle in seen for gap in battle["gaps_ms"]]
    firsts = [b["first_visible_ms"] - first_token_ms for b in seen if b["first_visible_ms"] is not None]
    faults = [battle["fault"] for battle in seen if battle["fault"]]
    seconds = after.at - before.at
    arena, load, steal = after.arena - before.arena, after.load - before.load, after.steal - before.steal
    return Row(
        battles=len(seen),
        delay_p50_ms=percentile(delays, 50),
        delay_p95_ms=percentile(delays, 95),
        delay_max_ms=percentile(delays, 100),
        gap_p95_ms=percentile(gaps, 95),
        first_p50_ms=percentile(firsts, 50),
        first_p95_ms=percentile(firsts, 95),
        cpu_seconds_per_battle=arena / len(seen),
        core_percent=100 * arena / seconds,
        kilobytes_per_battle=sum(battle["received_bytes"] for battle in seen) / 1000 / len(seen),
        load_percent=100 * load / seconds,
        foreign_percent=100 * (after.machine - before.machine - steal - arena - load) / seconds,
        steal_percent=100 * steal / seconds / (os.cpu_count() or 1),
        endpoint_late_p95_ms=late_ms,
        tokens=len(delays),
        seconds=seconds,
        failed=len(faults),
        faults=faults,
    )


if __name__ == "__main__":
    main()
