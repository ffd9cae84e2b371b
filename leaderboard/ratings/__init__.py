"""The rating methods: one file each, one line each in `METHODS`."""

from collections.abc import Mapping

from leaderboard.method import Method
from leaderboard.ratings.elo import EloResult, EloSettings, elo_change, expected_score, fold_elo, rate_elo

METHODS: Mapping[str, Method] = {
    "elo": Method(title="Elo", needs_order=True, rate=rate_elo),
}

__all__ = ["METHODS", "EloResult", "EloSettings", "elo_change", "expected_score", "fold_elo"]
