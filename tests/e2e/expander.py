"""Opening a page's expander: what is clicked while it still moves is lost."""

from playwright.sync_api import Page

# A page that is drawn anew meanwhile takes an animation back, and may begin another one.
_UNTIL_STILL = """async box => {
    const moving = () => box.getAnimations({ subtree: true }).filter(motion => motion.playState === "running");
    while (moving().length) await Promise.allSettled(moving().map(motion => motion.finished));
}"""


def open_expander(page: Page, title: str) -> None:
    """Click on the expander's `title` and return once it has opened."""
    page.get_by_text(title).click()
    page.get_by_test_id("stExpander").filter(has_text=title).evaluate(_UNTIL_STILL)
