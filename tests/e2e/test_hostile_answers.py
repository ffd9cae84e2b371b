"""What a model writes is shown as it was written, and makes the browser do nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import expect

from arena.domain import Side
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import NewContext, Visit

pytestmark = pytest.mark.e2e

JOINER = "\u2060"  # invisible; keeps Streamlit's patterns apart
CODE = 'print("$5 and <b>$6</b>  ")  # ![x](y) :smile: -> \\( z \\)\n\tif  x:\n'
OPEN_CODE = "const open = \"<img src='BEACON/open.png'>\";"
ANSWER = rf"""# Hello <script>window.harmed = 1</script>

<script src="BEACON/script"></script>

<img src="BEACON/img" onerror="fetch('BEACON/onerror')"> <svg onload="fetch('BEACON/svg')"></svg>

<iframe src="BEACON/frame"></iframe> <style>@import url("BEACON/style");</style>

<link rel="stylesheet" href="BEACON/link">

![inline](BEACON/inline.png) ![by reference][pic] [![linked](BEACON/linked.png)](BEACON/target) ![same](//HOST/same.png)

[pic]: BEACON/reference.png

[script link](javascript:fetch('BEACON/clicked')) [data link](data:text/html,<script>fetch("BEACON/data")</script>)

It costs $5 and $6, :red[not red], :smile: and :material/home: -> there.

The square \( x^2 \) is a formula.

```mermaid
graph TD; A-->B
```

```python
{CODE}```

Half a fence follows.

```js
{OPEN_CODE}"""
PROMPT = "<img src='BEACON/prompt.png'> ![p](BEACON/p.png) **not bold** $5 and $6 :smile:"
NAME = "Ev*il* ![n](BEACON/name.png) <b>:red[x]</b> $5"


class Beacon(ThreadingHTTPServer):
    """Another server, that nobody may ask."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Noting)
        self.host = f"127.0.0.1:{self.server_port}"
        self.asked: list[str] = []

    def put_into(self, text: str) -> str:
        """`text` with this server's address in it."""
        return text.replace("BEACON", f"http://{self.host}").replace("HOST", self.host)


class _Noting(BaseHTTPRequestHandler):
    server: Beacon

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Beacon]:
    with Beacon() as beacon:
        thread = Thread(target=beacon.serve_forever)
        thread.start()
        yield beacon
        beacon.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def beacon() -> Iterator[Beacon]:
    with serving() as beacon:
        yield beacon


@pytest.fixture(scope="module")
def arena(beacon: Beacon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    models = [
        scripted(name, beacon.put_into(ANSWER), script={"tokens_per_second": 200}, display_name=beacon.put_into(NAME))
        for name in ("first", "second")
    ]
    with arena_process(tmp_path_factory.mktemp("hostile"), models=models, hold_seconds=20) as arena:
        yield arena


@pytest.fixture
def battle(visit: Visit, beacon: Beacon) -> BattlePage:
    """With the hostile answers finished on both sides."""
    return visit().ask(beacon.put_into(PROMPT)).expect_votable()


def test_nothing_is_fetched_and_nothing_runs(battle: BattlePage, beacon: Beacon, new_context: NewContext) -> None:
    battle.page.reload()
    battle.expect_votable()
    battle.button(LABELS[2]).click()
    battle.button("Reveal now").click()
    battle.expect_names()

    assert beacon.asked == []
    assert battle.page.evaluate("window.harmed") is None
    for side in Side:
        expect(battle.answer(side).locator("img, iframe, script, style, link, object, embed, canvas")).to_have_count(0)
        links = battle.answer(side).locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert [link for link in links if (link or "").lower().startswith(("javascript:", "data:"))] == []

    new_context().new_page().request.get(beacon.put_into("BEACON/control"))
    assert beacon.asked == ["/control"]


def test_a_strict_policy_stands_behind_it(battle: BattlePage, arena: ArenaProcess) -> None:
    policy = battle.page.request.get(arena.url).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))

    assert directives["script-src"] == "'self'"
    assert {directives[name] for name in ("default-src", "connect-src", "form-action", "base-uri")} == {"'self'"}
    assert directives["img-src"] == "'self' data: blob:"
    assert {directives[name] for name in ("object-src", "frame-ancestors")} == {"'none'"}


def test_answers_are_shown_as_they_were_written(battle: BattlePage, beacon: Beacon) -> None:
    answer = battle.answer(Side.A)

    expect(answer.locator("h1")).to_have_text("Hello <script>window.harmed = 1</script>")
    expect(answer.locator(".katex annotation")).to_have_text(["x^2"])
    written = answer.inner_text().replace(JOINER, "")
    assert "It costs $5 and $6, :red[not red], :smile: and :material/home: -> there." in written
    expect(answer.locator("pre code")).to_have_count(3)
    code = [block.text_content() for block in answer.locator("pre code").all()]
    assert code == [
        "graph TD; A-->B",
        CODE.rstrip("\n"),
        beacon.put_into("const open = \"<img src='BEACON/open.png'>\";"),
    ]


def test_the_prompt_is_shown_as_it_was_typed(battle: BattlePage, beacon: Beacon) -> None:
    for side in Side:
        expect(battle.pane(side).get_by_test_id("stText")).to_have_text(beacon.put_into(PROMPT))


def test_a_name_is_shown_as_the_administrator_wrote_it(battle: BattlePage, beacon: Beacon) -> None:
    battle.button(LABELS[0]).click()
    battle.button("Reveal now").click()
    battle.expect_names()

    assert battle.name(Side.A).startswith(f"Model A: {beacon.put_into(NAME)} Elo 10")


def test_the_copy_button_copies_the_answer_to_the_letter(
    visit: Visit, new_context: NewContext, beacon: Beacon, arena: ArenaProcess
) -> None:
    window = new_context()
    window.grant_permissions(["clipboard-read", "clipboard-write"], origin=arena.url)
    battle = visit(window).ask("Hello").expect_votable()

    battle.pane(Side.A).get_by_role("button", name="Copy").last.click()

    battle.page.wait_for_function("async () => (await navigator.clipboard.readText()).length > 0")
    assert battle.page.evaluate("navigator.clipboard.readText()") == beacon.put_into(ANSWER)
