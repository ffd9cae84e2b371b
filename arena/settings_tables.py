"""The tables of `arena.toml` beside its top level, each of bounded fields."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from arena.breaker import BreakerSettings
from arena.model_entry import Line, Table
from arena.providers import StreamLimits
from arena.rate_limits import Rates


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_absolute)]


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
    all_prompts_per_minute: NonNegativeInt = Rates().all_prompts_per_minute
    all_votes_per_minute: NonNegativeInt = Rates().all_votes_per_minute
    all_votes_per_day: NonNegativeInt = Rates().all_votes_per_day


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


class Integrity(Table):
    """Table `[integrity]`: votes of a risk of `hold_above` or more are held; voters are looked at every so often."""

    hold_above: Annotated[float, Field(gt=0, le=1)] = 0.9
    sweep_seconds: PositiveFloat = 300.0
