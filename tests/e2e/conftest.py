"""A real Chromium, and tabs in it that leave nothing behind."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.e2e.arena_process import ArenaProcess
from tests.e2e.battle_page import BattlePage

DEADLINE_MS = 30_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NewContext = Callable[..., BrowserContext]
Visit = Callable[..., BattlePage]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser per module: Playwright's event loop must not outlive it."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        missing = "Chromium is missing; `make test` says how to install it"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[NewContext]:
    """Opens browser windows that share nothing: no cookie, no cache."""
    with ExitStack() as open_contexts:

        def open_context(**options: Any) -> BrowserContext:  # noqa: ANN401 - Playwright's own options
            context = browser.new_context(**{"locale": "en-GB", **options})
            open_contexts.callback(context.close)
            context.set_default_timeout(DEADLINE_MS)
            return context

        yield open_context


@pytest.fixture
def visit(new_context: NewContext, arena: ArenaProcess) -> Visit:
    """Opens the battle page of the module's arena in a browser of its own, or in `context`."""

    def open_page(context: BrowserContext | None = None, *, battle_id: str | None = None) -> BattlePage:
        return BattlePage((context or new_context()).new_page(), arena.url).open(battle_id)

    return open_page
