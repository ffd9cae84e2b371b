"""The rating methods: one file each, one line each in `METHODS`."""

from collections.abc import Mapping

from leaderboard.method import Method
from leaderboard.ratings.bradley_terry import BradleyTerryResult, BradleyTerrySettings, Interval, rate_bradley_terry
from leaderboard.ratings.davidson import DavidsonResult, DavidsonSettings, Split, rate_davidson
from leaderboard.ratings.elo import EloResult, EloSettings, elo_change, expected_score, fold_elo, rate_elo
from leaderboard.ratings.elo_order_free import OrderFreeResult, OrderFreeSettings, rate_elo_order_free
from leaderboard.ratings.style_control import (
    WITHOUT_STYLE,
    Coefficient,
    StyleControlResult,
    StyleControlSettings,
    rate_style_control,
)

METHODS: Mapping[str, Method] = {
    "elo": Method(title="Elo", rate=rate_elo, needs_order=True, has_interval=False, us_per_vote=0.2),
    "elo_order_free": Method(title="Elo, order-free", rate=rate_elo_order_free, has_interval=False, us_per_vote=11.0),
    "bradley_terry": Method(title="Bradley–Terry", rate=rate_bradley_terry),
    "style_control": Method(
        title="Style control", rate=rate_style_control, needs_order=True, needs_style=True, us_per_vote=0.5
    ),
    "davidson": Method(title="Davidson (ties apart)", rate=rate_davidson),
}

__all__ = [
    "METHODS",
    "WITHOUT_STYLE",
    "BradleyTerryResult",
    "BradleyTerrySettings",
    "Coefficient",
    "DavidsonResult",
    "DavidsonSettings",
    "EloResult",
    "EloSettings",
    "Interval",
    "OrderFreeResult",
    "OrderFreeSettings",
    "Split",
    "StyleControlResult",
    "StyleControlSettings",
    "elo_change",
    "expected_score",
    "fold_elo",
    "rate_bradley_terry",
    "rate_davidson",
    "rate_elo",
    "rate_elo_order_free",
    "rate_style_control",
]
