"""One question to one upstream, through the guard and the real client."""

from dataclasses import dataclass

from arena.domain import Message, ModelSpec, Role
from arena.errors import ProviderFault
from arena.providers import Provider, StreamEnd, StreamLimits, TextDelta, ask
from tests.faults import KEY, NAME

PROMPT = (Message(Role.USER, "Say hello"),)
PATIENT = StreamLimits(first_token_seconds=30, silence_seconds=30, total_seconds=60)
SPEC = ModelSpec(name="m", provider="openai_chat", display_name="M", upstream_id=NAME)


@dataclass(slots=True)
class Outcome:
    """What came of it: text, and the end or the fault."""

    text: str = ""
    end: StreamEnd | None = None
    fault: ProviderFault | None = None


async def outcome_of(
    provider: Provider,
    base_url: str,
    *,
    spec: ModelSpec = SPEC,
    key: str | None = KEY,
    limits: StreamLimits = PATIENT,
) -> Outcome:
    """Ask what `PROMPT` asks."""
    outcome = Outcome()
    try:
        async for chunk in ask(provider, spec, PROMPT, base_url=base_url, api_key=key, limits=limits):
            match chunk:
                case TextDelta(text):
                    outcome.text += text
                case StreamEnd():
                    outcome.end = chunk
    except ProviderFault as fault:
        outcome.fault = fault
    return outcome
