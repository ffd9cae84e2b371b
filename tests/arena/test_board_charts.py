from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from arena.board import board_of
from arena.board_charts import board_pictures, probability_matrix
from arena.rated_board import RatedBoard, RatedBoards
from arena.selection import Selection
from arena.store import DayVotes, Store
from arena.transfer import import_file
from leaderboard import Evidence, rate_davidson

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
LABELS = {"ash": "Ash", "elm": "Elm"}


@pytest.fixture
def board(tmp_path: Path, url: str) -> Iterator[RatedBoard]:
    """Ash beat elm, and elm tied with oak."""
    (tmp_path / "trees.csv").write_text("model_a,model_b,winner\nash,elm,model_a\nelm,oak,tie\n")
    store = Store.open(url)
    import_file(store, tmp_path / "trees.csv", actor="me")
    selection = Selection(sources=frozenset({"trees"}))
    live = board_of(store.read.board(now=NOW))
    yield RatedBoards(store.read).rated(live, method="bradley_terry", selection=selection, order_by_elo=False)
    store.close()


def test_a_caption_says_which_votes_were_chosen_and_when_the_last_one_came(board: RatedBoard) -> None:
    chosen = Selection(language="de", multi_turn=True, long_prompt=False)
    since = Selection(since=date(2026, 11, 1), until=date(2026, 11, 2))

    narrowed, past = (
        board_pictures(replace(board, selection=each, last_vote_at=NOW), history=(), days=(), labels=LABELS)
        for each in (chosen, since)
    )

    words = "only multi turn · without long prompt · language de · last vote 2026-11-22 12:30 UTC"
    assert narrowed[0].caption == f"Bradley–Terry · 2 votes · {words}"
    assert narrowed[1].caption == f"2 votes · {words}"
    assert past[1].caption == "2 votes · since 2026-11-01 · until 2026-11-02"


def test_only_models_with_a_label_are_drawn(board: RatedBoard) -> None:
    pictures = board_pictures(board, history=(), days=[DayVotes(date(2026, 11, 1), 2)], labels=LABELS)
    matrix = probability_matrix(board, labels=LABELS)

    assert [picture.key for picture in pictures] == [
        "strength",
        "win-rates",
        "win-fractions",
        "battle-counts",
        "votes-per-day",
    ]
    assert matrix is not None
    for picture in (*pictures[:4], matrix):
        rows = [row for rows in picture.spec["datasets"].values() for row in rows]
        assert {row[column] for row in rows for column in row if column.startswith("model")} == {"Ash", "Elm"}


def test_a_method_without_a_chance_has_no_matrix(board: RatedBoard) -> None:
    without = rate_davidson(Evidence(counts=board.counts))

    assert probability_matrix(replace(board, rated=without), labels=LABELS) is None
