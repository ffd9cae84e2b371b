"""The door to upstream models: what a provider is, which there are, and the guard around them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from arena.providers.ask import ask
from arena.providers.base import Chunk, Provider, StreamEnd, StreamLimits, TextDelta
from arena.providers.openai_chat import OpenAIChat
from arena.providers.redaction import redacted, without_keys
from arena.providers.scripted import Scripted, check_script

PROVIDERS: Mapping[str, Callable[[], Provider]] = MappingProxyType(
    {
        "openai_chat": OpenAIChat,
        "scripted": Scripted,
    }
)

__all__ = [
    "PROVIDERS",
    "Chunk",
    "Provider",
    "StreamEnd",
    "StreamLimits",
    "TextDelta",
    "ask",
    "check_script",
    "redacted",
    "without_keys",
]
