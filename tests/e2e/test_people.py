"""Administrators and logins in a real browser."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import BrowserContext, Page, expect

from arena.board import Board
from arena.domain import LeftOut, ModelState
from arena.people import People
from arena.settings import load_settings
from arena.store import Store
from tests.arena.store.conftest import Desk
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.e2e.conftest import NewContext
from tests.e2e.expander import open_expander
from tests.fault_server import wait_until
from tests.oidc_server import CLIENT, SECRET, Provider, oidc_server

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
MODELS = [scripted(name, "Yes.", display_name=name.title()) for name in ("walnut", "hazel", "acorn")]


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    environ = {"ARENA_ADMIN_PASSWORD_HASH": WEAK.hash(PASSWORD)}
    folder = tmp_path_factory.mktemp("admin")
    with arena_process(folder, models=MODELS, environ=environ, before=one_held_vote) as running:
        yield running


def one_held_vote(config: Path, url: str) -> None:
    with closing(Store.open(url)) as store:
        store.write.sync_models(load_settings(config=config, environ={}).specs()).result(30)
        Desk(store, names=("walnut", "hazel")).vote()
        store.write.exclude_votes([1], reason=LeftOut.SUSPICIOUS.value, actor="sweep").result(30)
        # As if another replica had been there first: its secret is another one.
        People(load_settings(environ={"ARENA_SECRET": "the other replica's"}), store).note_secret()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with oidc_server() as running:
        yield running


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[ArenaProcess]:
    """An arena that wants to know who is there."""
    login = {
        "SERVER_METADATA_URL": f"{provider.url}/.well-known/openid-configuration",
        "CLIENT_ID": CLIENT,
        "CLIENT_SECRET": SECRET,
        "REDIRECT_URI": "http://127.0.0.1:{port}/oauth2callback",
        "REQUIRED_FOR": "reading",
        "ADMINISTRATORS": "root@example.com",
        "VOTERS": "group:staff",
        "VIEWERS": "group:guests",
    }
    environ = {f"ARENA_LOGIN__{key}": value for key, value in login.items()}
    with arena_process(tmp_path_factory.mktemp("company"), models=MODELS, environ=environ) as running:
        yield running


def signed_in(arena: ArenaProcess, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(f"{arena.url}/admin/sign-in")
    expect(page.get_by_label("Password of the administrator")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("What is decided here stands above")).to_be_visible()
    return page


def section(page: Page, name: str) -> None:
    page.get_by_role("radiogroup", name="Section").get_by_text(name, exact=True).click()


def state_of(arena: ArenaProcess, name: str) -> ModelState:
    return arena.board().specs[name].state


def test_whoever_is_no_administrator_finds_the_way_in_and_nothing_else(
    arena: ArenaProcess, new_context: NewContext
) -> None:
    page = new_context().new_page()
    page.goto(f"{arena.url}/admin")

    expect(page.get_by_text("This page is for administrators.")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in with the password")).to_have_attribute("href", "/admin/sign-in")
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    expect(page.get_by_text("signed with another secret")).to_have_count(0)


def test_an_administrator_is_warned_of_replicas_with_different_secrets(
    arena: ArenaProcess, new_context: NewContext
) -> None:
    page = signed_in(arena, new_context())

    expect(page.get_by_text("signed with another secret than the one that its database knows")).to_be_visible()
    expect(page.get_by_text("arena admin accept-secret")).to_be_visible()


def test_an_administrator_disables_a_model_by_keyboard_and_is_told_so(
    arena: ArenaProcess, new_context: NewContext
) -> None:
    page = signed_in(arena, new_context())
    page.get_by_text("⚪ disabled", exact=True).last.click()
    apply = page.get_by_role("button", name="Apply")
    apply.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text(re.compile("Walnut is disabled, with weight 1, from the next battle on"))).to_be_visible()
    assert state_of(arena, "walnut") is ModelState.DISABLED
    page.get_by_role("button", name="As in arena.toml").click()
    expect(page.get_by_text("Walnut is as arena.toml says")).to_be_visible()
    wait_until(lambda: state_of(arena, "walnut") is ModelState.ENABLED)


def test_every_section_draws_and_k_asks_twice(arena: ArenaProcess, new_context: NewContext) -> None:
    page = signed_in(arena, new_context())
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text(re.compile("Walnut answers: first text after"))).to_be_visible()
    for name, shown in (
        ("Limits and money", "Each process counts for itself"),
        ("Votes", "What is decided here stands: no later sweep"),
        ("Voters", "The votes of trusted voters"),
        ("Record", "Head of its chain"),
    ):
        section(page, name)
        expect(page.get_by_text(shown).first).to_be_visible()
    page.get_by_role("button", name="Check the chain").click()
    expect(page.get_by_text("The chain is whole")).to_be_visible()
    page.get_by_role("button", name="Make the file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="votes.json").click()
    assert len(json.loads(download.value.path().read_bytes())) == arena.board().votes
    section(page, "Rating")
    change = page.get_by_role("button", name="Change K")
    page.get_by_label("New K").fill("16")
    page.get_by_label("Reason").fill("steadier")
    expect(change).to_be_disabled()
    page.get_by_text("Fold every vote again").click()
    expect(change).to_be_enabled()
    change.click()

    expect(page.get_by_text("K is 16, and every vote was folded again.")).to_be_visible()


def test_a_held_vote_counts_again_for_a_reason_and_its_voter_is_trusted(
    arena: ArenaProcess, new_context: NewContext
) -> None:
    page = signed_in(arena, new_context())
    section(page, "Votes")
    page.get_by_role("combobox", name="Votes").fill("1")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Let count").click()
    expect(page.get_by_text("Say why in a few words")).to_be_visible()
    page.get_by_label("Reason").fill("a colleague")
    page.get_by_role("button", name="Let count").click()
    expect(page.get_by_text("1 vote counted again: 1.")).to_be_visible()
    expect(page.get_by_text("There are none.")).to_be_visible()

    section(page, "Voters")
    page.get_by_label("Reason").fill("a colleague")
    page.get_by_role("button", name="Trust", exact=True).click()

    expect(page.get_by_text("is trusted now.")).to_be_visible()
    assert arena.board().votes == 1


def elo(board: Board) -> dict[str, float]:
    return {standing.model: standing.elo for standing in board.standings}


def test_a_voter_is_erased_only_by_the_name_and_the_vote_stays(arena: ArenaProcess, new_context: NewContext) -> None:
    page = signed_in(arena, new_context())
    before = arena.board()
    section(page, "Voters")
    page.get_by_label("Reason").fill("asked for it")
    open_expander(page, "Erase this voter")
    erase = page.get_by_role("button", name="Erase for good")
    erase.click()
    refused = page.get_by_text("type this name into the box above the button").inner_text()
    name = re.search("[0-9a-f]{12}", refused)
    assert name is not None
    page.get_by_label("Type the voter's name").fill(name[0])
    page.keyboard.press("Tab")
    erase.click()

    expect(page.get_by_text("The texts of 1 battle are erased; 1 vote counts as before.")).to_be_visible()
    assert arena.board().votes == before.votes
    assert elo(arena.board()) == elo(before)


def test_a_page_of_a_session_that_has_ended_changes_nothing_and_says_why(
    arena: ArenaProcess, new_context: NewContext
) -> None:
    context = new_context()
    stale, other = signed_in(arena, context), signed_in(arena, context)
    other.get_by_role("button", name="Sign out everywhere").click()
    expect(other.get_by_text("This page is for administrators.")).to_be_visible()

    stale.get_by_text("🏁 retired", exact=True).last.click()
    expect(stale.get_by_text("since you signed out").first).to_be_visible()

    expect(stale.get_by_role("button", name="Apply")).to_have_count(0)
    assert state_of(arena, "walnut") is ModelState.ENABLED


def logged_in(company: ArenaProcess, context: BrowserContext, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(f"{company.url}{path}")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log in")).to_have_count(0)
    return page


def test_without_a_login_nothing_is_seen_but_the_login(company: ArenaProcess, new_context: NewContext) -> None:
    page = new_context().new_page()
    page.goto(f"{company.url}/leaderboard")

    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    expect(page.get_by_text("Walnut")).to_have_count(0)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": "ann", "groups": ["staff"]}, "Yes."),
        ({"sub": "bob", "groups": ["guests"]}, "Your role here is viewer"),
        ({"sub": "eve", "email": "root@example.com"}, "You may not look at this arena"),
    ],
)
def test_a_login_gives_the_role_of_the_settings(
    company: ArenaProcess,
    provider: Provider,
    new_context: NewContext,
    claims: dict[str, object],
    said: str,
) -> None:
    provider.claims = claims
    page = logged_in(company, new_context())

    if "groups" in claims:
        expect(page.get_by_text("Which answer is better?").first).to_be_visible()
        page.get_by_role("textbox").fill("Why?")
        page.keyboard.press("Enter")

    expect(page.get_by_text(said).first).to_be_visible()


def test_an_administrator_logs_in_and_out_and_the_way_back_is_shut(
    company: ArenaProcess, provider: Provider, new_context: NewContext
) -> None:
    provider.claims = {"sub": "root", "email": "root@example.com", "email_verified": True}
    context = new_context()
    logged_in(company, context)
    page, kept = context.new_page(), context.cookies()
    page.goto(f"{company.url}/admin")
    expect(page.get_by_text("What is decided here stands above")).to_be_visible()

    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("since you signed out").first).to_be_visible()

    stolen = new_context()
    stolen.add_cookies([{"name": c["name"], "value": c["value"], "url": company.url} for c in kept])
    again = stolen.new_page()
    again.goto(f"{company.url}/admin")
    expect(again.get_by_text("since you signed out").first).to_be_visible()


def test_a_login_of_long_ago_is_no_login(company: ArenaProcess, provider: Provider, new_context: NewContext) -> None:
    provider.claims, provider.age_seconds = {"sub": "ann", "groups": ["staff"]}, 13 * 3600
    page = new_context().new_page()
    page.goto(company.url)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_text("since it began so long ago").first).to_be_visible()
    provider.age_seconds = 0


def test_the_database_of_a_company_holds_no_address(company: ArenaProcess) -> None:
    stored = b"".join(path.read_bytes() for path in Path(company.folder, "data").glob("arena.sqlite3*"))

    assert b"root@example.com" not in stored
    assert SECRET not in company.log
