"""docs/data.md names exactly the fields that programs find."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from arena.__main__ import main
from arena.domain import Seats
from board_filters import View
from board_json import board_json
from board_table import columns, lines, row
from leaderboard import Verdict
from shell import open_arena
from tables import safe_csv

Run = Callable[..., Any]
DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
COMMAND, LINE = "The leaderboard: `arena standings --json`", "Each entry of `standings`"
PAIR, FORECAST = "A pair: `arena predict A B --json`", "`forecast`"
PAGE, MODEL = "The leaderboard page: ⬇️ JSON", "Each entry of `models`"
VOTES, VOTERS = (
    "Votes for an administrator: `arena votes held --json`",
    "Voters for an administrator: `arena voters list --json`",
)
CSV = "The leaderboard page: ⬇️ CSV"


def documented(heading: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section(heading), flags=re.MULTILINE)


def parts_of(heading: str, field: str) -> set[str]:
    """What the text on a field names besides."""
    (told,) = re.findall(rf"^\| `{field}` \| (.*) \|$", section(heading), flags=re.MULTILINE)
    return set(re.findall(r"`(\w+)`", told))


def section(heading: str) -> str:
    sections = re.split(r"^#+ ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (found,) = [each for each in sections if each.startswith(f"{heading}\n")]
    return found


@pytest.fixture
def voted(configure: Callable[[str], None], cast_votes: Callable[..., None]) -> None:  # noqa: ARG001 - the settings must be there first
    """Walnut beat hazel once."""
    cast_votes([(Seats("walnut", "hazel"), Verdict.A)])


@pytest.fixture
def run(voted: None, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - as above
    """What a command prints as JSON."""

    def command(*arguments: str | Path) -> Any:  # noqa: ANN401 - JSON is anything
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main([*map(str, arguments), "--json"])
        return json.loads(capsys.readouterr().out)

    return command


@pytest.fixture
def told(voted: None) -> Mapping[str, Any]:  # noqa: ARG001 - as above
    """What the page's JSON says."""
    arena = open_arena()
    board = arena.rated_board()
    read: Mapping[str, Any] = json.loads(board_json(board, lines(board, arena.board(), View()), View()))
    return read


def test_the_fields_of_the_standings_are_documented(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trees.csv").write_text("model_a,model_b,winner\nash,elm,tie\n")
    run("import", tmp_path / "trees.csv")

    own, imported = run("standings"), run("standings", "--source", "trees")

    assert list(own) == list(imported) == documented(COMMAND)
    assert set(own["standings"][0]) == set(documented(LINE))
    assert set(imported["standings"][0]) == set(documented(LINE))


def test_the_fields_of_a_prediction_are_documented(run: Run) -> None:
    pair, refused = run("predict", "walnut", "hazel"), run("predict", "walnut", "hazel", "--method", "elo")

    assert [*pair, "reason"] == documented(PAIR)
    assert set(refused) == set(documented(PAIR))
    assert list(pair["forecast"]) == documented(FORECAST)
    assert set(pair["forecast"]["chance"]) == parts_of(FORECAST, "chance")
    assert set(pair["forecast"]["split"]) == parts_of(FORECAST, "split")


def test_the_fields_of_votes_and_voters_are_documented(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["votes", "exclude", "1", "--reason", "a test of ours"])
    capsys.readouterr()

    (vote,), (voter,) = run("votes", "held", "--which", "left_out"), run("voters", "list")

    assert set(vote) == set(documented(VOTES))
    assert set(vote["decision"]) == parts_of(VOTES, "decision")
    assert set(voter) == set(documented(VOTERS))


def test_the_fields_of_the_pages_json_are_documented(told: Mapping[str, Any]) -> None:
    assert list(told) == documented(PAGE)
    assert list(told["models"][0]) == documented(MODEL)


@pytest.mark.usefixtures("told")
def test_the_columns_of_the_pages_csv_are_documented() -> None:
    board = open_arena().rated_board()
    (first, *_) = board.standings
    csv = safe_csv(pd.DataFrame([row(first, board.specs[first.model], "W", change=None)]))

    assert csv.splitlines()[0].split(",") == documented(CSV) == list(columns("bradley_terry"))
