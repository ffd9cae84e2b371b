"""One arena, two unlike models, and every battle twice: with one of them on the left, and with the other.

Both say the same from the same side, so that nothing may tell the two orders apart before the vote.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any, Self

from playwright.sync_api import Browser, expect

from arena.domain import ModelSpec, Seats, Side
from arena.matchmaking import draw_pairing
from tests.e2e.arena_process import ArenaProcess, Model, arena_process
from tests.e2e.battle_page import BattlePage
from tests.e2e.conftest import DEADLINE_MS
from tests.e2e.received import Messages, Received
from tests.fault_server import FaultServer
from tests.faults import FAULTS, Exchange, Handler

# As unlike each other as two models can be; no word of it may stand in any other text.
ZWEIHORN: Model = {
    "name": "zweihorn-7b-chat",
    "display_name": "Zweihorn Sieben",
    "aliases": ["zwh7"],
    "organisation": "Polder Works",
    "licence": "Polder-Licence-3",
    "link": "https://card.polder.example/7b",
    "upstream_id": "upstream/zwei-0711",
    "key_variable": "POLDER_CREDENTIAL",
    "system_prompt": "Speak as the zweihorn does.",
    "knowledge_cutoff": "1987-03",
    "parameters": "7.0711B",
}
MO: Model = {
    "name": "mo-xi",
    "display_name": "Mo-Xi",
    "upstream_id": "m/0",
    "price_in": 4711.25,
    "organisation": "Yew & Elm",
}
PAIR = (ZWEIHORN, MO)
ENVIRON = {str(ZWEIHORN["key_variable"]): "sk-for-the-zweihorn"}
SECRETS = (
    *("zweihorn", "zwh7", "polder", "zwei-0711", "1987-03", "7.0711b"),
    *("mo-xi", "4711.25", "yew & elm", "yew &amp; elm", "scripted", "openai_chat"),
    "sk-for-the",
    "planted",  # in what failing upstreams say
)
SHOWN_AFTERWARDS = ("Zweihorn Sieben", "https://card.polder.example/7b", "Mo-Xi")
# Many battles come from here within a minute, and models that fail all the time go on.
NO_REST = {
    "ARENA_BREAKER__FAILURES": "0",
    **{f"ARENA_RATES__{who}_{what}_PER_MINUTE": "0" for who in ("VOTER", "NETWORK") for what in ("PROMPTS", "VOTES")},
}
HELLO = "Hello world"
END = "the end of"


class Order(StrEnum):
    """Who sits where. The word ends each prompt, to tell the upstream; all are of one length and stand nowhere else."""

    ZWEIHORN_LEFT = "quokka"
    MO_LEFT = "dugong"
    ZWEIHORN_TWICE = "numbat"
    MO_TWICE = "wombat"

    @classmethod
    def of(cls, seats: Seats) -> "Order":
        """The order that these seats are."""
        if seats.a == seats.b:
            return cls.ZWEIHORN_TWICE if seats.a == ZWEIHORN["name"] else cls.MO_TWICE
        return cls.ZWEIHORN_LEFT if seats.a == ZWEIHORN["name"] else cls.MO_LEFT


BOTH = (Order.ZWEIHORN_LEFT, Order.MO_LEFT)
TWICE = (Order.ZWEIHORN_TWICE, Order.MO_TWICE)


def orders_drawn(seed: int, *, aa_share: float = 0.0) -> Iterator[Order]:
    """What an arena with this seed draws, battle by battle: it depends on weights and order alone."""
    specs = [ModelSpec(name=str(model["name"]), provider="", display_name="") for model in PAIR]
    rng = Random(seed)
    while True:
        yield Order.of(draw_pairing(specs, rng=rng, aa_share=aa_share).seats)


def seed_that_draws(wanted: Mapping[Order, int], *, aa_share: float = 0.0) -> int:
    """The first seed whose first battles are so many of each order."""
    battles = sum(wanted.values())

    def is_so(seed: int) -> bool:
        return Counter(islice(orders_drawn(seed, aa_share=aa_share), battles)) == wanted

    return next(filter(is_so, count()))


class Upstream:
    """The server of both models: what one says depends on its side and the prompt, `<what> <order>`, alone.

    `left` and `right` say what happens at a prompt; what is not there is a fault on the left and well on the right.
    An answer to a prompt in `waiting` begins once the prompt is taken out.
    """

    def __init__(self, server: FaultServer) -> None:
        self.left: dict[str, Handler] = {}
        self.right: dict[str, Handler] = {}
        self.waiting: set[str] = set()
        self._server = server
        for model in PAIR:
            server.faults[str(model["name"])] = self._handler(str(model["name"]))

    @contextmanager
    def held_back(self, prompt: str) -> Iterator[None]:
        """No answer to `prompt` begins meanwhile."""
        self.waiting.add(prompt)
        yield
        self.waiting.discard(prompt)

    def models(self) -> list[Model]:
        """The pair as models of this server."""
        return [{**model, "base_url": self._url(model)} for model in PAIR]

    def models_with(self, base_url: str, *, number: int, order: Order) -> list[Model]:
        """The same, but for the address of the left one; their names end with a number."""
        left = ZWEIHORN if order is Order.ZWEIHORN_LEFT else MO
        addresses = {str(model["name"]): base_url if model is left else self._url(model) for model in PAIR}
        return [
            {**model, "base_url": addresses[str(model["name"])], "display_name": f"{model['display_name']} {number}"}
            for model in PAIR
        ]

    def read_first(self, text: str) -> Handler:
        """An answer whose end waits until its text may have been read."""

        async def answer(exchange: Exchange) -> None:
            await exchange.head()
            await exchange.text(text)
            await self._until_let(f"{END} {exchange.request.body['messages'][-1]['content']}")
            await exchange.finish()

        return answer

    async def _until_let(self, what: str) -> None:
        while what in self.waiting:  # noqa: ASYNC110 - emptied by another thread
            await asyncio.sleep(0.01)

    def _url(self, model: Model) -> str:
        return f"{self._server.url(str(model['name']))}/polder"

    def _handler(self, name: str) -> Handler:
        async def answer(exchange: Exchange) -> None:
            prompt = exchange.request.body["messages"][-1]["content"]
            what, order = prompt.rsplit(" ", 1)
            await self._until_let(prompt)
            asked = [each for each in self._server.asked(name) if each.body["messages"][-1]["content"] == prompt]
            side = self.left if (order == Order.ZWEIHORN_LEFT) == (name == ZWEIHORN["name"]) else self.right
            usual = FAULTS.get(what, well) if side is self.left else well
            await side.get(what, usual)(Exchange(exchange.request, len(asked), exchange.writer))

        return answer


async def well(exchange: Exchange) -> None:
    """A whole answer."""
    await exchange.answer(HELLO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What one browser received in one battle before its vote."""

    leaks: set[tuple[str, str]]
    messages: Messages
    answers: Mapping[str, object]


class Tab:
    """A browser window of its own for the battles of one order; a context manager.

    It is a new visitor, unless `cookies` say who it is.
    """

    def __init__(
        self, browser: Browser, url: str, order: Order, upstream: Upstream, *, cookies: Mapping[str, str]
    ) -> None:
        self.order = order
        self.asked: str | None = None
        self.context = browser.new_context(locale="en-GB")
        self.context.set_default_timeout(DEADLINE_MS)
        self.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        self.received = Received(self.context)
        self.battle = BattlePage(self.context.new_page(), url).open()
        self._upstream = upstream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def ask(self, what: str, *, reading: str | None = None) -> None:
        """Send a prompt, and let it be answered once the page has been drawn without any text.

        An answer that is made by `read_first` ends once the left pane shows `reading`.
        """
        self.asked = what
        prompt = f"{what} {self.order}"
        with self._upstream.held_back(f"{END} {prompt}"):
            with self._upstream.held_back(prompt):
                self.battle.ask(prompt)
                expect(self.battle.answer(Side.B)).to_have_text("Thinking…")
            if reading is not None:
                expect(self.battle.answer(Side.A)).to_have_text(reading)

    def retry(self) -> None:
        """Have the left side asked again, as `ask` does."""
        with self._upstream.held_back(f"{self.asked} {self.order}"):
            self.battle.button("Retry this side").click()
            expect(self.battle.answer(Side.A)).to_have_text("Thinking…")

    def before(self) -> Before:
        """What has come since the last `leave`."""
        ids = (self.battle.battle_id, self.order)
        return Before(
            leaks=self.received.leaks(SECRETS),
            messages=self.received.messages(*ids),
            answers=self.received.answers(*ids),
        )

    def leave(self) -> None:
        """Go on to a new round."""
        self.asked = None
        self.received.forget()
        self.battle.button("New round").or_(self.battle.button("Skip this battle")).click()
        expect(self.battle.page.get_by_text("How it works")).to_be_visible()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An arena whose draws are known beforehand."""

    arena: ArenaProcess
    upstream: Upstream
    draws: Iterator[Order]

    def tab(self, browser: Browser, order: Order, **cookies: str) -> Tab:
        """A new window for the battles of one order."""
        return Tab(browser, self.arena.url, order, self.upstream, cookies=cookies)


@contextmanager
def stage(folder: Path, wanted: Mapping[Order, int], *, aa_share: float = 0.0, **options: Any) -> Iterator[Stage]:  # noqa: ANN401 - those of `ArenaProcess`
    """An arena that will draw so many battles of each order."""
    seed = seed_that_draws(wanted, aa_share=aa_share)
    environ = {**ENVIRON, **NO_REST, **options.pop("environ", {})}
    with FaultServer() as server:
        upstream = Upstream(server)
        with arena_process(
            folder, models=upstream.models(), environ=environ, seed=seed, aa_share=aa_share, **options
        ) as arena:
            yield Stage(arena=arena, upstream=upstream, draws=orders_drawn(seed, aa_share=aa_share))


def meet(
    stage: Stage,
    browser: Browser,
    whats: Sequence[str],
    *,
    until: Callable[[BattlePage, str], object],
    first: Callable[[str, Order], object] = lambda *_: None,
) -> Mapping[str, Mapping[Order, Before]]:
    """Ask all of `whats` in both orders, each in a tab of its own, as they are drawn.

    `first` is called before each prompt is sent, `until` waits for the end of its answers.
    """
    found: dict[str, dict[Order, Before]] = {what: {} for what in whats}
    rest = {order: iter(whats) for order in BOTH}
    with ExitStack() as open_tabs:
        tabs = {order: open_tabs.enter_context(stage.tab(browser, order)) for order in BOTH}

        def finish(tab: Tab) -> None:
            if tab.asked is not None:
                until(tab.battle, tab.asked)
                found[tab.asked][tab.order] = tab.before()
                tab.leave()

        for order in islice(stage.draws, len(BOTH) * len(whats)):
            finish(tabs[order])
            what = next(rest[order])
            first(what, order)
            tabs[order].ask(what)
        for tab in tabs.values():
            finish(tab)
    return found
