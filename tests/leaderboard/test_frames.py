import pandas as pd
import pytest

from leaderboard.frames import games_from_frame
from leaderboard.games import VERDICTS, Game, Games, PairCounts
from leaderboard.verdicts import Verdict


def _frame(*rows: tuple[object, object, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["model_a", "model_b", "winner"])


def test_rows_become_games_in_their_order() -> None:
    games = games_from_frame(_frame(("y", "x", "model_a"), ("x", "z", "tie (bothbad)"), ("z", "y", "tie")))

    assert games.names == ("x", "y", "z")
    assert (games.seat_a.tolist(), games.seat_b.tolist()) == ([1, 0, 2], [0, 2, 1])
    assert [VERDICTS[code] for code in games.verdicts] == [Verdict.A, Verdict.BOTH_BAD, Verdict.TIE]


def test_any_index_and_any_column_names_do() -> None:
    frame = _frame(("x", "y", "left")).set_axis(["first", "second", "who"], axis="columns").set_index(pd.Index([42]))

    games = games_from_frame(frame, columns=("first", "second", "who"), words={"left": Verdict.A})

    assert (games.names, games.scores_a.tolist()) == (("x", "y"), [1.0])


def test_no_rows_are_no_games() -> None:
    assert len(games_from_frame(_frame())) == 0


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (("x", "y", "neither"), "row 2: winner says 'neither'; known are 'a',"),
        (("x", None, "tie"), "row 2: model_b is empty"),
        (("x", "y", float("nan")), "row 2: winner is empty"),
        (("x", "x", "tie"), "row 2: the model 'x' meets itself"),
    ],
)
def test_a_bad_row_is_named(row: tuple[object, object, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        games_from_frame(_frame(("x", "y", "tie"), row))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="no column 'winner'; the columns are model_a, model_b"):
        games_from_frame(_frame(("x", "y", "tie")).drop(columns="winner"))


def test_real_votes_come_out_as_one_by_one(llmfao_votes: list[Game]) -> None:
    frame = pd.DataFrame(llmfao_votes)

    games = games_from_frame(frame, columns=("model_a", "model_b", "verdict"))

    plain = Games.from_votes(llmfao_votes, names=games.names)
    assert games.scores_a.tolist() == plain.scores_a.tolist()
    assert PairCounts.from_games(games).wins.tolist() == PairCounts.from_games(plain).wins.tolist()
