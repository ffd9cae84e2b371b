from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd
import pytest

from leaderboard import rating_charts as charts
from leaderboard.charts import QUIET
from leaderboard.estimate import Estimate
from leaderboard.games import PairCounts, Tally
from leaderboard.method import Evidence
from leaderboard.prediction import all_forecasts
from leaderboard.ratings import rate_bradley_terry
from leaderboard.verdicts import Verdict

# What Vega would read as a path, an escape, a type or an expression if it stood for a field.
AWKWARD = ["gpt-4.1:turbo", "a[0].b", 'it\'s "quoted"\\', "datum.score", "x:Q", "日本語 🦙", "</script>"]
SIZES = [0, 1, 2, 20, 21, 130]
CHARTS = [
    "strength_intervals",
    "average_win_rate",
    "score_against_price",
    "score_history",
    "votes_per_day",
    "win_probabilities",
]


@pytest.fixture(autouse=True)
def _many_rows_are_fine() -> Iterator[None]:
    """Altair's own limit is off, as it is inside Streamlit."""
    with alt.data_transformers.disable_max_rows():
        yield


def _names(models: int) -> list[str]:
    return [*AWKWARD, *(f"model-{i}" for i in range(models))][:models]


def _counts(models: int) -> PairCounts:
    """Everybody met the next ten: two wins, one loss, one tie each."""
    names = _names(models)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 : i + 11]]
    kinds = [(Verdict.A, 2), (Verdict.TIE, 1), (Verdict.B, 1)]
    return PairCounts.from_tallies(names, [Tally(a, b, verdict, n) for a, b in pairs for verdict, n in kinds])


def _estimate(models: int) -> Estimate:
    return rate_bradley_terry(Evidence(counts=_counts(models))).estimate


def _drawn(chart: str, models: int) -> dict[str, Any]:
    counts, names = _counts(models), _names(models)
    days = pd.date_range("2026-11-20", periods=3, tz="UTC")
    frames: dict[str, pd.DataFrame] = {
        "strength_intervals": charts.interval_frame(_estimate(models)),
        "average_win_rate": charts.win_rate_frame(counts),
        "score_against_price": pd.DataFrame(
            [(name, 1000.0 + i, 0.1 * (i + 1)) for i, name in enumerate(names)], columns=["model", "score", "price"]
        ),
        "score_history": pd.DataFrame(
            [(name, at, 1000.0 - i) for i, name in enumerate(names) for at in days], columns=["model", "at", "score"]
        ),
        "votes_per_day": pd.DataFrame(
            [(at.date(), 5 + i, name) for i, name in enumerate(names) for at in days],
            columns=["day", "votes", "source"],
        ),
        "win_probabilities": pd.DataFrame(
            all_forecasts(rate_bradley_terry(Evidence(counts=counts)), counts=counts),
            columns=["model_a", "model_b", "probability", "lower", "upper"],
        ),
    }
    spec: dict[str, Any] = getattr(charts, chart)(frames[chart]).to_dict()
    return spec


def _found(spec: object, key: str) -> list[Any]:
    """Every value that stands under `key`, anywhere outside the data."""
    if isinstance(spec, list):
        return [value for item in spec for value in _found(item, key)]
    if not isinstance(spec, dict):
        return []
    here = [spec[key]] if key in spec else []
    return here + [value for name, item in spec.items() if name != "datasets" for value in _found(item, key)]


def _rows(spec: dict[str, Any], layer: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["datasets"][spec["layer"][layer]["data"]["name"]]
    return rows


def _marks(spec: dict[str, Any]) -> list[str]:
    return [layer["mark"]["type"] for layer in spec["layer"]]


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("models", SIZES)
def test_every_chart_is_valid_at_every_size(chart: str, models: int) -> None:
    spec = _drawn(chart, models)

    assert spec["background"] == "transparent"
    assert spec["title"]["text"]
    assert [] not in _found(spec, "domain")
    assert "color" not in spec["title"]
    assert _found(spec, "labelColor") + _found(spec, "titleColor") == []


@pytest.mark.parametrize("chart", CHARTS)
def test_a_frame_without_columns_draws_as_an_empty_one(chart: str) -> None:
    assert getattr(charts, chart)(pd.DataFrame()).to_dict()["layer"]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_models_name_is_data_and_never_a_field_or_an_expression(chart: str) -> None:
    spec = _drawn(chart, len(AWKWARD))

    fields = {"model", "model_a", "model_b", "at", "score", "lower", "upper", "win_rate", "opponents", "price"}
    assert set(_found(spec, "field")) <= fields | {"probability", "day", "votes", "source"}
    assert all(name not in str(_found(spec, "test")) for name in AWKWARD if name != "x:Q")
    named = {value for rows in spec["datasets"].values() for row in rows for value in row.values()}
    assert set(AWKWARD) <= named


def test_the_figures_bear_their_published_titles() -> None:
    titles = [_drawn(chart, 2)["title"]["text"] for chart in CHARTS[:2]]

    assert titles == [
        "Figure 1: Confidence Intervals on Model Strength",
        "Figure 2: Average Win Rate Against All Other Models (Assuming Uniform Sampling and No Ties)",
    ]


def test_intervals_stand_best_first_and_equal_models_by_name() -> None:
    counts = PairCounts.from_tallies(["z", "y", "x"], [Tally("x", "y", Verdict.A, 9), Tally("x", "z", Verdict.A, 9)])

    frame = charts.interval_frame(rate_bradley_terry(Evidence(counts=counts)).estimate)

    assert frame["model"].tolist() == ["x", "y", "z"]
    assert (frame["lower"] < frame["score"]).all()
    assert (frame["score"] < frame["upper"]).all()


def test_the_average_win_rate_counts_every_opponent_alike_and_no_ties() -> None:
    # x won 9 of 10 against y and 1 of 2 against z: (0.9 + 0.5) / 2, whatever the ties.
    tallies = [Tally("x", "y", Verdict.A, 9), Tally("x", "y", Verdict.B, 1), Tally("x", "z", Verdict.A, 1)]
    tallies += [Tally("z", "x", Verdict.A, 1), Tally("x", "z", Verdict.TIE, 50), Tally("v", "w", Verdict.TIE, 9)]

    frame = charts.win_rate_frame(PairCounts.from_tallies(list("vwxyz"), tallies))

    assert frame["model"].tolist() == ["x", "z", "y"]
    assert frame["win_rate"].tolist() == pytest.approx([0.7, 0.5, 0.1])
    assert frame["opponents"].tolist() == [2, 1, 1]


def test_the_pareto_line_holds_who_is_not_beaten_for_less_money() -> None:
    rows = [("cheap", 1000.0, 0.1), ("worse", 990.0, 0.5), ("best", 1200.0, 9.0), ("mid", 1100.0, 1.0)]
    rows += [("same price", 1050.0, 1.0), ("dear", 1200.0, 20.0)]

    line = charts.pareto_line(pd.DataFrame(rows, columns=["model", "score", "price"]))

    assert line["model"].tolist() == ["cheap", "mid", "best"]


def test_a_model_without_a_price_is_not_drawn() -> None:
    rows = [("x", 1000.0, 1.0), ("free", 1100.0, 0.0), ("unknown", 1100.0, None)]

    spec = charts.score_against_price(pd.DataFrame(rows, columns=["model", "score", "price"])).to_dict()

    assert [row["model"] for layer in range(3) for row in _rows(spec, layer)] == ["x", "x", "x"]


@pytest.mark.parametrize(("beaten", "named"), [(18, 20), (19, 2)])
def test_a_crowd_is_named_on_the_pareto_line_only(beaten: int, named: int) -> None:
    rows = [("cheap", 1000.0, 1.0), ("good", 1100.0, 2.0), *((f"m{i}", 900.0, 3.0) for i in range(beaten))]

    spec = charts.score_against_price(pd.DataFrame(rows, columns=["model", "score", "price"])).to_dict()

    assert len(_rows(spec, 2)) == named


def test_the_history_colours_the_best_and_greys_the_rest() -> None:
    quiet, named = _drawn("score_history", 130)["layer"]

    assert quiet["encoding"]["color"] == {"value": QUIET}
    assert named["encoding"]["color"]["scale"]["domain"] == _names(130)[:20]
    looks = zip(
        named["encoding"]["color"]["scale"]["range"], named["encoding"]["strokeDash"]["scale"]["range"], strict=True
    )
    assert len({(colour, tuple(dash)) for colour, dash in looks}) == 20


def with_intervals(models: int, at: list[str]) -> pd.DataFrame:
    rows = [(name, time, 1000.0 - i, 800.0 - i, 1200.0 - i) for i, name in enumerate(_names(models)) for time in at]
    return pd.DataFrame(rows, columns=["model", "at", "score", "lower", "upper"])


@pytest.mark.parametrize(
    ("models", "marks"), [(1, ["area", "line"]), (5, ["area", "line"]), (6, ["line"]), (0, ["line"])]
)
def test_intervals_over_time_are_bands_of_a_few_models(models: int, marks: list[str]) -> None:
    spec = charts.score_history(with_intervals(models, ["2026-11-20", "2026-11-21"])).to_dict()

    assert _marks(spec) == marks
    titles = [tooltip["title"] for tooltip in spec["layer"][-1]["encoding"]["tooltip"]]
    assert titles == ["Model", "Score", "From", "To", "Day (UTC)"]


def test_wide_intervals_do_not_press_the_lines_flat() -> None:
    spec = charts.score_history(with_intervals(3, ["2026-11-20", "2026-11-21"])).to_dict()

    assert spec["layer"][1]["encoding"]["y"]["scale"]["domain"] == [958.0, 1040.0]
    assert spec["layer"][0]["mark"]["clip"]


@pytest.mark.parametrize(("at", "title"), [("2026-11-20", "Day (UTC)"), ("2026-11-20T10:30", "UTC")])
def test_a_day_is_told_as_a_day_and_a_time_to_the_minute(at: str, title: str) -> None:
    spec = charts.score_history(with_intervals(1, [at]), title="My scores").to_dict()

    assert spec["layer"][-1]["encoding"]["tooltip"][-1]["title"] == title
    assert spec["title"]["text"] == "My scores"


def test_times_are_drawn_in_utc_whatever_zone_they_came_in() -> None:
    at = pd.to_datetime(["2026-11-22T23:30"], utc=True).tz_convert("Asia/Kathmandu")

    spec = charts.score_history(pd.DataFrame({"model": ["x"], "at": at, "score": [1000.0]})).to_dict()

    (rows,) = spec["datasets"].values()
    assert pd.Timestamp(rows[0]["at"]) == pd.Timestamp("2026-11-22T23:30Z")
    assert {scale.get("type") for scale in _found(spec, "scale")} >= {"utc"}


def test_days_without_sources_are_one_colour() -> None:
    frame = pd.DataFrame({"day": ["2026-11-22", "2026-11-23"], "votes": [3, 4]})

    spec = charts.votes_per_day(frame).to_dict()

    assert "color" not in spec["layer"][0]["encoding"]
    assert _found(spec, "timeUnit") == ["utcyearmonthdate", "utcyearmonthdate"]


@pytest.mark.parametrize(("models", "marks"), [(20, ["rect", "text"]), (21, ["rect"])])
def test_cells_are_numbered_up_to_twenty_models(models: int, marks: list[str]) -> None:
    assert _marks(_drawn("win_probabilities", models)) == marks


def test_a_given_order_wins_and_forgets_nobody() -> None:
    frame = pd.DataFrame(
        [("x", "y", 0.6, 0.5, 0.7), ("y", "x", 0.4, 0.3, 0.5)],
        columns=["model_a", "model_b", "probability", "lower", "upper"],
    )

    spec = charts.win_probabilities(frame, order=["alone", "y"]).to_dict()

    assert ["alone", "y", "x"] in _found(spec, "domain")
