import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "trust.py"


def test_leaks_and_attackers_stand_in_one_table_with_what_is_to_reach(tmp_path: Path) -> None:
    report = tmp_path / "trust.json"

    table = subprocess.run(
        [sys.executable, str(BENCHMARK), "--worlds", "1", "--only", "always", "--json", str(report)],
        cwd=BENCHMARK.parents[1],
        env={"PYTHONPATH": str(BENCHMARK.parents[1]), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    lines = json.loads(report.read_text(encoding="utf-8"))
    assert len(lines) == len(table) - 2 == 7
    assert {row.count(" | ") for row in table} == {6}
    assert [line["met"] for line in lines] == [True] * 7
    assert lines[0]["to_reach"] == "found ≥ 95 %"
    assert lines[-1]["what"].startswith("always left")
    assert lines[-1]["found"] == "100 %"
