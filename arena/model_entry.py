"""One model as `arena.toml` describes it, checked when the file is read."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from arena.domain import ModelSpec, ModelState
from arena.errors import SettingsError
from arena.providers import PROVIDERS, check_script

EMBEDDED = "embedded:"
LITERAL_KEYS = {"api_key", "apikey", "key", "token", "api_token", "password"}
KEY_REMEDY = 'put it into an environment variable and write that name: key_variable = "OPENAI_API_KEY"'


def _printable(text: str) -> str:
    if text != text.strip() or not text or not text.isprintable():
        raise ValueError("must be one line of text without blanks around it")
    return text


def _permanent_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]*", text):
        raise ValueError("may hold letters, digits and . _ : / - only, and begins with a letter or digit")
    return text


def _one_word(text: str) -> bool:
    return text.isprintable() and " " not in text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or not _one_word(text):
        raise ValueError("must be an address that starts with http:// or https://")
    return text


def _iso_date(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


Line = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
ModelName = Annotated[str, Field(max_length=100), AfterValidator(_permanent_name)]


class Table(BaseModel):
    """A table of the file: unknown keys are errors, NaN and infinity are no numbers, errors show no values."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class ModelEntry(Table):
    """Table `[[models]]`: the fields of `ModelSpec`, checked; prices in USD per million tokens."""

    name: ModelName
    provider: str = "openai_chat"
    display_name: Line = Field(default_factory=lambda given: given.get("name", ""))
    upstream_id: Annotated[str, Field(max_length=200)] = ""
    base_url: str = ""
    key_variable: str | None = None
    organisation: Line | None = None
    licence: Line | None = None
    link: Annotated[str, AfterValidator(_web_address)] | None = None
    parameters: Line | None = None
    context_tokens: PositiveInt | None = None
    knowledge_cutoff: Annotated[Line, BeforeValidator(_iso_date)] | None = None
    price_in: NonNegativeFloat | None = None
    price_out: NonNegativeFloat | None = None
    system_prompt: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 1024
    extra_body: dict[str, Any] = Field(default_factory=dict)
    script: dict[str, Any] = Field(default_factory=dict)
    vision: bool = False
    weight: NonNegativeFloat = 1.0
    state: ModelState = ModelState.ENABLED
    aliases: tuple[Line, ...] = ()

    @field_validator("provider")
    @classmethod
    def _known_provider(cls, provider: str) -> str:
        if provider not in PROVIDERS:
            raise ValueError(f"there is no provider {provider!r}; there are {', '.join(sorted(PROVIDERS))}")
        return provider

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, base_url: str) -> str:
        if not base_url or base_url.startswith(EMBEDDED):
            return base_url
        parts = urlsplit(_web_address(base_url))
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must not carry a user, a password, a query or a fragment; a key goes into key_variable")
        return base_url.rstrip("/")

    @field_validator("key_variable")
    @classmethod
    def _no_literal_key(cls, variable: str | None) -> str | None:
        if variable is None or _names_a_variable(variable):
            return variable
        raise ValueError(
            "is the name of an environment variable (capitals, digits, underscores), such as OPENAI_API_KEY, never the "
            "key itself; if a key stands there, take it out of the file and revoke it"
        )

    @field_validator("extra_body")
    @classmethod
    def _holds_no_key(cls, extra_body: dict[str, Any]) -> dict[str, Any]:
        for key in _keys_within(extra_body):
            if key.lower() in LITERAL_KEYS | {"authorization"}:
                raise ValueError(f"holds a key of its own ({key}): {KEY_REMEDY}")
        return extra_body

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "openai_chat":
            if not self.base_url:
                raise ValueError('base_url is missing, for example base_url = "https://api.openai.com/v1"')
            if not self.upstream_id and not self.base_url.startswith(EMBEDDED):
                raise ValueError("upstream_id is missing: the name by which the server at base_url knows the model")
        if self.provider == "scripted":
            _check_script(self.script)
        elif self.script:
            raise ValueError('script is read by provider = "scripted" only')
        return self

    def spec(self) -> ModelSpec:
        """The entry as the rest of the arena knows it."""
        return ModelSpec(**dict(self))


def _check_script(script: Mapping[str, Any]) -> None:
    try:
        check_script(script)
    except SettingsError as error:
        raise ValueError(f"script: {str(error).removesuffix('.')}") from error


def _names_a_variable(text: str) -> bool:
    # Capitals without an underscore that go on and on are a key, not a name.
    literal = re.fullmatch(r"(?=.*\d)[A-Z0-9]{20,}", text)
    return re.fullmatch(r"[A-Z][A-Z0-9_]*", text) is not None and literal is None


def _keys_within(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _keys_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys_within(inner)
