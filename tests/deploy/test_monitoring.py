"""Dashboard and alerts ask for figures that the arena has, in words that Prometheus understands."""

import json
import re
from collections.abc import Mapping
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from arena.service import Arena
from arena.settings import Settings
from tests.deploy.deployment import text

DASHBOARD: Mapping[str, Any] = json.loads(text("grafana-dashboard.json"))
RULES = [rule for group in yaml.safe_load(text("prometheus-alerts.yaml"))["groups"] for rule in group["rules"]]
OF_PROMETHEUS = {"up"}
VARIABLES = {"$__rate_interval": "5m", "$job": "arena", "$instance": ".*"}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all series that an arena offers, also of those that have nothing to count yet."""
    arena = Arena.open(Settings(data_dir=tmp_path_factory.mktemp("data")), environ={})
    families = list(text_string_to_metric_families(arena.vitals.metrics.text().decode()))
    arena.close()
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {family.name + end for family in families for end in ends.get(family.type, ("",))}


def panels() -> list[Mapping[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def plain(query: str) -> str:
    """A query of the dashboard as Grafana sends it."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


QUERIES = [plain(target["expr"]) for panel in panels() for target in panel["targets"]]
QUERIES += [rule["expr"] for rule in RULES]


def asked(query: str) -> set[str]:
    """The names of the series that a query asks for."""
    found: set[str] = set()

    def look(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            found.add(node.name)

    promql_parser.walk(promql_parser.parse(query), look)
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_is_understood_and_asks_for_what_there_is(query: str, series: set[str]) -> None:
    assert asked(query)
    assert asked(query) <= series | OF_PROMETHEUS


def test_a_metric_by_another_name_would_be_found(series: set[str]) -> None:
    assert asked("sum(rate(arena_ballots_total[5m]))") - series == {"arena_ballots_total"}
    with pytest.raises(ValueError, match=r"\S"):
        promql_parser.parse("sum(rate(arena_votes_total[5m])")


def test_every_figure_of_the_arena_is_on_the_dashboard(series: set[str]) -> None:
    shown = {name for query in QUERIES for name in asked(query)}
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in series if name.startswith("arena_")}

    assert {family for family in families if not any(name.startswith(family) for name in shown)} == set()


def test_panels_lie_beside_each_other_and_have_a_title_a_unit_and_one_source() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels())
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${datasource}"}
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "job", "instance"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_grave_it_is_what_it_means_and_what_to_do(rule: Mapping[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "remedy"}
    assert re.fullmatch(r"\d+[smh]", rule["for"])


def test_the_rules_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in RULES]

    assert len(names) == len(set(names)) > 5
