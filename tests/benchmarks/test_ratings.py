import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "ratings.py"


def test_the_table_is_printed_and_written(tmp_path: Path) -> None:
    report = tmp_path / "ratings.json"
    sizes = ["--counts", "30000", "--votes", "2000", "--models", "5", "--repeats", "1"]

    run = subprocess.run(
        [sys.executable, str(BENCHMARK), *sizes, "--json", str(report)],
        cwd=BENCHMARK.parents[1],
        env={"PYTHONPATH": str(BENCHMARK.parents[1]), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))["rows"]
    assert len(run.stdout.splitlines()) == 1 + len(rows)
    assert {row["task"] for row in rows} >= {
        "counts, 300 models, one more vote",
        "2,000 votes, Bradley-Terry, CI",
        "2,000 votes, Elo",
        "2,000 votes, style control",
    }
    assert all(row["cpu_ms"] >= 0.0 for row in rows)
