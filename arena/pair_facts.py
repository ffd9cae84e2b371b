"""A win probability as a table of plain values, for programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from leaderboard import Forecast, Prediction


def pair_facts(model_a: str, model_b: str, elo: Prediction, forecast: Forecast | str | None) -> Mapping[str, Any]:
    """Stable field names, listed in docs/data.md; what is not known is None.

    Args:
        model_a: the first model's name.
        model_b: the second one's.
        elo: their chance by Elo alone.
        forecast: what the chosen rating says, a sentence on why it says nothing, or None for bare ratings.
    """
    reason = {"reason": forecast} if isinstance(forecast, str) else {}
    told = _by_name(forecast) if isinstance(forecast, Forecast) else None
    return {"model_a": model_a, "model_b": model_b, **asdict(elo), "forecast": told, **reason}


def _by_name(forecast: Forecast) -> dict[str, Any]:
    """Chance and split, which are tuples, under the names of their parts, too."""
    parts = {name: part and part._asdict() for name, part in (("chance", forecast.chance), ("split", forecast.split))}
    return asdict(forecast) | parts
