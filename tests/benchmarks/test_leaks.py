import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "leaks.py"


def test_both_tables_are_printed_and_written(tmp_path: Path) -> None:
    report = tmp_path / "leaks.json"

    run = subprocess.run(
        [sys.executable, str(BENCHMARK), "--characters", "3000", "--json", str(report)],
        cwd=BENCHMARK.parents[1],
        env={"PYTHONPATH": str(BENCHMARK.parents[1]), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))
    groups = {row["group"]: row for row in rows["accuracy"]}
    assert {"all", "dev", "held-out", "language zh", "claims qwen"} <= set(groups)
    assert groups["all"]["leaks"] == groups["dev"]["leaks"] + groups["held-out"]["leaks"]
    assert groups["all"]["recall"] > groups["all"]["substring_recall"]
    assert all(row["held_max"] <= 200 for row in rows["speed"])
    assert len(run.stdout.splitlines()) == 2 + len(rows["accuracy"]) + 2 + len(rows["speed"])
