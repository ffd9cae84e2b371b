import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from arena.domain import Seats
from arena.errors import BeingRated
from arena.foreign import ForeignTally, ForeignVote
from arena.rated_board import ScoreHistory
from arena.settings import load_settings
from arena.store import NewSource, SourceLoad, Store
from arena.transfer import import_file
from board_filters import View
from board_json import board_json
from board_table import change, columns, interval, lines, ranks, written
from leaderboard import METHODS, RatedStanding, Verdict
from shell import open_arena
from tests.fault_server import wait_until
from tests.pages.conftest import busy_background, cast, fail, progress, rated

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
    return [each.value.removeprefix("#### ") for each in tab.markdown if each.value.startswith("#### ")]


def history() -> ScoreHistory | None:
    try:
        return open_arena().score_history()
    except BeingRated:
        return None


def drawn(tab: AppTest, title: str) -> set[str]:
    """The days that a chart over time has points on."""
    proto = tab.get("vega_lite_chart")[pictures(tab).index(title)].proto
    frames = [convert_arrow_bytes_to_pandas_df(each.data.data) for each in proto.datasets]
    return {str(at)[:10] for frame in frames for at in frame["at"]}


def import_vote() -> None:
    """A source of one vote, on a model that the arena does not have, too."""
    new = NewSource(name="file", format="plain", sha256="0" * 64)
    with closing(Store.open(load_settings().database_url)) as store, SourceLoad(store.write, new) as loading:
        loading.add([ForeignVote(model_a="ash", model_b="stranger", verdict=Verdict.A, line=1)])
        loading.publish(actor="tester")


def import_counts() -> None:
    """A source that knows how often, and neither in which order nor how the answers were written."""
    tallies = [ForeignTally(1, "ash", "birch", verdict, 5) for verdict in Verdict]
    new = NewSource(name="counts", format="pair_counts", sha256="sum", tallies_only=True)
    with closing(Store.open(load_settings().database_url)) as store, SourceLoad(store.write, new) as loading:
        loading.add_tallies(tallies)
        loading.publish(actor="tester")


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


def test_every_chart_can_be_saved_as_svg_and_as_png(voted: OpenPage) -> None:
    tab = voted("standings.py")
    saved = [button.proto.label for button in tab.get("download_button")]

    assert saved == ["⬇️ CSV", "⬇️ JSON", *["SVG", "PNG"] * len(pictures(tab))]
    assert len(pictures(tab)) == len(tab.get("vega_lite_chart"))


@pytest.mark.parametrize("method", [name for name in METHODS if name != "elo"])
def test_a_link_orders_by_any_method(voted: OpenPage, method: str) -> None:
    tab = voted("standings.py", order=method)
    table = tab.dataframe[0].value

    assert not tab.exception
    assert tab.selectbox(key="filter-order").value == method
    assert table["score"].dropna().is_monotonic_decreasing
    assert models(tab)[-1] == "Elm"


def test_style_control_says_what_style_is_worth_in_points(voted: OpenPage) -> None:
    tab = voted("standings.py", order="style_control")

    assert "- Length: " in texts(tab)
    assert "times the length." in texts(tab)
    assert "bold words against none." in texts(tab)
    assert "Headings" not in texts(tab), "no answer has any"


def test_only_style_control_speaks_of_style(voted: OpenPage) -> None:
    assert "- Length: " not in texts(voted("standings.py"))


def test_a_method_that_cannot_rate_says_why_and_the_choice_stays(voted: OpenPage) -> None:
    import_counts()
    tab = voted("standings.py", source="counts", order="style_control")

    assert "Style control needs" in tab.error[0].value
    assert not tab.dataframe
    tab.selectbox(key="filter-order").set_value("bradley_terry").run()
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


def test_a_link_opens_the_board_of_a_past_day_and_a_button_leads_back(
    voted: OpenPage, cast_votes: Callable[..., None]
) -> None:
    cast_votes([(Seats("elm", "ash"), Verdict.A)] * 3, days_ago=3)
    then = (datetime.now(UTC) - timedelta(days=5)).date()

    tab = voted("standings.py", until=f"{then}")

    assert f"**Board as of the end of {then}** (UTC)" in texts(tab)
    assert models(tab) == ["Ash", "Elm", "Cedar", "Birch"]
    assert tab.dataframe[0].value["battles"].tolist() == [2, 0, 1, 3]
    assert tab.dataframe[0].value["change"].tolist() == [0.0] * 4
    assert f"last vote {datetime.now(UTC) - timedelta(days=10):%Y-%m-%d}" in texts(tab)
    assert drawn(tab, "Elo over Time") <= {f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%d}"}

    next(button for button in tab.button if button.label == "Back to today").click().run()

    assert models(tab)[0] == "Elm"
    assert "Board as of" not in texts(tab)
    assert tab.query_params == {}


def test_the_change_over_a_past_day_is_that_days(voted: OpenPage) -> None:
    tab = voted("standings.py", until=f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%d}")
    table = tab.dataframe[0].value

    assert table["change"].tolist() == [elo - 1000 for elo in table["elo"]]
    assert table["change"].iloc[0] > 0


def test_today_is_no_past_day(voted: OpenPage) -> None:
    tab = voted("standings.py", until=f"{datetime.now(UTC):%Y-%m-%d}")

    assert "Board as of" not in texts(tab)
    assert len(models(tab)) == 4


def test_models_of_an_imported_file_need_not_be_the_arenas(voted: OpenPage) -> None:
    import_vote()

    tab = voted("standings.py", source="file")

    assert not tab.exception
    assert models(tab) == ["Ash", "stranger"]
    assert "These votes carry no times" in texts(tab)
    assert "times of votes unknown" in texts(tab)


def test_the_first_vote_is_asked_for_only_where_no_vote_is_shown(open_page: OpenPage) -> None:
    import_vote()

    own, imported = open_page("standings.py"), open_page("standings.py", source="file")

    assert "Cast the first one" in texts(own)
    assert "Cast the first one" not in texts(imported)


def test_a_rating_that_takes_long_is_awaited_and_then_shown_as_of_its_last_vote(
    voted: OpenPage, configure: Callable[[str], None]
) -> None:
    configure(f"rating_seconds = 0\n{FOUR_MODELS}")
    with busy_background():
        waiting = voted("standings.py")

        assert not waiting.exception
        assert not waiting.dataframe
        assert "Bradley–Terry is being computed" in progress(waiting)
        assert waiting.selectbox(key="filter-order").value == "elo"

    wait_until(rated)
    first = waiting.run()

    assert "**3 votes**" in texts(first)
    assert "As of vote" not in texts(first)

    cast(open_arena()._store, "late", Seats("elm", "ash"), Verdict.A)
    with busy_background():
        meanwhile = first.run()

        assert "As of vote 3: newer votes are being counted in." in texts(meanwhile)
        assert "**3 votes**" in texts(meanwhile)
        assert len(meanwhile.dataframe) == 1

    wait_until(lambda: open_arena().rated_board().votes == 4)
    then = meanwhile.run()

    assert "As of vote" not in texts(then)
    assert "**4 votes**" in texts(then)


def test_a_history_that_takes_long_is_awaited_below_the_other_pictures(
    voted: OpenPage, configure: Callable[[str], None], cast_votes: Callable[..., None]
) -> None:
    cast_votes([(Seats("elm", "ash"), Verdict.A)], days_ago=3)
    configure(f"rating_seconds = 0\n{FOUR_MODELS}")
    wait_until(rated)

    with busy_background():
        without = voted("standings.py")

        assert pictures(without)[-1] == "Votes per Day"
        assert "Bradley–Terry over time is being computed" in progress(without)

    wait_until(history)
    complete = without.run()

    assert "Bradley–Terry Score over Time" in pictures(complete)
    assert not progress(complete)


def test_scores_over_time_are_those_of_the_method_that_orders(voted: OpenPage, cast_votes: Callable[..., None]) -> None:
    cast_votes([(Seats("elm", "ash"), Verdict.A)], days_ago=3)

    by_davidson, order_free = voted("standings.py", order="davidson"), voted("standings.py", order="elo_order_free")

    assert "Davidson (ties apart) Score over Time" in pictures(by_davidson)
    assert len(drawn(by_davidson, "Davidson (ties apart) Score over Time")) == 2
    assert "Each point is the board at that day's end" in texts(by_davidson)
    assert not [title for title in pictures(order_free) if "Score over Time" in title]


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


@pytest.mark.parametrize("method", METHODS)
def test_only_a_method_with_intervals_has_a_rank_by_upper_bounds(method: str) -> None:
    title = columns(method)["rank"]["label"]

    assert title == ("Rank (UB)" if METHODS[method].has_interval else "Rank")


def test_a_method_without_intervals_shows_no_spread_of_ranks(voted: OpenPage) -> None:
    table = voted("standings.py", order="elo_order_free").dataframe[0].value

    assert table["rank"].dropna().tolist() == [1.0, 2.0, 3.0]
    assert table["spread"].isna().all()


def test_numbers_are_written_for_people_and_stay_numbers() -> None:
    frame = pd.DataFrame({"win_rate": [0.66666, None], "change": [-3.4, None], "price_in": [0.075, None]})
    frame["price_out"] = [2.5, 15.0]
    frame["rank"] = [1, None]

    table = written(frame)

    assert table.to_string().split("\n")[1:3] == ["0 0.667000 −3 $0.075 $2.50 1", "1    $15 "]
    assert frame["win_rate"].tolist()[0] == 0.66666


@pytest.mark.parametrize(("points", "words"), [(16.4, "+16"), (-3.2, "−3"), (0.4, "0"), (-0.4, "0"), (0.0, "0")])
def test_a_change_has_a_sign_unless_there_is_none(points: float, words: str) -> None:
    assert change(points) == words


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


def test_votes_that_are_left_out_can_be_switched_back_in(voted: OpenPage) -> None:
    open_arena()._store.write.exclude_votes([1], reason="leaked", actor="tester").result(30)

    without, with_them = voted("standings.py"), voted("standings.py", left_out="yes")

    assert r"**2 votes** · 1 left out (an answer named its model)" in texts(without)
    assert "**3 votes**" in texts(with_them)
    assert not with_them.exception


@pytest.fixture
def failing(voted: OpenPage) -> OpenPage:
    """Ash, who leads, failed against birch in six battles of ten days ago."""
    settings = load_settings()
    at = datetime.now(UTC) - timedelta(days=10)
    with closing(Store.open(settings.database_url, clock=lambda: at)) as store:
        for number in range(6):
            fail(store, f"failed-{number}", Seats("ash", "birch"))
    return voted


def test_a_second_board_counts_failed_answers_as_lost(failing: OpenPage) -> None:
    plain, second = failing("standings.py"), failing("standings.py", failed_loses="yes")

    assert "counted as lost" not in texts(plain)
    assert "**3 votes** · **6 failed answers** counted as lost" in texts(second)
    assert "A failed answer loses here" in texts(second)
    assert [name.split(" · ")[0] for name in plain.dataframe[0].value["model"]] == ["Ash", "Elm", "Cedar", "Birch"]
    assert [name.split(" · ")[0] for name in second.dataframe[0].value["model"]] == ["Birch", "Cedar", "Ash"]
    assert not second.exception


def test_a_rating_that_follows_votes_one_by_one_says_why_no_failure_can_be_lost(failing: OpenPage) -> None:
    tab = failing("standings.py", failed_loses="yes", order="style_control")

    assert "has no place among them" in tab.error[0].value


@pytest.mark.usefixtures("failing")
def test_the_pages_json_says_how_many_failed_answers_are_lost() -> None:
    view = View(failed_loses=True)
    board = open_arena().rated_board(selection=view.selection, order_by_elo=view.by_elo)

    told = json.loads(board_json(board, lines(board, open_arena().board(), view), view))

    assert (told["votes"], told["failed_lost"], told["filters"]) == (3, 6, {"failed_loses": ["yes"]})
