"""FastChat's `api_endpoints.json` becomes the `[[models]]` of an `arena.toml`.

Fields as FastChat's `fastchat/serve/api_provider.py` reads them. Keys never come along: each becomes the name of a
variable that the operator fills in.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arena.domain import ModelState
from arena.errors import ImportRefused
from arena.exchange.strict_json import read_json
from arena.model_entry import ModelEntry
from arena.settings import Settings

LARGEST_BYTES = 5_000_000
OPENAI_URL = "https://api.openai.com/v1"
GATEWAY_URL = "https://gateway.example.com/v1"
_NO_KEY = {"", "empty", "none", "null", "dummy"}


class _Recommended(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    temperature: float | None = None
    top_p: float | None = None
    max_new_tokens: int | None = None
    extra_body: dict[str, Any] | None = None


class _Endpoint(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    model_name: str
    api_type: str
    api_base: str | None = None
    api_key: str | None = None
    recommended_config: _Recommended | None = None
    text_arena: Annotated[bool, Field(alias="text-arena")] = True
    vision_arena: Annotated[bool, Field(alias="vision-arena")] = False
    multimodal: bool = False
    custom_system_prompt: bool = False

    @property
    def speaks_openai(self) -> bool:
        return self.api_type.startswith("openai")


@dataclass(slots=True)
class _KeyNames:
    """One variable per distinct key, named after the host that takes it."""

    names: dict[str, str] = field(default_factory=dict)

    def variable_for(self, key: str, host: str) -> str:
        if key not in self.names:
            stem = "OPENAI" if host == "api.openai.com" else re.sub(r"[^A-Z0-9]+", "_", host.upper()).strip("_")
            stem = stem if stem[:1].isalpha() else f"HOST_{stem}"
            taken = set(self.names.values())
            candidates = (f"{stem}_API_KEY{suffix}" for suffix in ("", *(f"_{n}" for n in range(2, len(taken) + 3))))
            self.names[key] = next(name for name in candidates if name not in taken)
        return self.names[key]


def import_api_endpoints(path: Path) -> str:
    """The text of an `arena.toml` with the models of FastChat's endpoints file at `path`.

    Endpoints of another kind than OpenAI's stand in it commented out. What has no counterpart here is named in a
    comment.

    Raises:
        ImportRefused: the file cannot be read or is not what it should be; names the entry.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_BYTES:
        raise ImportRefused(f"{path} has more than {LARGEST_BYTES:,} bytes; an endpoints file is far smaller.")
    entries = read_json(content, what=path.name)
    if not isinstance(entries, dict) or not entries:
        raise ImportRefused(
            f"{path.name} holds no endpoints: it should be an object of model names and their settings."
        )
    return _toml(path.name, entries)


def _toml(source: str, entries: Mapping[str, object]) -> str:
    keys = _KeyNames()
    tables, models = [], []
    for name, fields in entries.items():
        endpoint = _checked(name, fields)
        comments = list(_comments(endpoint, fields if isinstance(fields, dict) else {}))
        model = _model(name, endpoint, keys)
        if endpoint.speaks_openai:
            models.append(model)
        tables.append(_table(_valid(name, model), comments, commented_out=not endpoint.speaks_openai))
    try:
        Settings.model_validate({"models": models})
    except ValidationError as error:
        raise ImportRefused(f"{source}: {_first(error)}.") from None
    head = [f"# From FastChat's {json.dumps(source)}. Check it with `arena models check`."]
    if keys.names:
        head.append("# The keys of that file were left out. Export each under its name before `arena serve`:")
        head.extend(f"#   {variable}" for variable in keys.names.values())
    return "\n".join(head) + "\n\n" + "\n".join(tables)


def _checked(name: str, fields: object) -> _Endpoint:
    try:
        return _Endpoint.model_validate(fields)
    except ValidationError as error:
        raise ImportRefused(f"Endpoint {name[:80]!r}: {_first(error)}.") from None  # its cause would show the values


def _model(name: str, endpoint: _Endpoint, keys: _KeyNames) -> dict[str, Any]:
    base_url = endpoint.api_base or (OPENAI_URL if endpoint.speaks_openai else GATEWAY_URL)
    given = (endpoint.api_key or "").strip()
    host = _host(name, base_url)
    variable = "OPENAI_API_KEY" if host == "api.openai.com" else None  # as FastChat does without a key
    if given.lower() not in _NO_KEY:
        variable = keys.variable_for(given, host)
    recommended = endpoint.recommended_config or _Recommended()
    model = {
        "name": re.sub(r"[^A-Za-z0-9._:/-]+", "-", name).strip("-._:/"),
        "display_name": name.strip(),
        "upstream_id": endpoint.model_name,
        "base_url": base_url,
        "key_variable": variable,
        "temperature": recommended.temperature,
        "top_p": recommended.top_p,
        "max_tokens": recommended.max_new_tokens,
        "extra_body": recommended.extra_body or None,
        "vision": True if endpoint.vision_arena or endpoint.multimodal else None,
        "state": None if endpoint.text_arena else ModelState.DISABLED.value,
    }
    return {key: value for key, value in model.items() if value is not None}


def _host(name: str, base_url: str) -> str:
    try:
        return urlsplit(base_url).hostname or ""
    except ValueError as error:
        raise ImportRefused(f"Endpoint {name[:80]!r}: api_base is no address.") from error


def _valid(name: str, model: dict[str, Any]) -> dict[str, Any]:
    try:
        ModelEntry.model_validate(model)
    except ValidationError as error:
        raise ImportRefused(f"Endpoint {name[:80]!r}: {_first(error)}.") from None  # as in _checked
    return model


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ", ".join(str(part) for part in first["loc"])
    return ": ".join(part for part in (place, first["msg"].removeprefix("Value error, ")) if part)


def _comments(endpoint: _Endpoint, fields: Mapping[str, object]) -> Iterator[str]:
    if not endpoint.speaks_openai:
        yield f"api_type {json.dumps(endpoint.api_type)}: give it the address of an OpenAI-compatible gateway."
    if endpoint.custom_system_prompt:
        yield "FastChat gave it a system prompt of its own: write it into system_prompt."
    known = {*_Endpoint.model_fields, "text-arena", "vision-arena", "anony_only"}
    dropped = sorted(set(fields) - known)
    if dropped:
        yield f"Without a counterpart here: {', '.join(json.dumps(word) for word in dropped)}."


def _table(model: Mapping[str, Any], comments: list[str], *, commented_out: bool) -> str:
    lines = ["[[models]]", *(f"{key} = {_literal(value)}" for key, value in model.items())]
    if commented_out:
        lines = [f"# {line}" for line in lines]
    return "\n".join([*(f"# {comment}" for comment in comments), *lines]) + "\n"


def _literal(value: object) -> str:
    """`value` in TOML. JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _encodable(json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f"))
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(_literal(item) for item in value)}]"
        case dict():
            return "{ " + ", ".join(f"{_literal(key)} = {_literal(item)}" for key, item in value.items()) + " }"
        case _:
            raise ImportRefused("extra_body holds a null, which arena.toml cannot say: take it out of the file.")


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ImportRefused("A text of the file holds half a character (a lone surrogate).") from error
    return text
