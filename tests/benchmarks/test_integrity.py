import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "integrity.py"


def run(*options: str) -> str:
    return subprocess.run(
        [sys.executable, str(BENCHMARK), *options],
        cwd=BENCHMARK.parents[1],
        env={"PYTHONPATH": str(BENCHMARK.parents[1]), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_table_is_printed_and_written_with_every_target_met(tmp_path: Path) -> None:
    report = tmp_path / "integrity.json"

    table = run("--worlds", "1", "--seed", "900", "--only", "target-only", "--json", str(report))

    rows = json.loads(report.read_text(encoding="utf-8"))["rows"]
    assert all(any(line.startswith(row["title"]) for line in table.splitlines()) for row in rows)
    assert table.count("  met\n") == 9
    assert "MISSED" not in table
    boosted = rows[0]
    assert boosted["climb"] >= 5.0
    assert boosted["outcomes"]["sweep"]["climb"] <= 1.0
    assert boosted["outcomes"]["FastChat"]["found"] <= 10.0


def test_one_sweep_over_many_votes_is_timed() -> None:
    table = run("--scale", "20000", "--models", "10")

    assert "s of CPU; 7 of 7 attackers found" in table
