import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from streaming import percentile
from streaming_answer import marked
from streaming_viewers import Received, seen

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "streaming.py"


def drawn(text: str) -> bytes:
    message = ForwardMsg()
    message.delta.new_element.markdown.body = text
    return bytes(message.SerializeToString())


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (95.1, 96), (100, 100), (0, 1)])
def test_a_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], percent) == expected


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 95))


def test_each_token_counts_once_in_the_first_message_that_shows_it() -> None:
    first = marked("@ ", stream=1, now_seconds=10.0)
    second = marked("@ ", stream=1, now_seconds=10.1)
    other = marked("@ ", stream=2, now_seconds=10.1)
    noted = [
        Received(10.05, drawn(first)),
        Received(10.15, drawn(first + second)),
        Received(10.20, drawn(other)),
        Received(10.90, drawn(first + second)),  # drawn anew, nothing came
    ]

    result = seen(noted, asked_at=9.5, marks_per_answer=2)

    assert [round(delay) for delay in result.delays_ms] == [50, 50, 100]
    assert [round(gap) for gap in result.gaps_ms] == [100]
    assert result.first_visible_ms is not None
    assert round(result.first_visible_ms) == 550
    assert result.fault == "1 tokens never came"


@pytest.mark.slow
def test_the_benchmark_runs_against_the_real_battle_page(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, str(BENCHMARK), "--battles", "2", "--characters", "300", "--json", str(report)]

    subprocess.run(command, check=True, timeout=100)

    (row,) = json.loads(report.read_text())["rows"]
    assert row["failed"] == 0
    assert row["tokens"] > 0
