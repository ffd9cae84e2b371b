"""Opening a page's expander: what is clicked while it still moves is lost."""

from playwright.sync_api import Page

_STILL = "box => Promise.all(box.getAnimations({ subtree: true }).map(motion => motion.finished))"


def open_expander(page: Page, title: str) -> None:
    """Click on the expander's `title` and return once it has opened."""
    page.get_by_text(title).click()
    page.get_by_test_id("stExpander").filter(has_text=title).evaluate(_STILL)
