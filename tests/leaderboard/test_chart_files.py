import inspect
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from types import ModuleType

import altair as alt
import pandas as pd
import pytest

from leaderboard import charts, rating_charts
from leaderboard.chart_files import MOST_DESCRIBED, WIDTH, Spec, as_png, as_svg
from leaderboard.games import PairCounts, Tally
from leaderboard.method import Evidence
from leaderboard.prediction import all_forecasts, probability_curve
from leaderboard.ratings import rate_bradley_terry
from leaderboard.verdicts import Verdict

HOSTILE = "<script>alert(1)</script>"
NAMES = [HOSTILE, "x\" onload='y' & <b>", "datum.score", "日本語 🦙", *(f"model-{i}" for i in range(8))]
SIZES = [0, 1, len(NAMES)]
SVG = "{http://www.w3.org/2000/svg}"


def _counts(models: int) -> PairCounts:
    names = NAMES[:models]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    kinds = [(Verdict.A, 2), (Verdict.TIE, 1), (Verdict.B, 1)]
    return PairCounts.from_tallies(names, [Tally(a, b, verdict, n) for a, b in pairs for verdict, n in kinds])


def _history(models: int, column: str) -> pd.DataFrame:
    days = pd.date_range("2026-11-20", periods=3, tz="UTC")
    rows = [(name, at, 1000.0 - i) for i, name in enumerate(NAMES[:models]) for at in days]
    return pd.DataFrame(rows, columns=["model", "at", column])


def _intervals(models: int) -> pd.DataFrame:
    return rating_charts.interval_frame(rate_bradley_terry(Evidence(counts=_counts(models))).estimate)


def _chances(models: int) -> pd.DataFrame:
    counts = _counts(models)
    pairs = all_forecasts(rate_bradley_terry(Evidence(counts=counts)), counts=counts)
    return pd.DataFrame(pairs, columns=["model_a", "model_b", "probability", "lower", "upper"])


def _prices(models: int) -> pd.DataFrame:
    rows = [(name, 1000.0 - 40 * i, 9.0 - i / 2) for i, name in enumerate(NAMES[:models])]
    return pd.DataFrame(rows, columns=["model", "score", "price"])


def _days(models: int) -> pd.DataFrame:
    return pd.DataFrame([("2026-11-22", 3)] * models, columns=["day", "votes"])


def _curve(_models: int) -> alt.LayerChart:
    return charts.probability_curve(pd.DataFrame(probability_curve()), difference=167.0, probability=0.723)


EVERY_CHART: dict[str, Callable[[int], alt.LayerChart]] = {
    "elo_history": lambda models: charts.elo_history(_history(models, "elo")),
    "win_fraction": lambda models: charts.win_fraction(charts.win_fraction_frame(_counts(models))),
    "battle_counts": lambda models: charts.battle_counts(charts.battle_frame(_counts(models))),
    "probability_curve": _curve,
    "strength_intervals": lambda models: rating_charts.strength_intervals(_intervals(models)),
    "average_win_rate": lambda models: rating_charts.average_win_rate(rating_charts.win_rate_frame(_counts(models))),
    "score_against_price": lambda models: rating_charts.score_against_price(_prices(models)),
    "score_history": lambda models: rating_charts.score_history(_history(models, "score")),
    "votes_per_day": lambda models: rating_charts.votes_per_day(_days(models)),
    "win_probabilities": lambda models: rating_charts.win_probabilities(_chances(models)),
}
WITHOUT_NAMES = {"probability_curve", "votes_per_day"}


def _spec(chart: str, models: int = 2) -> Spec:
    return EVERY_CHART[chart](models).to_dict()


def _texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def _charts_of(module: ModuleType) -> set[str]:
    functions = inspect.getmembers(module, inspect.isfunction)
    return {name for name, f in functions if name[0] != "_" and f.__annotations__.get("return") is alt.LayerChart}


def test_no_chart_is_forgotten_here() -> None:
    assert set(EVERY_CHART) >= _charts_of(charts) | _charts_of(rating_charts)


@pytest.mark.parametrize("models", SIZES)
@pytest.mark.parametrize("chart", EVERY_CHART)
def test_every_chart_is_an_svg_with_its_title_that_fetches_nothing(chart: str, models: int) -> None:
    spec = _spec(chart, models)

    svg = as_svg(spec)

    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert spec["title"]["text"] in _texts(svg)
    assert {each.tag for each in root.iter()} <= {
        SVG + tag for tag in ("svg", "g", "path", "text", "line", "defs", "linearGradient", "stop", "clipPath", "rect")
    }
    attributes = {key for each in root.iter() for key in each.attrib}
    assert not [key for key in attributes if "href" in key or key.startswith("on") or key in {"src", "style"}]
    assert set(re.findall(r"url\((.)", svg)) <= {"#"}


@pytest.mark.parametrize("chart", sorted(EVERY_CHART.keys() - WITHOUT_NAMES))
def test_a_models_name_is_text_in_an_svg_whatever_it_says(chart: str) -> None:
    svg = as_svg(_spec(chart, len(NAMES)))

    assert set(NAMES) <= set(_texts(svg))


@pytest.mark.parametrize("models", [0, len(NAMES)])
@pytest.mark.parametrize("chart", EVERY_CHART)
def test_every_chart_is_a_png(chart: str, models: int) -> None:
    png = as_png(_spec(chart, models), scale=1.0)

    width, height = (int.from_bytes(png[start : start + 4]) for start in (16, 20))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert 100 < width <= 1400
    assert 60 < height <= 1400


def test_a_chart_without_a_width_gets_the_one_of_files() -> None:
    svg = as_svg(_spec("strength_intervals"))

    assert f'width="{WIDTH}"' in svg.partition(">")[0]


def test_a_picture_is_drawn_on_white_with_a_caption_that_is_text() -> None:
    svg = as_svg(_spec("average_win_rate"), caption=f"12 votes · {HOSTILE}")

    assert f"12 votes · {HOSTILE}" in _texts(svg)
    assert 'fill="white"' in svg.partition("<g")[0] + svg.partition("<rect")[2].partition(">")[0]


def test_a_dot_more_per_pixel_makes_a_larger_png() -> None:
    small, large = (as_png(_spec("votes_per_day"), scale=scale) for scale in (1.0, 2.0))

    assert int.from_bytes(large[16:20]) == 2 * int.from_bytes(small[16:20])


def test_marks_are_described_for_those_who_listen_unless_there_are_too_many() -> None:
    few = _spec("battle_counts")
    ((name, rows),) = few["datasets"].items()
    many = {**few, "datasets": {name: rows * MOST_DESCRIBED}}

    assert "Battles: 4" in as_svg(few)
    assert "Battles: 4" not in as_svg(many)


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "http://127.0.0.1:9/votes.csv"}, "mark": "bar"},
        {"data": {"values": [{"u": "file:///etc/hostname"}]}, "mark": "image", "encoding": {"url": {"field": "u"}}},
        {"layer": [{"data": {"values": [{}]}, "mark": {"type": "image"}}]},
    ],
)
def test_a_chart_that_names_an_address_is_refused(spec: Spec) -> None:
    for draw in (as_svg, as_png):
        with pytest.raises(ValueError, match="names an address"):
            draw(spec)


def test_a_model_may_be_called_like_what_is_refused() -> None:
    frame = pd.DataFrame([("url", 0.5, 1), ("image", 0.2, 1)], columns=["model", "win_rate", "opponents"])

    assert {"url", "image"} <= set(_texts(as_svg(rating_charts.average_win_rate(frame).to_dict())))


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\ud800", "\ufffe"])
def test_a_character_that_no_xml_may_hold_is_replaced(bad: str) -> None:
    named = {"data": {"values": [{"model": f"a{bad}b"}]}, "mark": "text", "encoding": {"text": {"field": "model"}}}

    assert _texts(as_svg({**named, "title": {"text": "T"}}, caption=f"c{bad}")) == ["a\ufffdb", "T", "c\ufffd"]


def test_what_vega_cannot_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="SVG conversion failed"):
        as_svg({"mark": "no such mark"})
