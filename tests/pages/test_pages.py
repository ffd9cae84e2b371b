import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from fault_server import wait_until
from streamlit.testing.v1 import AppTest

import shell
from arena.board import labels
from arena.domain import ModelSpec, Seats
from leaderboard import Verdict
from shell import open_arena, plain
from tables import price, safe_csv

J = "\u2060"  # invisible, keeps the front-end's patterns apart
OpenPage = Callable[..., AppTest]
APP = Path(shell.__file__).with_name("app.py")
ONE_MODEL = """
[[models]]
name = "walnut"
provider = "scripted"
display_name = "Walnut 7B"
script = { text = "One **answer** to: {prompt}" }
"""
PAGES = re.findall(r'st\.Page\("(\w+\.py)"', APP.read_text(encoding="utf-8"))


def shown(tab: AppTest) -> str:
    return "\n".join(element.value for element in [*tab.markdown, *tab.warning, *tab.info, *tab.caption])


def vote_once(open_page: OpenPage) -> AppTest:
    tab = open_page()
    tab.chat_input(key="prompt").set_value("Why?").run()
    tab.button(key="vote-a").click().run()
    return tab.button(key="reveal").click().run()


@pytest.mark.parametrize(
    ("name", "markdown"),
    [
        ("gpt-4.1:latest", r"gpt\-4\.1\:latest"),
        ("*[a](b)*", r"\*\[a\]\(b\)\*"),
        (":smile: :material/home:", f"\\:{J}smile\\: \\:{J}material\\/home\\:"),
        ("a -> b >= c", f"a \\-{J}\\> b \\>{J}\\= c"),
        ("http://a.example", f"http\\:{J}\\/\\/a\\.example"),
        ("www.a.example b@c.example", f"www{J}\\.a\\.example b\\@{J}c\\.example"),
    ],
)
def test_a_name_is_more_than_letters_to_nobody(name: str, markdown: str) -> None:
    assert plain(name) == markdown


def test_a_sentence_shows_the_command_that_it_names_as_one() -> None:
    assert plain("Type `arena admin password`.") == r"Type `arena admin password`\."
    assert plain("`arena -> :x:` `arena` `") == f"\\`arena \\-{J}\\> \\:{J}x\\:\\` `arena` \\`"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws_on_an_empty_database(open_page: OpenPage, page: str) -> None:
    tab = open_page(page)

    assert not tab.exception
    assert not tab.error
    assert tab.title
    assert "Answers can be wrong" in shown(tab)


def test_an_empty_leaderboard_invites_to_the_first_battle(open_page: OpenPage) -> None:
    tab = open_page("standings.py")

    assert "Cast the first one" in shown(tab)
    assert "no vote yet" in shown(tab)


def test_a_vote_moves_the_leaderboard(open_page: OpenPage) -> None:
    vote_once(open_page)
    tab = open_page("standings.py")
    table = tab.dataframe[0].value

    assert table["elo"].tolist() == [1016.0, 984.0]
    assert table["wins"].tolist() == [1, 0]
    assert "**1 vote**" in shown(tab)
    assert table["rank"].tolist() == [1, 1]
    assert len(tab.get("vega_lite_chart")) == 6


def test_the_best_two_are_compared_first(open_page: OpenPage) -> None:
    vote_once(open_page)
    tab = open_page("predict.py")

    # One vote and the prior's virtual draw: A has 1.5 of 2 wins.
    assert [metric.value for metric in tab.metric] == ["75.0\N{NO-BREAK SPACE}%", "25.0\N{NO-BREAK SPACE}%"]
    assert all("95\N{NO-BREAK SPACE}% interval" in metric.delta for metric in tab.metric)
    assert "**By Elo alone**: P(A preferred) = 54.6" in shown(tab)
    assert "**The next battle**: A wins" in shown(tab)
    assert "A won **1**" in shown(tab)


def test_a_link_names_the_pair(open_page: OpenPage) -> None:
    tab = open_page("predict.py", a="hazel", b="Walnut 7B")

    assert [tab.selectbox(key=f"model-{seat}").value for seat in "ab"] == ["hazel", "walnut"]
    assert "have not met yet" in shown(tab)


def test_a_link_with_an_unknown_name_says_so_and_compares_others(open_page: OpenPage) -> None:
    tab = open_page("predict.py", a="<b>walmut", b="hazel")

    assert r"\<b\>walmut" in shown(tab)
    assert tab.metric


def test_two_ratings_give_the_published_chance(open_page: OpenPage) -> None:
    # Elo's formula: 1 / (1 + 10 ** (-167 / 400)) = 0.7234
    tab = open_page("predict.py")
    tab.segmented_control(key="way").set_value("Two ratings").run()
    tab.number_input(key="rating-a").set_value(1287.0)
    tab.number_input(key="rating-b").set_value(1120.0)
    tab.run()

    assert tab.metric[0].value == "72.3\N{NO-BREAK SPACE}%"


def test_the_catalogue_shows_what_is_known(open_page: OpenPage) -> None:
    table = open_page("models.py").dataframe[0].value

    assert table["model"].tolist() == ["Walnut 7B", "Hazel_Nut"]
    assert table["price"].iloc[0] == "$0.20 / $0.60"
    assert table["context"].iloc[0] == 8192


def test_a_csv_holds_no_formula() -> None:
    frame = pd.DataFrame({"model": ["=1+1", "+x", "-y", "@z", "plain"], "elo": [-1.0, 2.0, 3.0, 4.0, 5.0]})

    assert safe_csv(frame) == "model,elo\n'=1+1,-1.0\n'+x,2.0\n'-y,3.0\n'@z,4.0\nplain,5.0\n"


def test_models_of_one_display_name_are_told_apart() -> None:
    specs = [ModelSpec(name=name, provider="scripted", display_name=shown) for name, shown in ("aX", "bX", "cY")]

    assert labels(specs) == {"a": "X (a)", "b": "X (b)", "c": "Y"}


@pytest.mark.parametrize(
    ("price_in", "price_out", "words"),
    [
        (None, None, None),
        (2.5, 10.0, "$2.50 / $10"),
        (0.075, None, "$0.075 / ?"),
        (15, 1200.0, "$15 / $1,200"),
        (0.0375, 0.0, "$0.0375 / $0"),
    ],
)
def test_prices_read_as_dollars(price_in: float | None, price_out: float | None, words: str | None) -> None:
    spec = ModelSpec(name="a", provider="scripted", display_name="A", price_in=price_in, price_out=price_out)

    assert price(spec) == words


def draw_a_fetch() -> None:
    # AppTest runs this function's text as a page of its own.
    from arena.catalogue import Catalogue  # noqa: PLC0415
    from arena.embedded import FetchProgress, FetchState  # noqa: PLC0415
    from waiting import draw_progress  # noqa: PLC0415

    downloads = (
        FetchProgress(name="one", state=FetchState.WAITING),
        FetchProgress(name="two", state=FetchState.FETCHING, bytes_done=30_000_000, bytes_total=120_000_000),
        FetchProgress(name="three", state=FetchState.JOINING, bytes_done=5, bytes_total=5),
        FetchProgress(name="four", state=FetchState.READY),
        FetchProgress(name="five", state=FetchState.FAILED, error="No network."),
    )
    draw_progress(Catalogue(entries=(), notices=("A plain sentence.",), downloads=downloads, ready_count=0))


def test_a_fetch_shows_how_far_it_is() -> None:
    tab = AppTest.from_function(draw_a_fetch).run()
    bars = [bar.proto for bar in tab.get("progress")]

    assert [(bar.text, bar.value) for bar in bars] == [
        ("⏳ one: waiting", 0),
        ("⬇️ two: 30 of 120 MB", 25),
        ("🔍 three: checking what was fetched", 100),
    ]
    assert [error.value for error in tab.error] == ["No network."]
    assert [info.value for info in tab.info] == ["A plain sentence."]


def test_a_model_that_left_the_file_is_listed_as_retired(configure: Callable[[str], None], open_page: OpenPage) -> None:
    open_page("models.py")
    st.cache_resource.clear()
    configure(ONE_MODEL)

    table = open_page("models.py").dataframe[0].value

    assert list(table["state"]) == ["🟢 enabled", "🏁 retired"]
    assert list(table["model"]) == ["Walnut 7B", "Hazel_Nut"]


def test_what_is_wrong_with_the_file_is_said_on_the_models_page_only(
    configure: Callable[[str], None], open_page: OpenPage
) -> None:
    open_page()
    configure('[[models]]\nname = "walnut"\nprovider = "oracle"\n')
    wait_until(lambda: open_arena().catalogue().complaint is not None)

    models, battle = open_page("models.py"), open_page()

    assert "arena.toml was not read again" in models.error[0].value.replace("\\", "")
    assert not battle.error
    assert not battle.info


def test_the_trust_page_tells_what_was_left_out_and_that_it_changes_nothing(
    open_page: OpenPage, cast_votes: Callable[..., None]
) -> None:
    cast_votes([(Seats("walnut", "hazel"), Verdict.A), (Seats("hazel", "walnut"), Verdict.A)])

    tab = open_page("trust.py")

    assert not tab.exception
    assert "**2 votes** on the board, 0 votes left out" in [each.value for each in tab.markdown]
    measured = tab.dataframe[0].value.set_index("Measured")["Figure"]
    assert measured["Voters"] == "1"
    assert measured["Left answer won"].startswith("100.0")
    assert measured["First place hangs on"] == "0 votes"  # both won once
    effects = tab.dataframe[1].value.iloc[:, 0].tolist()
    assert effects == ["without the votes of the busiest voter", "with the advantage of the left seat taken out"]


def test_the_trust_page_of_a_new_arena_says_that_there_is_little_to_tell(open_page: OpenPage) -> None:
    tab = open_page("trust.py")

    assert not tab.exception
    assert "No vote has been counted yet" in tab.info[0].value
