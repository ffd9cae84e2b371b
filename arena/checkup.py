"""Ask every enabled model one short question and say, for the operator, what is wrong with each that fails."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from types import MappingProxyType

from arena.domain import Fault, Message, ModelSpec, ModelState, Role
from arena.errors import ProviderFault
from arena.providers import PROVIDERS, Provider, StreamEnd, StreamLimits, ask
from arena.streaming import Endpoint

QUESTION = Message(Role.USER, "In one short sentence: what is the capital of France?")

REMEDIES: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.RATE_LIMITED: "asked too often; wait, or raise the limit with the provider",
        Fault.QUOTA: "the account has no credit left; top it up",
        Fault.OVERLOADED: "the server is overloaded or broken; try again later",
        Fault.BAD_REQUEST: "the server refuses the request; check temperature, top_p, max_tokens and extra_body",
        Fault.CONTEXT_OVERFLOW: "even a short question does not fit; check max_tokens and the server's context size",
        Fault.REFUSED_KEY: "the key is missing or refused; check key_variable and the key",
        Fault.NOT_FOUND: "the server does not know it; check base_url and upstream_id",
        Fault.CONTENT_FILTER: "the provider's filter refused a harmless question",
        Fault.MODERATED: "the arena's own moderation refused the answer",
        Fault.UNREACHABLE: "nothing answers there; check base_url and whether the server runs",
        Fault.TLS: "the certificate is not trusted; check base_url and the certificate",
        Fault.REDIRECTED: "the server redirects, which is not followed; write the final address into base_url",
        Fault.NO_FIRST_TOKEN: "no answer in time; raise [limits] first_token_seconds if the model is this slow",
        Fault.SILENT: "the answer stopped midway; raise [limits] silence_seconds if the model is this slow",
        Fault.OVERTIME: "the answer took too long; raise [limits] total_seconds or lower max_tokens",
        Fault.CUT_OFF: "the connection broke before the answer was complete",
        Fault.MALFORMED: "the answer is not in OpenAI's streaming format; check base_url",
        Fault.TOO_LARGE: "the answer is larger than [limits] allows",
        Fault.EMPTY: "the answer is empty; a reasoning model may need a higher max_tokens",
        Fault.NOT_READY: "it is not running yet",
        Fault.INTERNAL: "the arena itself failed; please report it",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """How one model answered; `problem` is None exactly when it is well. Cost in USD of this one question."""

    model: str
    first_token_ms: int | None = None
    tokens_per_second: float | None = None
    cost_usd: float | None = None
    problem: str | None = None


async def check_models(
    specs: tuple[ModelSpec, ...], *, endpoint: Callable[[ModelSpec], Endpoint], limits: StreamLimits
) -> tuple[Checkup, ...]:
    """Ask every enabled model of `specs` at once; the answers come in their order.

    `endpoint` says where each is asked, or raises ProviderFault.
    """
    enabled = [spec for spec in specs if spec.state is ModelState.ENABLED]
    providers = {name: PROVIDERS[name]() for name in {spec.provider for spec in enabled}}
    try:
        return tuple(
            await asyncio.gather(*(_check(spec, providers[spec.provider], endpoint, limits) for spec in enabled))
        )
    finally:
        for provider in providers.values():
            await provider.close()


async def probe(spec: ModelSpec, *, endpoint: Callable[[ModelSpec], Endpoint], limits: StreamLimits) -> Fault | None:
    """Ask one model the short question; None when it answered, else why it did not."""
    provider = PROVIDERS[spec.provider]()
    try:
        await _measure(spec, provider, endpoint(spec), limits)
    except ProviderFault as fault:
        return fault.fault
    finally:
        await provider.close()
    return None


async def _check(
    spec: ModelSpec, provider: Provider, endpoint: Callable[[ModelSpec], Endpoint], limits: StreamLimits
) -> Checkup:
    try:
        where = endpoint(spec)
        return await _measure(spec, provider, where, limits)
    except ProviderFault as fault:
        detail = f" ({fault.detail.removesuffix('.')})" if fault.detail else ""
        return Checkup(model=spec.name, problem=f"{spec.display_name}: {REMEDIES[fault.fault]}{detail}.")


async def _measure(spec: ModelSpec, provider: Provider, where: Endpoint, limits: StreamLimits) -> Checkup:
    started = monotonic()
    arrivals: list[float] = []  # of texts and of the end; there are at least two
    tokens_in = tokens_out = None
    async for chunk in ask(provider, spec, [QUESTION], base_url=where.base_url, api_key=where.api_key, limits=limits):
        arrivals.append(monotonic())
        if isinstance(chunk, StreamEnd):
            tokens_in, tokens_out = chunk.tokens_in, chunk.tokens_out
    return Checkup(
        model=spec.name,
        first_token_ms=round((arrivals[0] - started) * 1000),
        tokens_per_second=_pace(tokens_out, arrivals[-1] - arrivals[0]),
        cost_usd=spec.cost_usd(tokens_in, tokens_out),
    )


def _pace(tokens_out: int | None, seconds: float) -> float | None:
    # The clock starts with the first token, so n tokens take n - 1 steps.
    return (tokens_out - 1) / seconds if tokens_out and tokens_out > 1 and seconds else None
