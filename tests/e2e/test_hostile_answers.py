"""What models, people and files say is shown as written, and makes no browser, terminal or spreadsheet do a thing.

One visit sees it all, in a browser that was told to ignore the policy that stands behind: what is proved here holds
without it.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from arena.domain import Side
from arena.exchange import VoteFile
from arena.store import Store
from arena.terminal import visible
from arena.transfer import import_file
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import DEADLINE_MS
from tests.e2e.payloads import CARD, NAMES, PAYLOADS, SHOWN, TYPESET

pytestmark = pytest.mark.e2e

INVISIBLE = re.compile("[\u2060\ufeff]")  # they keep patterns of the front-end apart
SECTION = re.compile("§([^§]+)§")
# A section of the answer begins with its name; code is read as it is, the rest as it is laid out.
READ = """pane => [...pane.querySelectorAll('[data-testid=stMarkdownContainer]')].flatMap(container =>
  [...container.children].map(block => block.querySelector('pre') ? block.textContent : block.innerText)).join('\\n')"""
TAGS = "pane => [...new Set([...pane.querySelectorAll('*')].map(element => element.localName))]"
LINKS = "page => [...page.querySelectorAll('a')].map(link => link.getAttribute('href') || '')"
FETCHING = {
    *("img", "image", "picture", "source", "iframe", "frame", "object", "embed", "video", "audio", "track", "canvas"),
    *("script", "style", "link", "meta", "base", "form", "details", "marquee", "animate", "use", "template", "maction"),
}
WIDE: ViewportSize = {"width": 2600, "height": 1400}  # every column of a table is in sight
LONG = "<img src='BEACON/long'>" * 2_000  # a prompt may have 50,000 characters
ENDLESS = "<b>*x_" * 170_000  # a megabyte on one line
EXPORTS = ("clean_battle.json", "lmarena_140k.jsonl", "plain.csv", "lmarena_100k.parquet")


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


@dataclass
class Seen:
    """What one visitor saw and got."""

    sections: Mapping[str, str] = field(default_factory=dict)
    typeset: int = 0
    prompts: Sequence[str] = ()
    headings: Sequence[str] = ()
    tables: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    harmed: list[object] = field(default_factory=list)
    copied: str = ""
    downloads: Mapping[str, str] = field(default_factory=dict)
    exports: Mapping[str, Path] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    log: str = ""


class Visit:
    """One browser window, from the first prompt to the last page."""

    def __init__(self, page: Page, arena: ArenaProcess, beacon: Beacon) -> None:
        self.page = page
        self.arena = arena
        self.beacon = beacon
        self.seen = Seen()
        page.on("dialog", lambda dialog: self.seen.events.append(f"dialog: {dialog.message}"))
        page.on("popup", lambda popup: self.seen.events.append(f"popup: {popup.url}"))
        page.on("framenavigated", lambda frame: self._note_address(frame.url))
        page.on("request", lambda request: self._note_address(request.url))

    def battle(self) -> None:
        """A hostile prompt, hostile answers while they grow and when they are whole, a vote, and hostile names."""
        battle = BattlePage(self.page, self.arena.url).open().ask(prompt_of(self.beacon)).expect_votable()
        self._look(battle)
        battle.pane(Side.A).get_by_role("button", name="Copy").last.click()
        self.page.wait_for_function("async () => (await navigator.clipboard.readText()).length > 0")
        self.seen.copied = self.page.evaluate("navigator.clipboard.readText()")
        battle.button(LABELS[0]).click()
        battle.button("Reveal now").click()
        battle.expect_names()
        self.seen.headings = [battle.name(side) for side in Side]
        self._note()

    def pages(self) -> None:
        """Every page on which names stand, and addresses that hold what others sent."""
        home = BattlePage(self.page, self.arena.url)
        home.go_to("Leaderboard")
        self._read_table(len(NAMES))
        self.seen.downloads = {kind: self._download(kind) for kind in ("CSV", "JSON")}
        home.go_to("Win probability")
        self._settled()
        self.seen.tables += [self.page.get_by_role("combobox", name=f"Model {seat}").input_value() for seat in "AB"]
        home.go_to("Models")
        self._read_table(len(NAMES))
        name = quote(self.beacon.put_into(NAMES[0]))
        self.page.goto(f"{self.arena.url}/leaderboard?source=hostile&order={name}")
        self._read_table(len(NAMES))
        self.page.goto(f"{self.arena.url}/win-probability?a={name}&method={name}")
        self._settled()
        self.page.goto(f"{self.arena.url}/win-probability?a=m2")  # which has no vote, and is told so by its name
        self._settled()

    def endless_line(self) -> None:
        """A long prompt, and a megabyte in answer to it; the page goes on."""
        battle = BattlePage(self.page, self.arena.url)
        battle.go_to("Battle")
        battle.ask("Hello").expect_votable().ask(self.beacon.put_into(LONG)[:50_000])
        for side in Side:
            expect(battle.pane(side)).to_contain_text("This answer grew too long and was cut.")
        self._note()
        battle.button("New round").click()
        expect(battle.prompt).to_be_enabled()
        expect(battle.pane(Side.A)).to_have_count(0)

    def _look(self, battle: BattlePage) -> None:
        pane = battle.pane(Side.A)
        expect(pane.locator("pre code").filter(has_text="indented")).to_have_count(2)  # laid out late; and the copy's
        parts = SECTION.split(pane.evaluate(READ))
        self.seen.sections = {name: tidy(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
        self.seen.typeset = pane.locator(".katex").count()
        self.seen.prompts = [battle.pane(side).get_by_test_id("stText").text_content() or "" for side in Side]
        for side in Side:
            self.seen.tags |= set(battle.pane(side).evaluate(TAGS))
        self._note()

    def _read_table(self, rows: int) -> None:
        self._settled()
        cells = self.page.locator("[data-testid^=glide-cell-]")  # for screen readers; the table itself is painted
        expect(cells.and_(self.page.locator(f"[data-testid$='-{rows - 1}']")).first).to_be_attached()
        self.seen.tables += cells.all_text_contents()

    def _settled(self) -> None:
        expect(self.page.get_by_text("Answers can be wrong")).to_be_visible()
        expect(self.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        self.seen.sentences += self.page.get_by_test_id("stAlert").all_inner_texts()
        self._note()

    def _download(self, kind: str) -> str:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=kind).click()
        return Path(download.value.path()).read_text(encoding="utf-8")

    def _note(self) -> None:
        self.seen.links |= set(self.page.locator("body").evaluate(LINKS))
        self.seen.harmed.append(self.page.evaluate("window.harmed"))

    def _note_address(self, url: str) -> None:
        if not url.startswith((f"{self.arena.url}/", "data:", "blob:")):
            self.seen.events.append(url)


def prompt_of(beacon: Beacon) -> str:
    """Every payload that one can type."""
    return beacon.put_into("\n".join(payload for payload in PAYLOADS.values() if visible(payload) == payload))


def answer_of(beacon: Beacon) -> str:
    return beacon.put_into("\n\n".join(f"§{name}§\n\n{payload}" for name, payload in PAYLOADS.items()))


def tidy(text: str) -> str:
    return " ".join(INVISIBLE.sub("", text).split())


@pytest.fixture(scope="module")
def beacon() -> Iterator[Beacon]:
    with serving() as beacon:
        yield beacon


@pytest.fixture(scope="module")
def seen(browser: Browser, beacon: Beacon, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The whole visit, then the exports, the commands and the log."""
    names = [beacon.put_into(name) for name in NAMES]
    script = {"words_per_token": 4, "tokens_per_second": 200}
    models = [
        scripted(
            f"m{number}",
            [answer_of(beacon), ENDLESS],
            script=script if number < 2 else {},
            state="enabled" if number < 2 else "disabled",
            display_name=name,
            organisation=names[number - 1],
            licence=names[number - 2],
            parameters=names[number - 3],
            link=beacon.put_into(CARD),
        )
        for number, name in enumerate(names)
    ]

    def import_names(_config: Path, database: str) -> None:
        path = folder / "hostile.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("model_a", "model_b", "winner"), *((name, "plain", "a") for name in names)])
        with closing(Store.open(database)) as store:
            import_file(store, path, actor="a test")

    folder = tmp_path_factory.mktemp("hostile")
    with (
        arena_process(folder, models=models, before=import_names, hold_seconds=20) as arena,
        browser.new_context(locale="en-GB", bypass_csp=True, viewport=WIDE) as window,
    ):
        window.set_default_timeout(DEADLINE_MS)
        window.grant_permissions(["clipboard-read", "clipboard-write"], origin=arena.url)
        visit = Visit(window.new_page(), arena, beacon)
        visit.battle()
        visit.pages()
        visit.endless_line()
        seen = visit.seen
        seen.exports = {name: folder / name for name in EXPORTS}
        for name in EXPORTS:
            seen.commands.append(arena.command("export", name, "--format", name.split(".")[0]).output)
        for arguments in ("standings", "standings --source hostile", "models list", "predict m0 m1"):
            seen.commands.append(arena.command(*arguments.split()).output)
    seen.log = arena.log
    return seen


def test_no_other_server_is_asked_and_nothing_runs_opens_or_leads_away(seen: Seen, beacon: Beacon) -> None:
    asked_by_now = list(beacon.asked)

    assert len(PAYLOADS) + len(NAMES) >= 80
    assert asked_by_now == []
    assert seen.events == []
    assert set(seen.harmed) == {None}


def test_the_beacon_would_have_heard(seen: Seen, beacon: Beacon, browser: Browser) -> None:
    with browser.new_context(bypass_csp=True) as window:
        page = window.new_page()
        with page.expect_request_finished():
            page.set_content(beacon.put_into(PAYLOADS["image"]))

    assert beacon.asked == ["/img"]
    assert seen.harmed


def test_nothing_stands_on_the_page_that_could_fetch_or_run(seen: Seen) -> None:
    schemes = {link.partition(":")[0].lower() for link in seen.links if re.match(r"\s*[A-Za-z+.-]+:", link)}

    assert seen.tags & FETCHING == set()
    assert {"p", "pre", "table", "math", "a"} <= seen.tags
    assert schemes <= {"http", "https", "mailto"}


@pytest.mark.parametrize("name", sorted(PAYLOADS.keys() - TYPESET))
def test_an_answer_is_shown_as_it_was_written(seen: Seen, beacon: Beacon, name: str) -> None:
    assert seen.sections[name] == tidy(beacon.put_into(SHOWN.get(name, PAYLOADS[name])))


def test_a_formula_obeys_no_command_that_leaves_it(seen: Seen) -> None:
    assert seen.typeset == len(TYPESET) - 1  # the one without end is given up
    for name in TYPESET:
        assert seen.sections[name]
    assert "rule" in seen.sections["formula of a mile"]


def test_the_prompt_is_shown_as_it_was_typed(seen: Seen, beacon: Beacon) -> None:
    assert seen.prompts == [prompt_of(beacon)] * 2


def test_the_copy_button_copies_the_answer_to_the_letter(seen: Seen, beacon: Beacon) -> None:
    written = answer_of(beacon)

    assert seen.copied == re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", written)


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_name_is_shown_as_the_administrator_wrote_it(seen: Seen, beacon: Beacon, number: int) -> None:
    name = beacon.put_into(NAMES[number])
    cells = [cell.removesuffix(" · preliminary") for cell in seen.tables]

    assert cells.count(name) >= 5  # twice as a name, as organisation, licence and parameters, and as an imported name
    if number < 2:
        assert any(name in INVISIBLE.sub("", heading) for heading in seen.headings)


def test_a_name_in_a_sentence_is_shown_as_it_is(seen: Seen, beacon: Beacon) -> None:
    assert any(beacon.put_into(NAMES[2]) in INVISIBLE.sub("", sentence) for sentence in seen.sentences)


def test_a_value_in_an_address_is_quoted_as_it_came(seen: Seen, beacon: Beacon) -> None:
    sentences = [INVISIBLE.sub("", sentence) for sentence in seen.sentences]

    assert sum(beacon.put_into(NAMES[0])[:40] in sentence for sentence in sentences) == 2


def test_no_spreadsheet_runs_what_a_table_holds(seen: Seen, beacon: Beacon) -> None:
    tables = (seen.downloads["CSV"], seen.exports["plain.csv"].read_text(encoding="utf-8"))
    cells = [cell for table in tables for row in csv.reader(table.splitlines(keepends=True)) for cell in row]

    assert [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r"))] == []
    assert f"'{beacon.put_into(NAMES[3])}" in cells
    assert any(cell.startswith("'@SUM") for cell in cells)


def test_programs_get_what_was_written_to_the_letter(seen: Seen, beacon: Beacon) -> None:
    board = json.loads(seen.downloads["JSON"])

    assert {beacon.put_into(name) for name in NAMES} == {model["display_name"] for model in board["models"]}
    for name in EXPORTS:
        [votes] = VoteFile.open(seen.exports[name], format_name=name.split(".")[0]).votes()
        said = votes[0].conversation
        if said is not None:
            assert said.prompts == (prompt_of(beacon),)
            assert said.answers_a == said.answers_b == (seen.copied,)


def test_no_terminal_obeys_what_a_command_or_the_log_says(seen: Seen, beacon: Beacon) -> None:
    assert "Traceback" not in "".join(seen.commands) + seen.log
    for text in (*seen.commands, seen.log):
        assert visible(text) == text
    assert "harmed" not in seen.log
    assert beacon.put_into(NAMES[5]) in seen.commands[len(EXPORTS) + 1]
