"""What the operator decides: `arena.toml`, overlaid by `ARENA_…` variables, checked once and passed down.

The file may hold everything but secrets. A variable is named after its key (`ARENA_PORT`; `__` enters a table:
`ARENA_LIMITS__SILENCE_SECONDS`); models are described in the file only.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self

import platformdirs
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from arena.breaker import BreakerSettings
from arena.domain import ModelSpec, Pace
from arena.errors import SettingsError
from arena.model_entry import KEY_REMEDY, LITERAL_KEYS, Line, ModelEntry, Table
from arena.passwords import HASH_START, stored_hash
from arena.providers import StreamLimits
from arena.rate_limits import Rates
from arena.secret_file import SHORTEST_SECRET, secret_in
from arena.settings_tables import (
    Breaker,
    Budgets,
    Elo,
    Folder,
    Integrity,
    Limits,
    Login,
    Moderation,
    RatesTable,
    RedisUrl,
    parted,
)

FILE_NAME = "arena.toml"
PREFIX = "ARENA_"
CONFIG_VARIABLE = "ARENA_CONFIG"
NOT_SHARED = (
    "ARENA_SECRET is not set, but the database is one that several arenas can share: set it to the same value for each "
    "of them, so that all know the same voters; `openssl rand -hex 32` prints a good one."
)
_PROGRAM = "team-arena"
_SOURCE_TREE = Path(__file__).resolve().parent.parent

# What people write who come from another tool's file, and the word for it here.
_FOREIGN_WORDS = {
    "api_base": "base_url",
    "url": "base_url",
    "endpoint": "base_url",
    "model": "upstream_id",
    "model_id": "upstream_id",
    "model_name": "upstream_id",
    "api_type": "provider",
    "title": "display_name",
    "license": "licence",
    "context_length": "context_tokens",
    "cutoff": "knowledge_cutoff",
    "enabled": "state",
    "retired": "state",
    "database": "database_url",
}


def _host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_host_name, names))


def _host_name(text: str) -> str:
    with suppress(ValueError):
        return str(ip_address(text.strip("[]")))
    if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?", text):
        raise ValueError(f"{text!r} is no host name: write arena.example.com, without https://, port or path")
    return text.lower()


Hosts = Annotated[tuple[str, ...], BeforeValidator(parted), AfterValidator(_host_names)]


class Settings(Table):
    """Everything an operator may decide; times in seconds.

    `source` is the file it came from, None when there is none. `models` is empty when the file names none: the
    embedded models fight then. `seed` makes the draw of pairs repeatable. `aa_share` of the battles show one model
    twice. Prompts and answers are removed after `keep_texts_days`, or never. `trusted_proxies` are the addresses whose
    forwarded headers are believed. `allowed_hosts` are the names, without ports, under which browsers may reach the
    arena; this machine's own address needs none. Whoever knows the `metrics_token` may read the metrics.
    """

    source: Path | None = None
    data_dir: Folder = Field(default_factory=lambda: platformdirs.user_data_path(_PROGRAM))
    database_url: Annotated[str, Field(min_length=1)] = Field(
        repr=False,  # may hold a password
        default_factory=lambda given: f"sqlite:///{given['data_dir'] / 'arena.sqlite3'}",
    )
    cache_dir: Folder = Field(default_factory=lambda: platformdirs.user_cache_path(_PROGRAM))
    host: Line = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8501
    allowed_hosts: Hosts = ()
    hold_seconds: Annotated[float, Field(ge=0, le=60)] = 3.0
    lease_seconds: Annotated[float, Field(ge=1, le=600)] = 5.0
    rating_seconds: Annotated[float, Field(ge=0, le=60)] = 0.3
    max_turns: PositiveInt = 30
    max_prompt_characters: PositiveInt = 50_000
    keep_texts_days: PositiveInt | None = None
    seed: int | None = None
    pace: Pace = Pace.LIVE
    aa_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    redis_url: Annotated[RedisUrl | None, Field(repr=False)] = None  # may hold a password
    secret: SecretStr | None = None
    metrics_token: SecretStr | None = None
    admin_password_hash: SecretStr | None = None
    limits: Limits = Limits()
    elo: Elo = Elo()
    rates: RatesTable = RatesTable()
    budgets: Budgets = Budgets()
    breaker: Breaker = Breaker()
    moderation: Moderation = Moderation()
    integrity: Integrity = Integrity()
    login: Login = Login()
    models: tuple[ModelEntry, ...] = ()

    @field_validator("secret", "metrics_token")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"needs at least {SHORTEST_SECRET} characters; `openssl rand -hex 32` prints a good one")
        return secret

    @field_validator("admin_password_hash")
    @classmethod
    def _is_hash(cls, hashed: SecretStr | None) -> SecretStr | None:
        if hashed is not None and not hashed.get_secret_value().startswith(HASH_START):
            raise ValueError("is no Argon2id hash; `arena admin password --print` makes one")
        return hashed

    @model_validator(mode="after")
    def _one_model_per_name(self) -> Self:
        owner: dict[str, str] = {}
        for model in self.models:
            for name in {word.casefold() for word in (model.name, *model.aliases)}:
                if name in owner:
                    raise ValueError(
                        f"models {owner[name]!r} and {model.name!r} share the name or alias {name!r}; "
                        "each needs a name of its own"
                    )
                owner[name] = model.name
        return self

    def specs(self) -> tuple[ModelSpec, ...]:
        """The models of the file in its order; empty when it names none."""
        return tuple(model.spec() for model in self.models)

    def most_rates(self) -> Rates:
        """How often may be asked and voted."""
        return Rates(**dict(self.rates))

    def breaker_settings(self) -> BreakerSettings:
        """When a failing model is rested."""
        return BreakerSettings(**dict(self.breaker))

    def stream_limits(self) -> StreamLimits:
        """How long and how large one reply may become."""
        return StreamLimits(**dict(self.limits))

    @property
    def may_have_replicas(self) -> bool:
        """Whether other arenas can use the same database."""
        return not self.database_url.startswith("sqlite")

    def cookie_secret(self) -> SecretStr:
        """What signs the voter cookie: `ARENA_SECRET`, or the file `secret` in the data folder, made when missing.

        Raises:
            SettingsError: others may read the file, or it is damaged; a server's database, which several replicas may
                share, without `ARENA_SECRET`: to each of them the others' visitors would be strangers.
        """
        if self.secret is None and self.may_have_replicas:
            raise SettingsError(NOT_SHARED)
        return self.secret or SecretStr(secret_in(self.data_dir))

    def password_hash(self) -> str | None:
        """The hash of the administrator's password, looked up at the moment of asking; None when none is set.

        Raises:
            SettingsError: the file that holds it may be read by others, or is damaged.
        """
        if self.admin_password_hash is not None:
            return self.admin_password_hash.get_secret_value()
        return stored_hash(self.data_dir)


def load_settings(*, config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    The file is `config`, or what `ARENA_CONFIG` names, or `arena.toml` in the current folder, or the one in the user's
    configuration folder; with none of them the defaults hold. A variable wins over the file.

    Raises:
        SettingsError: a file is missing or no TOML; a key is unknown; a value is wrong. Names the key and the remedy.
    """
    source = _find_file(config, environ)
    table = _read(source) if source else {}
    _refuse_secrets(table, source)
    _resolve_paths(table, source)
    variables = _variables(environ)
    try:
        return Settings.model_validate({"source": source, **_overlaid(table, variables)})
    except ValidationError as error:
        raise SettingsError(_in_words(error, table, variables, source)) from None  # its cause would show the values


def api_key(spec: ModelSpec, *, environ: Mapping[str, str] = os.environ) -> str | None:
    """The key of `spec`, read at the moment of asking; None when it needs none.

    Raises:
        SettingsError: as `key_in`.
    """
    return key_in(spec.key_variable, whose=spec.name, environ=environ)


def key_in(variable: str | None, *, whose: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The key that a variable holds; None without a variable.

    Raises:
        SettingsError: the variable is not set, blank, or holds what no key can.
    """
    if variable is None:
        return None
    key = environ.get(variable, "").strip()
    if not key:
        raise SettingsError(f"{whose}: the environment variable {variable} is not set; export it and start again.")
    if not key.isascii() or not key.isprintable():
        raise SettingsError(f"{whose}: {variable} holds characters that no key has; copy it again.")
    return key


def _find_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError(
                f"There is no settings file {named}; copy arena.example.toml there or name another one."
            )
        return named.resolve()
    places = (Path.cwd(), platformdirs.user_config_path(_PROGRAM))
    return next((folder / FILE_NAME for folder in places if (folder / FILE_NAME).is_file()), None)


def _read(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source} is not valid TOML: {error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{source} is not UTF-8 text; save it as UTF-8.") from error
    except RecursionError as error:
        raise SettingsError(f"{source} is nested too deeply.") from error
    except OSError as error:
        raise SettingsError(f"{source} cannot be read: {error.strerror}.") from error


def _refuse_secrets(table: Mapping[str, Any], source: Path | None) -> None:
    if "source" in table:
        raise SettingsError(f"{source}: `source` cannot be set.")
    for path in (("secret",), ("metrics_token",), ("admin_password_hash",), ("login", "client_secret")):
        inner = table if len(path) == 1 else table.get(path[0])
        if isinstance(inner, dict) and path[-1] in inner:
            raise SettingsError(
                f"{source}: `{path[-1]}` cannot be set in the file; a secret goes into {_variable(path)}."
            )


def _resolve_paths(table: dict[str, Any], source: Path | None) -> None:
    if source is None:
        return
    for key in ("data_dir", "cache_dir"):
        if isinstance(table.get(key), str):
            table[key] = str(source.parent / Path(table[key]).expanduser())
    moderation = table.get("moderation")
    if isinstance(moderation, dict) and isinstance(moderation.get("words_file"), str):
        moderation["words_file"] = str(source.parent / Path(moderation["words_file"]).expanduser())
    # Data never land in the program's own tree, nor among configuration files.
    outside = not source.is_relative_to(_SOURCE_TREE) and source.parent != platformdirs.user_config_path(_PROGRAM)
    if outside:
        table.setdefault("data_dir", str(source.parent / "arena-data"))


def _variables(environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    return {
        tuple(name.removeprefix(PREFIX).lower().split("__")): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and value
    }


def _overlaid(table: Mapping[str, Any], variables: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in table.items()}
    for path, value in variables.items():
        if path[0] in {"models", "source"} or len(path) > 2:  # noqa: PLR2004 - a table and its key
            raise SettingsError(f"{_variable(path)} cannot be set by a variable; unset it and use {FILE_NAME}.")
        if len(path) == 1:
            result[path[0]] = value
        else:
            inner = result.setdefault(path[0], {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{_variable(path)}: `{path[0]}` is no table.")
            inner[path[1]] = value
    return result


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


def _in_words(
    error: ValidationError,
    table: Mapping[str, Any],
    variables: Mapping[tuple[str, ...], str],
    source: Path | None,
) -> str:
    errors = error.errors(include_input=False, include_url=False)
    mendable = [each for each in errors if each["type"] != "default_factory_not_called"]  # follows from another one
    first, *others = sorted(mendable, key=lambda each: each["type"] != "extra_forbidden")  # a typo explains the rest
    path = first["loc"]
    variable = next((given for given in variables if path[: len(given)] == given), None)
    if first["type"] == "extra_forbidden":
        words = _unknown_key(path, is_variable=variable is not None)
    else:
        words = first["msg"].removeprefix("Value error, ") + "."
    place = _variable(variable) if variable else ": ".join([str(source or FILE_NAME), *_place(path, table)])
    more = f" ({len(others)} more to mend after that)" if others else ""
    return f"{place}: {words}{more}"


def _place(path: tuple[int | str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    match path:
        case ("models", int(index), *rest):
            name = table["models"][index].get("name") if isinstance(table["models"][index], dict) else None
            yield f"model {name!r}" if isinstance(name, str) else f"[[models]] number {index + 1}"
        case (str(only), *rest) if rest:
            yield f"[{only}]"
        case _:
            rest = list(path)
    if rest:
        yield ", ".join(str(part) for part in rest)


def _unknown_key(path: tuple[int | str, ...], *, is_variable: bool) -> str:
    word = str(path[-1])
    if word.lower() in LITERAL_KEYS:
        return f"a key does not belong into this file: {KEY_REMEDY}."
    tables: dict[int | str, type[Table]] = {
        "limits": Limits,
        "elo": Elo,
        "rates": RatesTable,
        "budgets": Budgets,
        "breaker": Breaker,
        "moderation": Moderation,
        "integrity": Integrity,
        "login": Login,
        "models": ModelEntry,
    }
    known = sorted(tables.get(path[0], Settings).model_fields if len(path) > 1 else Settings.model_fields)
    known = [name for name in known if name != "source"]
    near = [_FOREIGN_WORDS[word.lower()]] if _FOREIGN_WORDS.get(word.lower()) in known else []
    near = near or difflib.get_close_matches(word.lower(), known, n=1)
    if not near:
        return f"unknown key; known here are {', '.join(known)}."
    remedy = _variable((*(str(part) for part in path[:-1]), near[0])) if is_variable else f"`{near[0]}`"
    return f"unknown key; did you mean {remedy}?"
