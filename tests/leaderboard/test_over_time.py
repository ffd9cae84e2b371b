from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from leaderboard.games import Game, Games, PairCounts
from leaderboard.method import Evidence
from leaderboard.over_time import DayCounts, has_history, scores_over_time
from leaderboard.ratings import METHODS
from leaderboard.verdicts import Verdict

FIRST = date(2026, 11, 1)
WITH_HISTORY = [method for method in METHODS if has_history(method)]


def growing(votes: Sequence[Game], *, names: Sequence[str], per_day: int) -> Iterator[DayCounts]:
    for day, end in enumerate(range(per_day, len(votes) + 1, per_day)):
        games = Games.from_votes(votes[:end], names=names)
        yield DayCounts(FIRST + timedelta(days=day), PairCounts.from_games(games))


def rated_alone(method: str, votes: Sequence[Game]) -> dict[str, tuple[float, float, float]]:
    """What the board of these votes shows."""
    estimate = METHODS[method].rate(Evidence.from_games(Games.from_votes(votes))).estimate
    assert estimate is not None
    rows = zip(estimate.points.tolist(), estimate.lower.tolist(), estimate.upper.tolist(), strict=True)
    return dict(zip(estimate.names, rows, strict=True))


@pytest.mark.parametrize("method", WITH_HISTORY)
def test_every_day_shows_what_its_board_showed(method: str, llmfao_votes: list[Game]) -> None:
    votes = llmfao_votes[:400]
    names = sorted({name for game in votes for name in game[:2]})

    scores = scores_over_time(growing(votes, names=names, per_day=50), method=method)

    assert len({each.day for each in scores}) == 8
    for day in range(8):
        drawn = {each.model: (each.score, each.lower, each.upper) for each in scores if each.day.day == day + 1}
        alone = rated_alone(method, votes[: 50 * (day + 1)])
        assert drawn.keys() == alone.keys()
        assert np.array([drawn[name] for name in alone]) == pytest.approx(np.array([*alone.values()]), abs=1e-5)


def test_a_model_is_drawn_from_its_first_battle_on() -> None:
    votes = [Game("x", "y", Verdict.A), Game("x", "z", Verdict.A)]

    scores = scores_over_time(growing(votes, names=["w", "x", "y", "z"], per_day=1))

    assert [(each.day.day, each.model) for each in scores] == [(1, "x"), (1, "y"), (2, "x"), (2, "y"), (2, "z")]


def test_no_days_have_no_scores() -> None:
    assert scores_over_time([]) == ()


@pytest.mark.parametrize("method", ["elo", "elo_order_free", "style_control"])
def test_a_method_that_cannot_rate_any_past_day_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="has no history"):
        scores_over_time([], method=method)
