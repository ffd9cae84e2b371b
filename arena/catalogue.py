"""Who can fight right now: the configured models, the embedded ones as they get ready, and what is wrong."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from arena.domain import Fault, ModelSpec, ModelState
from arena.embedded import EmbeddedModels, FetchProgress, default_names, default_specs, meets_itself, supported
from arena.errors import ProviderFault, SettingsError, UnknownModel
from arena.settings import Settings, api_key, load_settings
from arena.store import AS_IN_FILE, ModelSetting
from arena.streaming import Endpoint

log = logging.getLogger(__name__)

EMBEDDED = "embedded:"
OPENAI_HINT = (
    "OPENAI_API_KEY is set: copy arena.example.toml to arena.toml and start again to add OpenAI's models to the arena."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The models as pages show them: `ready_count` of `entries` can be drawn now.

    `notices` are plain sentences for everybody; `complaint` is one for the operator, and may name models.
    """

    entries: tuple[ModelSpec, ...]
    notices: tuple[str, ...]
    downloads: tuple[FetchProgress, ...]
    ready_count: int
    complaint: str | None = None


class Roster:
    """The models of this process: where each one listens, with which key, and whether it is ready.

    They come from `arena.toml` (re-read by `refresh` when the file changes) or, when it names none, from the embedded
    default. A model that has left the file stays known to the battles that were opened with it.

    Args:
        settings: as loaded at start; only its models change afterwards.
        environ: where keys are looked up at the moment of asking.
    """

    def __init__(self, settings: Settings, *, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._source = settings.source
        self._seen = _modified_at(self._source)
        self._configured = settings.specs()
        self._complaint: str | None = None
        self._decisions: Mapping[str, ModelSetting] = {}
        self._refreshing = Lock()
        self._unsupported = supported()
        wanted = _embedded_names(self._configured) if self._configured else default_names(settings.cache_dir)
        self._embedded = EmbeddedModels(() if self._unsupported else wanted, cache_dir=settings.cache_dir)
        self._wanted = wanted
        self._specs = self._current()
        self._known = {spec.name: spec for spec in self._specs}

    def start(self) -> None:
        """Begin fetching and starting the embedded models in the background."""
        self._embedded.start()

    def close(self) -> None:
        """End the embedded models' processes."""
        self._embedded.close()

    def specs(self) -> tuple[ModelSpec, ...]:
        """Every model of the catalogue, ready or not."""
        return self._specs

    def by_name(self) -> Mapping[str, ModelSpec]:
        """Every model that this process has known, also those that have left the file since."""
        return self._known

    def spec(self, name: str) -> ModelSpec:
        """One model by its permanent name.

        Raises:
            UnknownModel: this process has never known it.
        """
        try:
            return self._known[name]
        except KeyError:
            raise UnknownModel("A model of this battle has left the arena: start a new round.") from None

    def ready(self) -> tuple[ModelSpec, ...]:
        """The models that could answer now."""
        serving = set(self._embedded.ready_names())
        return tuple(
            spec
            for spec in self._specs
            if spec.state is ModelState.ENABLED and (_weights(spec) is None or _weights(spec) in serving)
        )

    def endpoint(self, spec: ModelSpec) -> Endpoint:
        """Where to ask `spec`, and with which key.

        Raises:
            ProviderFault: its embedded server is not ready, or its key variable is not set.
        """
        weights = _weights(spec)
        if weights is not None:
            served = self._embedded.endpoint(weights)
            if served is None:
                raise ProviderFault(Fault.NOT_READY, f"{spec.name}: the embedded model is not running yet.")
            return Endpoint(served.base_url, served.api_key)
        try:
            return Endpoint(spec.base_url, api_key(spec, environ=self._environ))
        except SettingsError as error:
            raise ProviderFault(Fault.REFUSED_KEY, str(error)) from error

    def refresh(self, decisions: Mapping[str, ModelSetting] | None = None) -> bool:
        """Look at `arena.toml` and the embedded models again; True when the catalogue has changed.

        `decisions` are an administrator's, which stand above the file; None leaves the last ones in force.
        """
        with self._refreshing:
            modified_at = _modified_at(self._source)
            if modified_at != self._seen:
                self._seen = modified_at
                self._reload()
            self._decisions = self._decisions if decisions is None else decisions
            specs = self._current()
            if specs == self._specs:
                return False
            self._specs = specs
            self._known = {**self._known, **{spec.name: spec for spec in specs}}
            return True

    def as_in_file(self) -> tuple[ModelSpec, ...]:
        """Every model of the catalogue as it would be if no administrator had decided anything."""
        return self._configured or default_specs(self._embedded.ready_names(), names=self._wanted)

    def complain(self, sentence: str) -> None:
        """Show `sentence` to the operator until `arena.toml` is read again."""
        self._complaint = sentence

    def catalogue(self) -> Catalogue:
        """The models as a page shows them."""
        return Catalogue(
            entries=self._specs,
            notices=tuple(self._notices()),
            downloads=self._embedded.progress(),
            ready_count=len(self.ready()),
            complaint=self._complaint,
        )

    def _reload(self) -> None:
        try:
            configured = load_settings(config=self._source, environ=self._environ).specs()
        except SettingsError as error:
            self.complain(f"arena.toml was not read again: {error}")
            return
        self._complaint = None
        self._configured = configured

    def _current(self) -> tuple[ModelSpec, ...]:
        return tuple(self._decisions.get(spec.name, AS_IN_FILE).applied(spec) for spec in self.as_in_file())

    def _notices(self) -> list[str]:
        notices: list[str] = []
        if self._unsupported is not None and (not self._configured or _embedded_names(self._configured)):
            notices.append(self._unsupported)
        elif not self._configured and (sentence := meets_itself(self._embedded.ready_names())) is not None:
            notices.append(sentence)
        if self._source is None and self._environ.get("OPENAI_API_KEY"):
            notices.append(OPENAI_HINT)
        return notices


def _weights(spec: ModelSpec) -> str | None:
    return spec.base_url.removeprefix(EMBEDDED) if spec.base_url.startswith(EMBEDDED) else None


def _embedded_names(specs: tuple[ModelSpec, ...]) -> tuple[str, ...]:
    names = (_weights(spec) for spec in specs if spec.state is not ModelState.RETIRED)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _modified_at(path: Path | None) -> int | None:
    try:
        return path.stat().st_mtime_ns if path is not None else None
    except OSError:
        return None
