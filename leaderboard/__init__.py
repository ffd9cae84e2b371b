"""Who is best, and how sure are we: a pure library without database, network and user interface.

This is its door; the charts stand beside it in `leaderboard.charts`, because they bring pandas and Altair, which
nobody should wait for who only wants numbers.
"""

from leaderboard.games import VERDICTS, Game, Games, HeadToHead, PairCounts, Tally
from leaderboard.method import Evidence, Method, OrderUnknown, Rated
from leaderboard.prediction import CurvePoint, Prediction, predict, probability_curve, win_probability
from leaderboard.ratings import METHODS, EloResult, EloSettings, elo_change, expected_score, fold_elo
from leaderboard.standings import Standing, standings
from leaderboard.verdicts import Verdict, score_a

__all__ = [
    "METHODS",
    "VERDICTS",
    "CurvePoint",
    "EloResult",
    "EloSettings",
    "Evidence",
    "Game",
    "Games",
    "HeadToHead",
    "Method",
    "OrderUnknown",
    "PairCounts",
    "Prediction",
    "Rated",
    "Standing",
    "Tally",
    "Verdict",
    "elo_change",
    "expected_score",
    "fold_elo",
    "predict",
    "probability_curve",
    "score_a",
    "standings",
    "win_probability",
]
