"""What stands between a visitor and a battle: limits, budgets, moderation, masks, and models that need a rest.

Every refusal is a sentence, and everything that a guard does is counted in the database.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any, Final

from arena.breaker import Breakers, Rest
from arena.checkup import probe
from arena.domain import Fault, Message, ModelSpec, Reply, ReplyStatus
from arena.errors import LimitReached, PromptRefused
from arena.identity import Names, leaks
from arena.moderation import Judge, Moderator
from arena.rate_limits import Act, RateLimits, Visitor
from arena.settings import Settings
from arena.store import Bounds, Spending, Writer
from arena.streaming import Endpoint, StreamJob
from leaderboard.style import estimated_tokens

log = logging.getLogger(__name__)

PROMPT_REFUSED: Final = (
    "This arena's rules do not allow this prompt. Your text is as you wrote it: change it and try again."
)
MOST_PAIRS: Final = 10_000
NOBODY_LOOKED: Final = "Nobody can check prompts against this arena's rules at the moment. Try again in a minute."


class Guards:
    """All guards of one process; safe to call from many threads.

    Args:
        settings: what the operator decided.
        environ: where the moderation's key is looked up.
        write: where what the guards do is counted.
        run: runs a coroutine on the loop of the streams, whose connections the moderator shares.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        write: Writer,
        run: Callable[[Coroutine[Any, Any, Any]], Future[Any]],
    ) -> None:
        self._write = write
        self._run = run
        self._rates = RateLimits(settings.most_rates(), redis_url=settings.redis_url)
        self._moderator = Moderator.of(settings.moderation, environ=environ)
        self._breakers = Breakers(settings.breaker_settings())
        self._limits = settings.stream_limits()
        self._names: dict[Hashable, Names] = {}

    def close(self) -> None:
        """End the moderator's connections, while the loop still runs."""
        if self._moderator is not None:
            self._run(self._moderator.close()).result()

    def admit(self, act: Act, visitor: Visitor) -> None:
        """Count a prompt or a vote of this visitor.

        Raises:
            LimitReached: too many in a while; says when to come back.
        """
        outages = self._rates.outages
        try:
            self._rates.take(act, visitor)
        except LimitReached:
            self._write.count(f"{act} limit reached")
            raise
        finally:
            if self._rates.outages != outages:
                self._write.count("shared limits not reachable")

    def judge(self, prompt: str) -> None:
        """Let a prompt pass the moderation; it is never changed.

        Raises:
            PromptRefused: it may not be asked, or nobody can tell and the settings refuse it then.
        """
        if self._moderator is None:
            return
        ruling = self._run(self._moderator.rule(prompt)).result()
        if ruling.outage:
            self._write.count("moderation not reachable")
        if ruling.refused_by is Judge.OUTAGE:
            raise PromptRefused(NOBODY_LOOKED)
        if ruling.refused_by is not None:
            self._write.count(f"prompt refused by {ruling.refused_by}")
            raise PromptRefused(PROMPT_REFUSED)

    def names(self, specs: Iterable[ModelSpec]) -> Names:
        """What gives the models of a battle away; kept, since putting it together takes a while."""
        specs = tuple(specs)
        key = tuple((spec.name, spec.display_name, spec.aliases, spec.organisation) for spec in specs)
        if key not in self._names:
            if len(self._names) >= MOST_PAIRS:
                self._names.clear()
            self._names[key] = Names.of(specs)
        return self._names[key]

    def reserved(self, spec: ModelSpec, messages: Sequence[Message]) -> Spending:
        """What an answer may cost at most: the prompt as estimated, and as many tokens as the model may write."""
        told = [message.text for message in messages] + ([spec.system_prompt] if spec.system_prompt else [])
        tokens_in = estimated_tokens(told)
        return Spending(tokens=tokens_in + spec.max_tokens, usd=spec.cost_usd(tokens_in, spec.max_tokens) or 0.0)

    async def inspect(self, job: StreamJob, reply: Reply, *, names: Names, prompts: Sequence[str]) -> Reply:
        """Look at an ended attempt before it is stored: does it name its model, may it be shown, is the model well?"""
        if reply.text:
            found = await asyncio.to_thread(leaks, reply.text, names=names, prompts=prompts)
            reply = replace(reply, leaked=tuple(dict.fromkeys(span.matched for span in found)))
        if reply.status is ReplyStatus.OK:
            reply = await self._moderated(reply)
        if reply.status in {ReplyStatus.OK, ReplyStatus.FAILED} and self._breakers.record(job.spec.name, reply.fault):
            log.warning("a model keeps failing and rests", extra={"model": job.spec.name, "fault": reply.fault})
            self._write.count("model rested", model=job.spec.name)
        return reply

    def playable(self, models: Sequence[ModelSpec]) -> tuple[ModelSpec, ...]:
        """Those of the models that need no rest."""
        resting = self._breakers.resting()
        return tuple(model for model in models if model.name not in resting)

    def resting(self) -> Mapping[str, Rest]:
        """The models that are not drawn now, and why; for the administrator."""
        return self._breakers.resting()

    def probe(self, spec: Callable[[str], ModelSpec], *, endpoint: Callable[[ModelSpec], Endpoint]) -> None:
        """Ask the rested models whose time has come; returns at once."""
        for name in self._breakers.due():
            asked = self._run(probe(spec(name), endpoint=endpoint, limits=self._limits))
            asked.add_done_callback(partial(self._probed, name))

    def _probed(self, name: str, done: Future[Fault | None]) -> None:
        fault = Fault.INTERNAL if done.cancelled() or done.exception() else done.result()
        self._breakers.probed(name, fault)
        log.info("a rested model was probed", extra={"model": name, "fault": fault})

    async def _moderated(self, reply: Reply) -> Reply:
        if self._moderator is None:
            return reply
        ruling = await self._moderator.rule(reply.text)
        if ruling.outage:
            self._write.count("moderation not reachable")
        if ruling.refused_by is None:
            return reply
        self._write.count(f"answer refused by {ruling.refused_by}")
        return replace(reply, status=ReplyStatus.FAILED, fault=Fault.MODERATED)


def bounds_of(settings: Settings) -> Bounds:
    """The day's budgets; 0 sets none."""
    budgets = settings.budgets
    return Bounds(
        voter_tokens=budgets.voter_tokens_per_day or None,
        voter_usd=budgets.voter_usd_per_day or None,
        all_tokens=budgets.all_tokens_per_day or None,
        all_usd=budgets.all_usd_per_day or None,
    )
