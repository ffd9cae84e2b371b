import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from arena.domain import Seats
from arena.settings import load_settings
from arena.store import Store
from arena.transfer import import_file
from board_filters import View
from board_json import board_json
from board_table import interval, lines, ranks
from leaderboard import METHODS, RatedStanding, Verdict
from shell import open_arena

OpenPage = Callable[..., AppTest]
FOUR_MODELS = "\n".join(
    f"""
[[models]]
name = "{name}"
provider = "scripted"
display_name = "{name.title()}"
organisation = "{organisation}"
licence = "{licence}"
state = "{state}"
price_in = {price}
price_out = {price}
script = {{ text = "Yes" }}
"""
    for name, organisation, licence, state, price in (
        ("ash", "Forest", "MIT", "enabled", 1),
        ("birch", "Forest", "Apache-2.0", "enabled", 2),
        ("cedar", "Grove", "MIT", "retired", 3),
        ("elm", "Grove", "MIT", "enabled", 4),
    )
)


@pytest.fixture
def voted(configure: Callable[[str], None], cast_votes: Callable[..., None], open_page: OpenPage) -> OpenPage:
    """Ash beat birch twice, birch and cedar tied, ten days ago; elm never fought."""
    configure(FOUR_MODELS)
    votes = [
        (Seats("ash", "birch"), Verdict.A),
        (Seats("birch", "ash"), Verdict.B),
        (Seats("birch", "cedar"), Verdict.TIE),
    ]
    cast_votes(votes, days_ago=10)
    return open_page


def texts(tab: AppTest) -> str:
    return "\n".join(each.value for each in [*tab.markdown, *tab.warning, *tab.info, *tab.error, *tab.caption])


def models(tab: AppTest) -> list[str]:
    return [str(model).split(" · ")[0] for model in tab.dataframe[0].value["model"]]


def pictures(tab: AppTest) -> list[str]:
    return [json.loads(chart.proto.spec)["title"]["text"] for chart in tab.get("vega_lite_chart")]


def test_elo_orders_and_bradley_terry_stands_beside_it(voted: OpenPage) -> None:
    tab = voted("standings.py")
    table = tab.dataframe[0].value

    assert models(tab) == ["Ash", "Elm", "Cedar", "Birch"]
    assert table["model"].tolist()[2] == "Cedar · retired · preliminary"
    assert table["elo"].is_monotonic_decreasing
    assert table["rank"].isna().tolist() == [False, True, False, False]
    assert table["score"].iloc[0] > table["score"].iloc[3]
    assert table["interval"].iloc[0].startswith("+")
    assert table["spread"].iloc[0] == "1–3"
    assert table["change"].tolist() == [0.0] * 4
    assert "**4 models** · **3 votes**" in texts(tab)
    assert r"Without a vote here\: Elm" in texts(tab)


def test_the_pictures_come_in_the_known_order(voted: OpenPage) -> None:
    titles = pictures(voted("standings.py"))

    assert [title.split(":")[0] for title in titles] == [
        "Figure 1",
        "Figure 2",
        "Figure 3",
        "Figure 4",
        "Score against Price",
        "Elo over Time",
        "Votes per Day",
    ]


@pytest.mark.parametrize("method", [name for name in METHODS if name not in {"elo", "style_control"}])
def test_a_link_orders_by_any_method(voted: OpenPage, method: str) -> None:
    tab = voted("standings.py", order=method)
    table = tab.dataframe[0].value

    assert not tab.exception
    assert tab.selectbox(key="filter-order").value == method
    assert table["score"].dropna().is_monotonic_decreasing
    assert models(tab)[-1] == "Elm"


def test_a_method_that_cannot_rate_says_why_and_the_choice_stays(voted: OpenPage) -> None:
    tab = voted("standings.py", order="style_control")

    assert "Style control needs" in tab.error[0].value
    assert not tab.dataframe
    tab.selectbox(key="filter-order").set_value("elo").run()
    assert not tab.error
    assert tab.dataframe


def test_filters_from_a_link_choose_votes_and_lines(voted: OpenPage) -> None:
    tab = voted("standings.py", ties="no", organisation="Forest")

    assert "**2 models** · **2 votes**" in texts(tab)
    assert models(tab) == ["Ash", "Birch"]
    assert "1 filter" not in tab.expander[0].label
    assert "2 filters set" in tab.expander[0].label


def test_a_filter_that_is_chosen_stands_in_the_address_until_it_is_cleared(voted: OpenPage) -> None:
    tab = voted("standings.py", retired="no")
    tab.number_input(key="filter-votes").set_value(2).run()

    assert tab.query_params == {"retired": "no", "votes": "2"}
    assert models(tab) == ["Ash", "Birch"]

    next(button for button in tab.button if button.label == "Clear filters").click().run()

    assert tab.query_params == {}
    assert len(models(tab)) == 4


def test_another_link_in_the_same_tab_is_followed(voted: OpenPage) -> None:
    tab = voted("standings.py", search="birch")
    tab.query_params["search"] = "cedar"

    tab.run()

    assert models(tab) == ["Cedar"]


def test_a_wrong_value_in_a_link_is_passed_by_with_a_sentence(voted: OpenPage) -> None:
    tab = voted("standings.py", since="yesterday", language="<b>", search="forest")

    assert len(tab.warning) == 2
    assert r"language \= “\<b\>”" in texts(tab)
    assert models(tab) == ["Ash", "Birch"]
    assert tab.query_params == {"search": "forest"}


def test_days_without_votes_say_that_none_fits(voted: OpenPage) -> None:
    tab = voted("standings.py", until="2001-01-01")

    assert "No vote fits these filters" in texts(tab)
    assert "**0 votes**" in texts(tab)
    assert not pictures(tab)


def test_the_json_holds_what_the_page_shows_and_how_it_was_made(voted: OpenPage) -> None:
    voted("standings.py")
    arena, view = open_arena(), View(retired=False)
    board = arena.rated_board()

    told = json.loads(board_json(board, lines(board, arena.board(), view), view))

    assert (told["method"], told["votes"], told["filters"]) == ("bradley_terry", 3, {"retired": ["no"]})
    assert [entry["model"] for entry in told["models"]] == ["ash", "elm", "birch"]
    assert told["models"][0]["rank"] == 1
    assert told["models"][0]["price_in"] == 1.0
    assert told["models"][1] == told["models"][1] | {"rank": None, "score": None, "elo": 1000.0, "battles": 0}
    assert {entry.keys() == told["models"][0].keys() for entry in told["models"]} == {True}


def test_ranks_and_intervals_read_well() -> None:
    standing = RatedStanding(
        rank=1, rank_worst=3, model="a", score=1000.0, plus=12.4, minus=0.2, elo=None,
        battles=1, wins=1, losses=0, ties=0, both_bad=0, win_rate=1.0, preliminary=True,
    )  # fmt: skip

    assert ranks(standing) == "1–3"
    assert interval(standing) == "+12/−0"


def test_votes_on_models_that_never_fought_here_have_a_board(open_page: OpenPage, tmp_path: Path) -> None:
    (tmp_path / "crowd.csv").write_text("model_a,model_b,winner\nfar,away,model_a\n", encoding="utf-8")
    with closing(Store.open(load_settings().database_url)) as store:
        import_file(store, tmp_path / "crowd.csv", actor="a test")

    tab = open_page("standings.py", source="crowd")

    assert not tab.exception
    assert tab.dataframe[0].value["model"].tolist() == ["far · preliminary", "away · preliminary"]
