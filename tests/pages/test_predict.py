from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from arena.domain import Seats
from leaderboard import Verdict
from tests.fault_server import wait_until
from tests.pages.conftest import busy_background, progress, rated

OpenPage = Callable[..., AppTest]
MODELS = "\n".join(
    f"""
[[models]]
name = "{name}"
provider = "scripted"
display_name = "{name.title()}"
script = {{ text = "Yes" }}
"""
    for name in ("ash", "birch", "oak", "pine", "yew")
)


@pytest.fixture
def voted(configure: Callable[[str], None], cast_votes: Callable[..., None], open_page: OpenPage) -> OpenPage:
    """Ash beat birch once and tied once; oak beat pine; nothing joins the two pairs; yew never fought."""
    configure(MODELS)
    cast_votes(
        [
            (Seats("ash", "birch"), Verdict.A),
            (Seats("birch", "ash"), Verdict.TIE),
            (Seats("oak", "pine"), Verdict.A),
        ]
    )
    return open_page


def texts(tab: AppTest) -> str:
    return "\n".join(each.value for each in [*tab.markdown, *tab.warning, *tab.info, *tab.caption])


def titles(tab: AppTest) -> list[str]:
    return [each.value.removeprefix("#### ") for each in tab.markdown if each.value.startswith("#### ")]


def test_the_chance_comes_with_its_interval_the_split_the_record_and_the_elo_figure(voted: OpenPage) -> None:
    tab = voted("predict.py", a="ash", b="birch")
    first, second = tab.metric

    assert first.label == "P(A preferred)"
    assert float(first.value[:-2]) + float(second.value[:-2]) == pytest.approx(100)
    assert float(first.value[:-2]) > 50
    assert first.delta.startswith("95\N{NO-BREAK SPACE}% interval: ")
    assert "**The next battle**: A wins" in texts(tab)
    assert "A won **1**, B won **0**, 1 tie" in texts(tab)
    assert "**By Elo alone**: P(A preferred) = 54." in texts(tab)
    assert titles(tab)[0].startswith("Win Probability: ")
    assert titles(tab)[1:] == ["Predicted Win Probability for Each Combination of Models"]
    assert [button.proto.label for button in tab.get("download_button")] == ["SVG", "PNG"] * 2


def test_two_that_nothing_joins_say_so_instead_of_a_chance(voted: OpenPage) -> None:
    tab = voted("predict.py", a="ash", b="oak")

    assert [metric.value for metric in tab.metric] == ["–", "–"]
    assert r"have never met\, not even through others" in texts(tab)
    assert "have not met yet" not in texts(tab)
    assert "**By Elo alone**" in texts(tab)
    assert len(titles(tab)) == 1


def test_a_model_without_a_vote_has_its_elo_figure_only(voted: OpenPage) -> None:
    tab = voted("predict.py", a="yew", b="oak")

    assert "Yew has no vote here yet" in texts(tab)
    assert "Elo's expected score" in texts(tab)
    assert tab.metric[0].delta == "rated 1000"


def test_the_page_begins_with_the_best_two_that_have_votes(
    configure: Callable[[str], None], cast_votes: Callable[..., None], open_page: OpenPage
) -> None:
    configure(MODELS)
    cast_votes([(Seats("ash", "birch"), Verdict.A)])

    tab = open_page("predict.py")

    assert tab.query_params == {"a": "ash", "b": "birch"}


def test_a_link_with_a_method_that_has_no_interval_says_so_and_uses_another(voted: OpenPage) -> None:
    tab = voted("predict.py", a="ash", b="birch", method="<elo>")

    assert r"No rating called \'\<elo\>\' gives a chance" in texts(tab)
    assert tab.selectbox(key="method").value == "bradley_terry"
    assert tab.query_params == {"a": "ash", "b": "birch"}


def test_a_chosen_rating_stands_in_the_address_and_says_why_it_cannot_tell(voted: OpenPage) -> None:
    tab = voted("predict.py", a="ash", b="yew")
    tab.selectbox(key="method").set_value("style_control").run()

    assert tab.query_params["method"] == "style_control"
    assert "Yew has no vote here yet" in texts(tab)
    assert len(tab.metric) == 2


def test_a_rating_that_takes_long_leaves_the_elo_figure_until_it_is_there(
    voted: OpenPage, configure: Callable[[str], None]
) -> None:
    configure(f"rating_seconds = 0\n{MODELS}")
    with busy_background():
        waiting = voted("predict.py", a="ash", b="birch")

        assert waiting.metric[0].delta == "rated 1015"
        assert "Bradley–Terry is being computed" in progress(waiting)

    wait_until(rated)
    there = waiting.run()

    assert there.metric[0].delta.startswith("95\N{NO-BREAK SPACE}% interval: ")
    assert not progress(there)


def test_a_model_against_itself_is_even(voted: OpenPage) -> None:
    tab = voted("predict.py", a="ash", b="ash")

    assert tab.metric[0].value == "50.0\N{NO-BREAK SPACE}%"
    assert "Head to head" not in texts(tab)
