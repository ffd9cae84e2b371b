"""Two models that do what the prompt says, over real HTTP."""

import asyncio
from collections.abc import Sequence
from threading import Event

from tests.e2e.arena_process import Model
from tests.fault_server import FaultServer
from tests.faults import Exchange, Request

BEGUN, WHOLE = "It begins", "It begins and it ends."
MODELS = ("upstream-one", "upstream-two")


class Upstream(FaultServer):
    """Does what the prompt says: *stall* for ever after the first words, wait at the *gate*, or *fail*; only the first
    request of each model for one prompt goes wrong.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()
        self.faults["told"] = self._do_as_told

    def asked_for(self, prompt: str) -> list[Request]:
        """The requests for a prompt so far."""
        return [request for request in self.asked("told") if _prompt(request) == prompt]

    async def _do_as_told(self, exchange: Exchange) -> None:
        prompt, model = _prompt(exchange.request), exchange.request.body["model"]
        first = [request.body["model"] for request in self.asked_for(prompt)].count(model) == 1
        if first and prompt.startswith("fail") and model == MODELS[0]:
            await exchange.refuse(400, "this is not for me")
            return
        await exchange.head()
        await exchange.text(BEGUN)
        if first and prompt.startswith("stall"):
            await exchange.hang()
        while prompt.startswith("gate") and not self.gate.is_set():  # noqa: ASYNC110 - another thread opens it
            await asyncio.sleep(0.02)
        await exchange.text(WHOLE.removeprefix(BEGUN))
        await exchange.finish()


def _prompt(request: Request) -> str:
    return str(request.body["messages"][-1]["content"])


def models_of(upstream: Upstream) -> Sequence[Model]:
    """Both models, as `arena.toml` describes them."""
    return [{"name": name, "upstream_id": name, "base_url": upstream.url("told")} for name in MODELS]
