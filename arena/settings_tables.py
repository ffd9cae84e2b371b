"""The tables of `arena.toml` beside its top level, each of bounded fields."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)

from arena.breaker import BreakerSettings
from arena.errors import SettingsError
from arena.model_entry import Line, Table
from arena.providers import StreamLimits
from arena.rate_limits import Rates, checked_redis_url
from arena.roles import LoginFor, Membership


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def parted(value: object) -> object:
    """A variable holds several names with commas between them."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Folder = Annotated[Path, AfterValidator(_absolute)]
RedisUrl = Annotated[str, AfterValidator(checked_redis_url)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(parted)]


class Limits(Table):
    """Table `[limits]`: the fields of `StreamLimits`, bounded."""

    first_token_seconds: PositiveFloat = StreamLimits().first_token_seconds
    silence_seconds: PositiveFloat = StreamLimits().silence_seconds
    total_seconds: PositiveFloat = StreamLimits().total_seconds
    max_characters: PositiveInt = StreamLimits().max_characters
    max_bytes: PositiveInt = StreamLimits().max_bytes


class Elo(Table):
    """Table `[elo]`: what a new database starts with; afterwards the database holds them."""

    k: PositiveFloat = 32.0
    start: float = 1000.0
    scale: PositiveFloat = 400.0


class RatesTable(Table):
    """Table `[rates]`: the fields of `Rates`; 0 sets no limit."""

    voter_prompts_per_minute: NonNegativeInt = Rates().voter_prompts_per_minute
    voter_votes_per_minute: NonNegativeInt = Rates().voter_votes_per_minute
    voter_votes_per_day: NonNegativeInt = Rates().voter_votes_per_day
    network_prompts_per_minute: NonNegativeInt = Rates().network_prompts_per_minute
    network_votes_per_minute: NonNegativeInt = Rates().network_votes_per_minute
    network_votes_per_day: NonNegativeInt = Rates().network_votes_per_day
    network_reads_per_minute: NonNegativeInt = Rates().network_reads_per_minute
    all_prompts_per_minute: NonNegativeInt = Rates().all_prompts_per_minute
    all_votes_per_minute: NonNegativeInt = Rates().all_votes_per_minute
    all_votes_per_day: NonNegativeInt = Rates().all_votes_per_day
    all_reads_per_minute: NonNegativeInt = Rates().all_reads_per_minute


class Budgets(Table):
    """Table `[budgets]`: what one voter, and everybody together, may use up on a UTC day; 0 sets no limit."""

    voter_tokens_per_day: NonNegativeInt = 0
    voter_usd_per_day: NonNegativeFloat = 0.0
    all_tokens_per_day: NonNegativeInt = 0
    all_usd_per_day: NonNegativeFloat = 0.0


class Breaker(Table):
    """Table `[breaker]`: when a failing model is rested; the fields of `BreakerSettings`."""

    failures: NonNegativeInt = BreakerSettings().failures
    window_seconds: PositiveFloat = BreakerSettings().window_seconds
    pause_seconds: PositiveFloat = BreakerSettings().pause_seconds


class Moderation(Table):
    """Table `[moderation]`: what is asked about prompts and answers; nothing when neither is set.

    `words_file` holds one forbidden word or phrase a line. `base_url` is an OpenAI-compatible endpoint, `key_variable`
    the variable that holds its key. `on_outage` says what happens while the endpoint cannot be asked.
    """

    words_file: Folder | None = None
    base_url: Line | None = None
    model: Line = "omni-moderation-latest"
    key_variable: Line | None = None
    timeout_seconds: PositiveFloat = 5.0
    on_outage: Literal["allow", "refuse"] = "allow"


class Login(Table):
    """Table `[login]`: who logs in where (OpenID Connect), what for, and who is what afterwards.

    Without `server_metadata_url` Streamlit's own `secrets.toml` may say where. `required_for` says what anonymous
    visitors may not do. Roles go by `arena.roles.Membership`. A login is good for `session_hours`, if it is used every
    `idle_minutes`; so is a sign-in with the administrator's password.
    """

    server_metadata_url: Line | None = None
    client_id: Line | None = None
    client_secret: SecretStr | None = None
    redirect_uri: Line | None = None
    scope: Line = "openid email profile"
    required_for: LoginFor = LoginFor.NOTHING
    administrators: Lines = ()
    voters: Lines = ()
    viewers: Lines = ()
    group_claim: Line = "groups"
    trust_unverified_email: bool = False
    session_hours: Annotated[float, Field(gt=0, le=720)] = 12.0
    idle_minutes: Annotated[float, Field(gt=0, le=43_200)] = 60.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        place = {"server_metadata_url": self.server_metadata_url, "client_id": self.client_id}
        place |= {"redirect_uri": self.redirect_uri}
        missing = [key for key, value in place.items() if value is None]
        if 0 < len(missing) < len(place):
            raise ValueError(f"a login needs {' and '.join(missing)}, too")
        if self.redirect_uri is not None and not self.redirect_uri.endswith("/oauth2callback"):
            raise ValueError("redirect_uri is the arena's public address with /oauth2callback at its end")
        return self

    def require_secret(self) -> None:
        """Check that a login that is wanted can work.

        Raises:
            SettingsError: the client's secret is missing.
        """
        if self.server_metadata_url is not None and self.client_secret is None:
            raise SettingsError("[login] needs the client's secret: export ARENA_LOGIN__CLIENT_SECRET.")

    def membership(self) -> Membership:
        """Who is what after a login."""
        return Membership(
            administrators=self.administrators,
            voters=self.voters,
            viewers=self.viewers,
            group_claim=self.group_claim,
            trust_unverified_email=self.trust_unverified_email,
        )


class Integrity(Table):
    """Table `[integrity]`: votes of a risk of `hold_above` or more are held; voters are looked at every so often."""

    hold_above: Annotated[float, Field(gt=0, le=1)] = 0.9
    sweep_seconds: PositiveFloat = 300.0
