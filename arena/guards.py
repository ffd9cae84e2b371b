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
from arena.metrics import Metrics
from arena.moderation import Judge, Moderator
from arena.rate_limits import Act, Outage, RateLimits, Visitor
from arena.roles import Action, Person, anonymous_role, require
from arena.settings import Settings
from arena.store import Bounds, Spending, Writer
from arena.streaming import Endpoint, StreamJob
from leaderboard.style import estimated_tokens

log = logging.getLogger(__name__)

PROMPT_REFUSED: Final = (
    "This arena's rules do not allow this prompt. Your text is as you wrote it: change it and try again."
)
MOST_PAIRS: Final = 10_000
_ACTIONS: Final = {Act.PROMPT: Action.ASK, Act.VOTE: Action.VOTE, Act.READ: Action.READ}
NOBODY_LOOKED: Final = "Nobody can check prompts against this arena's rules at the moment. Try again in a minute."


class Guards:
    """All guards of one process; safe to call from many threads.

    Args:
        settings: what the operator decided.
        environ: where the moderation's key is looked up.
        write: where what the guards do is counted.
        run: runs a coroutine on the loop of the streams, whose connections the moderator shares.
        metrics: where the same is counted, and how answers end, for this process.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        write: Writer,
        run: Callable[[Coroutine[Any, Any, Any]], Future[Any]],
        metrics: Metrics | None = None,
    ) -> None:
        self._write = write
        self._metrics = metrics or Metrics()
        self._longest_prompt = settings.max_prompt_characters
        self._anonymous = anonymous_role(settings.login.required_for)
        self._run = run
        self._rates = RateLimits(settings.most_rates(), redis_url=settings.redis_url, on_outage=self._counted_alone)
        if settings.may_have_replicas and not self._rates.is_shared:
            log.warning("the limits count this replica's visitors alone; with redis_url all replicas count together")
        self._moderator = Moderator.of(settings.moderation, environ=environ)
        self._breakers = Breakers(settings.breaker_settings())
        self._limits = settings.stream_limits()
        self._names: dict[Hashable, Names] = {}
        self._closed = False

    def close(self) -> None:
        """End the moderator's connections, while the loop still runs; may be called twice."""
        if self._moderator is not None and not self._closed:
            self._closed = True
            self._run(self._moderator.close()).result()

    def admit(self, act: Act, visitor: Visitor) -> None:
        """Count a prompt, a vote or a reading of this visitor, if the role allows one.

        Raises:
            NotAllowed: the role is not enough, or a login is needed for one.
            LimitReached: too many in a while; says when to come back.
        """
        role = self._anonymous if visitor.role is None else visitor.role
        require(Person(id=visitor.voter, role=role, is_known=visitor.role is not None), _ACTIONS[act])
        try:
            self._rates.take(act, visitor)
        except LimitReached:
            self._count_act(act, f"{act} limit reached")
            raise

    def admit_prompt(self, prompt: str, visitor: Visitor) -> None:
        """Let a prompt of this visitor pass.

        Raises:
            PromptRefused: it is blank, too long, or against the arena's rules.
            LimitReached: too many in a while.
        """
        if not prompt.strip():
            raise PromptRefused("The prompt is blank: type a question first.")
        if len(prompt) > self._longest_prompt:
            raise PromptRefused(f"The prompt has {len(prompt):,} characters; shorten it to {self._longest_prompt:,}.")
        self.admit(Act.PROMPT, visitor)
        self.judge(prompt)

    def judge(self, prompt: str) -> None:
        """Let a prompt pass the moderation; it is never changed.

        Raises:
            PromptRefused: it may not be asked, or nobody can tell and the settings refuse it then.
        """
        if self._moderator is None:
            return
        ruling = self._run(self._moderator.rule(prompt)).result()
        if ruling.outage:
            self._count("moderation not reachable")
        if ruling.refused_by is Judge.OUTAGE:
            raise PromptRefused(NOBODY_LOOKED)
        if ruling.refused_by is not None:
            self._count(f"prompt refused by {ruling.refused_by}")
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
            self._count("model rested", model=job.spec.name)
        self._metrics.answered(job.spec.name, reply)
        return reply

    def playable(self, models: Sequence[ModelSpec]) -> tuple[ModelSpec, ...]:
        """Those of the models that need no rest."""
        resting = self._breakers.resting()
        return tuple(model for model in models if model.name not in resting)

    def resting(self) -> Mapping[str, Rest]:
        """The models that are not drawn now, and why; for the administrator."""
        return self._breakers.resting()

    def rates_outage(self) -> Outage | None:
        """Since when the limits of several processes cannot be counted together, though they should; asks now."""
        return self._rates.outage()

    def probe(self, spec: Callable[[str], ModelSpec], *, endpoint: Callable[[ModelSpec], Endpoint]) -> None:
        """Ask the rested models whose time has come; returns at once."""
        for name in self._breakers.due():
            asked = self._run(probe(spec(name), endpoint=endpoint, limits=self._limits))
            asked.add_done_callback(partial(self._probed, name))

    def _probed(self, name: str, done: Future[Fault | None]) -> None:
        fault = Fault.INTERNAL if done.cancelled() or done.exception() else done.result()
        self._breakers.probed(name, fault)
        log.info("a rested model was probed", extra={"model": name, "fault": fault})

    def _counted_alone(self, act: Act) -> None:
        self._count_act(act, "shared limits not reachable")

    def _count_act(self, act: Act, event: str) -> None:
        if act is Act.READ:  # a refused reading must cost less than a reading: no row is written for it
            self._metrics.guarded(event)
        else:
            self._count(event)

    def _count(self, event: str, *, model: str = "") -> None:
        self._write.count(event, model=model)
        self._metrics.guarded(event)

    async def _moderated(self, reply: Reply) -> Reply:
        if self._moderator is None:
            return reply
        ruling = await self._moderator.rule(reply.text)
        if ruling.outage:
            self._count("moderation not reachable")
        if ruling.refused_by is None:
            return reply
        self._count(f"answer refused by {ruling.refused_by}")
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
