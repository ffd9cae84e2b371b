from collections.abc import Callable, Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from leaderboard import charts
from leaderboard.games import PairCounts, Tally
from leaderboard.prediction import probability_curve, win_probability
from leaderboard.verdicts import Verdict

# What Vega would read as a path, an escape, a type or an expression if it stood for a field.
AWKWARD = ["gpt-4.1:turbo", "a[0].b", 'it\'s "quoted"\\', "datum.elo", "x:Q", "日本語 🦙", "</script>"]
SIZES = [0, 1, 2, 20, 21, 130]


@pytest.fixture(autouse=True)
def _many_rows_are_fine() -> Iterator[None]:
    """Altair's own limit is off, as it is inside Streamlit."""
    with alt.data_transformers.disable_max_rows():
        yield


def _names(models: int) -> list[str]:
    return [*AWKWARD, *(f"model-{i}" for i in range(models))][:models]


def _counts(models: int) -> PairCounts:
    """Everybody beat everybody after it once, tied twice, and lost thrice to it; the first model has most battles."""
    names = _names(models)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    kinds = [(Verdict.A, 1), (Verdict.TIE, 2), (Verdict.B, 3)]
    return PairCounts.from_tallies(names, [Tally(a, b, verdict, n) for a, b in pairs for verdict, n in kinds])


def _history(models: int, times: int = 3) -> pd.DataFrame:
    hours = pd.date_range("2026-11-22", periods=times, freq="h", tz="UTC")
    rows = [(name, at, 1000.0 - i) for i, name in enumerate(_names(models)) for at in hours]
    return pd.DataFrame(rows, columns=["model", "at", "elo"])


def _curve(models: int) -> alt.LayerChart:
    frame = pd.DataFrame(probability_curve()) if models else pd.DataFrame()
    return charts.probability_curve(frame, difference=167.0, probability=0.723)


EVERY_CHART: dict[str, Callable[[int], alt.LayerChart]] = {
    "elo_history": lambda models: charts.elo_history(_history(models)),
    "win_fraction": lambda models: charts.win_fraction(charts.win_fraction_frame(_counts(models))),
    "battle_counts": lambda models: charts.battle_counts(charts.battle_frame(_counts(models))),
    "probability_curve": _curve,
}


def _found(spec: object, key: str) -> list[Any]:
    """Every value that stands under `key`, anywhere outside the data."""
    if isinstance(spec, list):
        return [value for item in spec for value in _found(item, key)]
    if not isinstance(spec, dict):
        return []
    here = [spec[key]] if key in spec else []
    return here + [value for name, item in spec.items() if name != "datasets" for value in _found(item, key)]


def _marks(spec: dict[str, Any]) -> list[str]:
    return [layer["mark"]["type"] for layer in spec["layer"]]


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(one: str, other: str) -> float:
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("chart", EVERY_CHART)
@pytest.mark.parametrize("models", SIZES)
def test_every_chart_is_valid_at_every_size(models: int, chart: str) -> None:
    spec = EVERY_CHART[chart](models).to_dict()

    assert spec["background"] == "transparent"
    assert spec["title"]["text"]


@pytest.mark.parametrize("chart", EVERY_CHART)
@pytest.mark.parametrize("models", SIZES)
def test_no_chart_holds_what_vega_cannot_draw(models: int, chart: str) -> None:
    spec = EVERY_CHART[chart](models).to_dict()

    names = _found(spec, "name")
    views = [name for layer in spec["layer"] for name in [layer.get("name")] if name]
    assert [] not in _found(spec, "domain")
    assert len(views) == len(set(views))
    assert not any("NaN" in str(value) for value in names + _found(spec, "test"))


@pytest.mark.parametrize("chart", ["elo_history", "win_fraction", "battle_counts"])
def test_a_frame_without_columns_draws_as_an_empty_one(chart: str) -> None:
    spec = getattr(charts, chart)(pd.DataFrame()).to_dict()

    assert spec["layer"]


@pytest.mark.parametrize("chart", EVERY_CHART)
def test_the_same_frame_gives_the_same_chart(chart: str) -> None:
    assert EVERY_CHART[chart](25).to_dict() == EVERY_CHART[chart](25).to_dict()


def test_what_can_be_clicked_keeps_its_name_when_the_data_change() -> None:
    before, after = (charts.elo_history(_history(models)).to_dict() for models in (2, 3))

    assert [param["name"] for param in before["params"]] == ["picked_model"]
    assert before["params"] == after["params"]


@pytest.mark.parametrize("chart", ["elo_history", "win_fraction", "battle_counts"])
def test_a_models_name_is_data_and_never_a_field_or_an_expression(chart: str) -> None:
    spec = EVERY_CHART[chart](len(AWKWARD)).to_dict()

    fields = {"model", "model_a", "model_b", "at", "elo", "battles", "fraction"}
    read = [field for value in _found(spec, "field") + _found(spec, "fields") for field in np.atleast_1d(value)]
    assert set(read) <= fields
    assert all(name not in str(_found(spec, "test")) for name in AWKWARD if name != "datum.elo")
    assert set(AWKWARD) in [set(domain) for domain in _found(spec, "domain") if isinstance(domain, list)]


@pytest.mark.parametrize("chart", EVERY_CHART)
def test_text_outside_cells_has_no_colour_of_its_own(chart: str) -> None:
    spec = EVERY_CHART[chart](21).to_dict()

    for key in ("labelColor", "titleColor", "subtitleColor"):
        assert _found(spec, key) == []
    assert "color" not in spec["title"]
    assert "text" not in _marks(spec)


def test_lines_stand_out_from_a_light_and_a_dark_page() -> None:
    pages = ("#FFFFFF", "#0E1117")

    assert min(_contrast(line, page) for line in charts.LINE_COLOURS for page in pages) >= 2.5
    assert min(_contrast(charts.QUIET, page) for page in pages) >= 2.5


def test_the_figures_bear_their_published_titles() -> None:
    titles = {name: chart(2).to_dict()["title"]["text"] for name, chart in EVERY_CHART.items()}

    assert titles["win_fraction"] == "Figure 3: Fraction of Model A Wins for All Non-tied A vs. B Battles"
    assert titles["battle_counts"] == "Figure 4: Battle Count for Each Combination of Models"


def test_battles_are_framed_for_both_orders_of_a_pair_that_met() -> None:
    counts = PairCounts.from_tallies(["x", "y", "z"], [Tally("x", "y", Verdict.A, 3), Tally("y", "x", Verdict.TIE, 1)])

    frame = charts.battle_frame(counts)

    assert frame.to_dict("records") == [
        {"model_a": "x", "model_b": "y", "battles": 4},
        {"model_a": "y", "model_b": "x", "battles": 4},
    ]


def test_the_fraction_leaves_ties_out() -> None:
    tallies = [Tally("x", "y", Verdict.A, 3), Tally("y", "x", Verdict.A, 1), Tally("x", "y", Verdict.TIE, 9)]
    counts = PairCounts.from_tallies(["x", "y", "z"], [*tallies, Tally("x", "z", Verdict.TIE, 5)])

    frame = charts.win_fraction_frame(counts)

    assert frame.to_dict("records") == [
        {"model_a": "x", "model_b": "y", "fraction": 0.75, "battles": 4},
        {"model_a": "y", "model_b": "x", "fraction": 0.25, "battles": 4},
    ]


@pytest.mark.parametrize("chart", ["win_fraction", "battle_counts"])
@pytest.mark.parametrize(("models", "marks"), [(20, ["rect", "text"]), (21, ["rect"])])
def test_cells_are_numbered_up_to_twenty_models(chart: str, models: int, marks: list[str]) -> None:
    assert _marks(EVERY_CHART[chart](models).to_dict()) == marks


def test_models_stand_by_battles_and_then_by_name() -> None:
    tallies = [Tally("few", "many", Verdict.A, 1), Tally("many", "alike", Verdict.B, 1)]
    frame = charts.battle_frame(PairCounts.from_tallies(["few", "alike", "many"], tallies))

    domains = _found(charts.battle_counts(frame).to_dict(), "domain")

    assert ["many", "alike", "few"] in domains


def test_a_given_order_wins_and_forgets_nobody() -> None:
    frame = charts.battle_frame(PairCounts.from_tallies(["x", "y"], [Tally("x", "y", Verdict.A, 1)]))

    domains = _found(charts.battle_counts(frame, order=["without battles", "y"]).to_dict(), "domain")

    assert ["without battles", "y", "x"] in domains


def test_the_history_colours_the_best_and_greys_the_rest() -> None:
    spec = charts.elo_history(_history(130)).to_dict()

    quiet, named = spec["layer"]
    assert quiet["encoding"]["color"] == {"value": charts.QUIET}
    assert named["encoding"]["color"]["scale"]["domain"] == _names(130)[:20]
    assert len(spec["datasets"][named["data"]["name"]]) == 20 * 3
    assert len(spec["datasets"][quiet["data"]["name"]]) == 110 * 3


def test_up_to_twenty_lines_each_look_different() -> None:
    (named,) = charts.elo_history(_history(20)).to_dict()["layer"]

    colours = named["encoding"]["color"]["scale"]["range"]
    dashes = named["encoding"]["strokeDash"]["scale"]["range"]
    assert len({(colour, tuple(dash)) for colour, dash in zip(colours, dashes, strict=True)}) == 20


def test_an_empty_history_groups_no_lines() -> None:
    (layer,) = charts.elo_history(_history(0)).to_dict()["layer"]

    assert set(layer["encoding"]) == {"x", "y", "tooltip"}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", None])
def test_times_are_drawn_in_utc_whatever_zone_they_came_in(zone: str | None) -> None:
    at = pd.Series(pd.to_datetime(["2026-11-22T23:30"], utc=True)).dt.tz_convert(zone or "UTC")
    frame = pd.DataFrame({"model": ["x"], "at": at if zone else at.dt.tz_localize(None), "elo": [1000.0]})

    spec = charts.elo_history(frame).to_dict()

    (rows,) = spec["datasets"].values()
    assert pd.Timestamp(rows[0]["at"]) == pd.Timestamp("2026-11-22T23:30Z")
    assert {scale.get("type") for scale in _found(spec, "scale")} >= {"utc"}
    assert all(unit.startswith("utc") for unit in _found(spec, "timeUnit"))


@pytest.mark.parametrize(("times", "label"), [(24, "%m-%d %H:%M"), (24 * 30, "%Y-%m-%d")])
def test_dates_are_written_in_digits(times: int, label: str) -> None:
    spec = charts.elo_history(_history(1, times)).to_dict()

    assert spec["layer"][0]["encoding"]["x"]["axis"]["format"] == label


def test_the_first_minutes_of_a_board_are_told_apart_by_seconds() -> None:
    at = pd.to_datetime(["2026-11-22T01:15:02", "2026-11-22T01:15:40"], utc=True)

    spec = charts.elo_history(pd.DataFrame({"model": "x", "at": at, "elo": [1016.0, 1031.0]})).to_dict()

    assert spec["layer"][0]["encoding"]["x"]["axis"]["format"] == "%H:%M:%S"


def test_the_curve_marks_and_names_the_pair() -> None:
    probability = win_probability(1287, 1120)

    spec = charts.probability_curve(
        pd.DataFrame(probability_curve()), difference=167.0, probability=probability
    ).to_dict()

    point = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    assert spec["datasets"][point["data"]["name"]] == [{"difference": 167.0, "probability": probability}]
    assert spec["title"]["text"] == "Win Probability: 72.3% at +167 Points"
