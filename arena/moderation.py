"""May this prompt, or this answer, be shown? A word list, an OpenAI-compatible moderation endpoint, or both."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

import openai
from openai import AsyncOpenAI, DefaultAioHttpClient

from arena.errors import SettingsError
from arena.settings import key_in
from arena.settings_tables import Moderation

log = logging.getLogger(__name__)

# What one input may hold; a longer text is asked about in parts, of which one that is flagged decides.
PART_CHARACTERS = 8_000
MOST_PARTS = 32
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]")


class Judge(StrEnum):
    """Who refused a text."""

    WORDS = "words"
    ENDPOINT = "endpoint"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a text passes. `outage` says that the endpoint could not be asked, whatever was then decided."""

    refused_by: Judge | None = None
    outage: bool = False


PASSED = Ruling()


class Moderator:
    """Asks the word list first, then the endpoint. To be used on one event loop, and closed on it.

    Args:
        words: forbidden words and phrases; they count as whole words, in scripts without spaces anywhere.
        endpoint: where to ask; None for the words alone.
        refuses_on_outage: whether a text that nobody could look at is refused.
    """

    def __init__(
        self, *, words: Iterable[str] = (), endpoint: "Endpoint | None" = None, refuses_on_outage: bool = False
    ) -> None:
        self._words = _pattern(words)
        self._endpoint = endpoint
        self._refuses_on_outage = refuses_on_outage

    @classmethod
    def of(cls, settings: Moderation, *, environ: Mapping[str, str]) -> Self | None:
        """The moderator of these settings; None when they name neither words nor an endpoint.

        Raises:
            SettingsError: the word list cannot be read, or the key's variable is not set.
        """
        if settings.words_file is None and settings.base_url is None:
            return None
        endpoint = None
        if settings.base_url is not None:
            key = key_in(settings.key_variable, whose="[moderation]", environ=environ)
            endpoint = Endpoint(settings.base_url, settings.model, key, settings.timeout_seconds)
        words = () if settings.words_file is None else _words_in(settings.words_file)
        return cls(words=words, endpoint=endpoint, refuses_on_outage=settings.on_outage == "refuse")

    async def rule(self, text: str) -> Ruling:
        """Judge one text; a blank one passes."""
        if not text.strip():
            return PASSED
        if self._words is not None and self._words.search(text.casefold()):
            return Ruling(Judge.WORDS)
        if self._endpoint is None:
            return PASSED
        try:
            flagged = await self._endpoint.flags(text)
        except (openai.OpenAIError, ValueError) as error:
            log.warning("the moderation endpoint cannot be asked: %s", type(error).__name__)
            return Ruling(Judge.OUTAGE if self._refuses_on_outage else None, outage=True)
        return Ruling(Judge.ENDPOINT) if flagged else PASSED

    async def close(self) -> None:
        """End the connections."""
        if self._endpoint is not None:
            await self._endpoint.close()


class Endpoint:
    """An OpenAI-compatible `/moderations`; the address and the key are the administrator's."""

    def __init__(self, base_url: str, model: str, api_key: str | None, timeout_seconds: float) -> None:
        self._where = (base_url, api_key or "none", timeout_seconds)
        self._model = model
        self._client: AsyncOpenAI | None = None

    async def flags(self, text: str) -> bool:
        """Whether any part of a text is flagged.

        Raises:
            openai.OpenAIError: nothing usable came back in time.
            ValueError: what came back is no moderation answer.
        """
        parts = [text[at : at + PART_CHARACTERS] for at in range(0, len(text), PART_CHARACTERS)]
        answer = await self._open().moderations.create(model=self._model, input=parts[:MOST_PARTS])
        # The client checks no shapes, and hands a web page on as text.
        flags = [getattr(result, "flagged", None) for result in getattr(answer, "results", None) or ()]
        if not flags or not all(isinstance(flag, bool) for flag in flags):
            raise ValueError("the moderation endpoint gave no flags")
        return any(flags)

    async def close(self) -> None:
        """End the connections; a later question opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> AsyncOpenAI:
        if self._client is None:  # made on the loop that uses it
            base_url, api_key, timeout_seconds = self._where
            self._client = AsyncOpenAI(
                base_url=base_url,
                api_key=api_key,
                admin_api_key="",
                max_retries=0,
                default_headers={"Accept-Encoding": "identity"},
                http_client=DefaultAioHttpClient(follow_redirects=False, timeout=timeout_seconds),
            )
            self._client.organization = self._client.project = None  # from the environment, where they mean another
        return self._client


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    forms = sorted({" ".join(word.casefold().split()) for word in words if word.strip()}, key=len, reverse=True)
    if not forms:
        return None
    return re.compile("|".join(_form(word) for word in forms))


def _form(word: str) -> str:
    spaced = r"\s+".join(re.escape(part) for part in word.split())
    return spaced if _SPACELESS.search(word) else rf"(?<!\w){spaced}(?!\w)"


def _words_in(path: Path) -> list[str]:
    """One word or phrase a line; blank lines and those that begin with # say nothing."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"[moderation], words_file: {path} cannot be read as UTF-8 text.") from error
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
