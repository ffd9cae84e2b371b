"""The pages around the battle, on any screen: they move by themselves, link to one another and name all they hold."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from arena.domain import Side
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import NewContext, Visit
from tests.e2e.expander import open_expander
from tests.fault_server import wait_until

pytestmark = pytest.mark.e2e

NAMES = {"heron": "Grey Heron", "otter": "Sea Otter", "auk": "Great Auk"}
PATHS = ["/", "/leaderboard", "/win-probability", "/models"]
# Streamlit's one line of inline script, and its search for the place where it is mounted.
HARMLESS = re.compile(r"Executing inline script violates|/_stcore/(?:health|host-config)$")
RANK, MODEL, ELO = 0, 2, 6
NAME, STATE = 0, 1


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    models = [scripted(name, "Yes: {prompt}", display_name=NAMES[name]) for name in ("heron", "otter")]
    models.append(scripted("auk", "Gone.", display_name=NAMES["auk"], state="retired"))
    with arena_process(tmp_path_factory.mktemp("pages"), models=models, hold_seconds=20) as arena:
        yield arena


@pytest.fixture
def page(new_context: NewContext) -> Page:
    return new_context().new_page()


def test_the_leaderboard_invites_to_the_first_battle_and_moves_by_itself(
    page: Page, visit: Visit, arena: ArenaProcess
) -> None:
    page.goto(f"{arena.url}/leaderboard")
    expect(page.get_by_text("Cast the first one!")).to_be_visible()
    expect(page.get_by_role("link", name="Start a battle")).to_be_visible()
    page.evaluate("window.notReloaded = true")

    elsewhere = vote(visit().ask("Hello"))

    expect(cell(page, ELO, row=0)).to_have_text("1016")
    expect(page.get_by_text("Cast the first one!")).to_have_count(0)
    winner, loser = (elsewhere.name(side).removeprefix(f"Model {side.upper()}: ") for side in Side)
    shown = {row: cell(page, MODEL, row=row).text_content() or "" for row in range(3)}
    assert winner.startswith(shown[0].split(" · ")[0])
    assert loser.startswith(shown[2].split(" · ")[0])
    assert shown[1] == "Great Auk · retired · preliminary"
    assert [cell(page, RANK, row=row).text_content() for row in range(3)] == ["1", "", "1"]
    assert page.evaluate("window.notReloaded")


def test_a_filtered_view_is_passed_on_as_a_link(page: Page, new_context: NewContext, arena: ArenaProcess) -> None:
    page.goto(f"{arena.url}/leaderboard?retired=no")
    expect(cell(page, MODEL, row=1)).to_be_attached()
    expect(cell(page, MODEL, row=2)).to_have_count(0)
    open_expander(page, "Filters · 1 filter set")
    page.get_by_text("Retired models").click()
    expect(cell(page, MODEL, row=2)).to_be_attached()
    page.get_by_role("textbox", name="Search").fill("auk")
    page.get_by_role("textbox", name="Search").press("Enter")
    page.wait_for_url("**/leaderboard?search=auk")

    elsewhere = new_context().new_page()
    elsewhere.goto(page.url)
    expect(cell(elsewhere, MODEL, row=0)).to_contain_text("Great Auk")
    expect(elsewhere.get_by_role("textbox", name="Search")).to_have_value("auk")


def test_a_deep_link_opens_the_chance_of_its_two_models(page: Page, arena: ArenaProcess) -> None:
    page.goto(f"{arena.url}/win-probability?a=auk&b=otter")

    expect(page.get_by_role("combobox", name="Model A")).to_have_value("Great Auk")
    expect(page.get_by_role("combobox", name="Model B")).to_have_value("Sea Otter")
    expect(page.get_by_text("These two have not met yet")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue")).to_have_count(2)


def test_a_deep_link_with_an_unknown_name_says_which_one_is_near(page: Page, arena: ArenaProcess) -> None:
    page.goto(f"{arena.url}/win-probability?a=herron&b=otter")

    expect(page.get_by_text("No model on the board is called 'herron'. Did you mean 'heron'?")).to_be_visible()


def test_two_ratings_give_the_expected_score(page: Page, arena: ArenaProcess) -> None:
    page.goto(f"{arena.url}/win-probability")

    page.get_by_role("radio", name="Two ratings").click()

    expect(page.get_by_test_id("stMetricValue")).to_have_text(["72.3\u00a0%", "27.7\u00a0%"])
    page.get_by_role("spinbutton", name="Rating of A").fill("1520")
    page.get_by_role("spinbutton", name="Rating of A").press("Enter")
    expect(page.get_by_test_id("stMetricValue")).to_have_text(["90.9\u00a0%", "9.1\u00a0%"])


def test_a_chart_is_saved_as_a_picture_that_says_what_it_shows(page: Page, arena: ArenaProcess) -> None:
    page.goto(f"{arena.url}/win-probability")
    page.get_by_role("radio", name="Two ratings").click()
    expect(page.get_by_text("Win Probability: 72.3% at +167 Points")).to_be_visible()

    with page.expect_download() as saving:
        page.get_by_role("button", name="SVG").click()

    saved = saving.value.path().read_text(encoding="utf-8")
    assert saving.value.suggested_filename == "probability-curve.svg"
    assert saved.startswith("<svg")
    assert ">Win Probability: 72.3% at +167 Points<" in saved
    assert ">A: 1287 · B: 1120 · by Elo's expected score<" in saved.replace("&#x27;", "'").replace("&#39;", "'")


def test_the_models_page_lists_every_model_with_its_state(page: Page, arena: ArenaProcess) -> None:
    page.goto(f"{arena.url}/models")

    expect(cell(page, NAME, row=2)).to_have_text("Great Auk")
    assert [cell(page, NAME, row=row).text_content() for row in range(3)] == list(NAMES.values())
    assert [(cell(page, STATE, row=row).text_content() or "").split()[-1] for row in range(3)] == [
        "enabled",
        "enabled",
        "retired",
    ]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_loads_without_errors_and_every_button_has_a_name(page: Page, arena: ArenaProcess, path: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(serious(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(arena.url + path)
    expect(page.get_by_text("Answers can be wrong")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")

    buttons, named = page.get_by_role("button"), page.get_by_role("button", name=re.compile(r"\w"))
    wait_until(lambda: named.count() == buttons.count() > 0)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert complaints == []


def test_no_button_of_a_battle_names_a_model_before_the_vote(visit: Visit) -> None:
    battle = visit().ask("Hello").expect_votable()
    battle.button(LABELS[0]).click()
    expect(battle.button("Undo")).to_be_visible()

    for role in ("button", "link", "heading", "textbox"):
        expect(battle.page.get_by_role(role, name=re.compile("heron|otter", re.IGNORECASE))).to_have_count(0)


def test_a_phone_shows_readable_panes_and_casts_a_vote_by_touch(new_context: NewContext, visit: Visit) -> None:
    phone = new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    battle = visit(phone)
    battle.prompt.fill("A question typed with the thumb, long enough to need more than one line of a phone")

    battle.button("Send message").tap()
    battle.expect_votable()

    panes = [battle.pane(side).bounding_box() for side in Side]
    for pane in panes:
        assert pane is not None
        assert pane["x"] >= 0
        assert 300 <= pane["width"] <= 390
    assert battle.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert battle.answer(Side.A).evaluate("text => parseFloat(getComputedStyle(text).fontSize)") >= 14

    battle.button(LABELS[1]).tap()
    battle.button("Reveal now").tap()
    battle.expect_names()


def vote(battle: BattlePage) -> BattlePage:
    battle.expect_votable().button(LABELS[0]).click()
    battle.button("Reveal now").click()
    return battle.expect_names()


def cell(page: Page, column: int, *, row: int) -> Locator:
    """A cell of the page's table, which is painted; what stands for it is there for screen readers."""
    return page.get_by_test_id(f"glide-cell-{column}-{row}")


def serious(message: ConsoleMessage) -> list[str]:
    text = f"{message.text} {message.location['url']}"
    return [text] if message.type == "error" and not HARMLESS.search(text) else []
