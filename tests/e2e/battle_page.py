"""The battle page as a person sees it: panes, prompt, buttons; every wait ends after 30 s at the latest."""

import re
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from arena.domain import Side

LABELS: Final = ("👈 A is better", "👉 B is better", "🤝 Tie", "👎 Both are bad")
NAME_HEADING: Final = re.compile(r"^Model [AB]: ")


class BattlePage:
    """One tab on the battle page of the arena at `url`."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, battle_id: str | None = None) -> Self:
        """Go there, to a fresh round or to a battle by its address, and wait for the prompt."""
        self.page.goto(self.url + (f"/?battle={battle_id}" if battle_id else ""))
        expect(self.prompt).to_be_visible()
        return self

    def go_to(self, title: str) -> None:
        """Follow a link of the navigation bar."""
        self.page.get_by_test_id("stTopNav").get_by_role("link", name=title).click()

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_test_id("stChatInput").locator("textarea")

    @property
    def battle_id(self) -> str:
        """The battle in the address, once there is one."""
        self.page.wait_for_url(re.compile(r"[?&]battle="))
        return parse_qs(urlsplit(self.page.url).query)["battle"][0]

    def ask(self, prompt: str) -> Self:
        """Type a prompt and send it with Enter."""
        expect(self.prompt).to_be_enabled()
        self.prompt.fill(prompt)
        self.prompt.press("Enter")
        return self

    def button(self, label: str) -> Locator:
        return self.page.get_by_role("button", name=label)

    @property
    def votes(self) -> Locator:
        """The vote buttons that are there: all four, or none."""
        return self.page.get_by_role("button", name=re.compile("|".join(LABELS)))

    def pane(self, side: Side) -> Locator:
        return self.page.locator(f".st-key-pane-{side}")

    def answer(self, side: Side) -> Locator:
        """The latest answer of a side."""
        return self.pane(side).get_by_test_id("stMarkdown").last

    def expect_answers(self, text: str | re.Pattern[str]) -> Self:
        """Wait until both latest answers hold `text`."""
        for side in Side:
            expect(self.answer(side)).to_contain_text(text)
        return self

    def expect_votable(self, *, within_ms: float | None = None) -> Self:
        """Wait until both answers are finished."""
        expect(self.votes).to_have_count(len(LABELS), timeout=within_ms)
        return self

    def expect_drawn(self) -> Self:
        """Wait until the page's script has ended: from then on its buttons hear their keys."""
        expect(self.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        return self

    def expect_names(self) -> Self:
        """Wait until the names stand above the panes."""
        expect(self.page.get_by_role("heading", name=NAME_HEADING)).to_have_count(2)
        return self

    def name(self, side: Side) -> str:
        """What stands above a pane."""
        return self.page.get_by_role("heading", name=f"Model {side.upper()}").inner_text()
