"""What the JSON API answers with, as its document describes it: the fields of docs/data.md."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Nothing but the fields listed."""

    model_config = ConfigDict(extra="forbid")


class Effect(Answer):
    """What a feature of style is worth."""

    feature: str
    points: float
    lower: float
    upper: float
    times: float | None
    level: float


class Facts(Answer):
    """What is publicly known of a model."""

    model: Annotated[str, Field(description="its name")]
    display_name: Annotated[str, Field(description="what it is called")]
    state: Annotated[str, Field(description="enabled, disabled or retired")]
    organisation: Annotated[str | None, Field(description="who made it")]
    licence: Annotated[str | None, Field(description="under which licence")]
    price_in: Annotated[float | None, Field(description="USD per million tokens of a prompt")]
    price_out: Annotated[float | None, Field(description="USD per million tokens of an answer")]
    context_tokens: Annotated[int | None, Field(description="how long a conversation it can hold")]
    knowledge_cutoff: Annotated[str | None, Field(description="until when it knows things")]
    link: Annotated[str | None, Field(description="its page")]


class Line(Facts):
    """One line of the leaderboard."""

    rank: Annotated[int | None, Field(description="Rank (UB); null for a model without a vote here")]
    rank_worst: Annotated[int | None, Field(description="the worst rank it may have")]
    score: Annotated[float | None, Field(description="its score by the method")]
    plus: Annotated[float | None, Field(description="how far the 95 % interval reaches up")]
    minus: Annotated[float | None, Field(description="how far down")]
    elo: Annotated[float | None, Field(description="its live Elo")]
    battles: Annotated[int, Field(description="battles in which it has a counted vote")]
    wins: Annotated[int, Field(description="of these, won")]
    losses: Annotated[int, Field(description="lost")]
    ties: Annotated[int, Field(description="tied")]
    both_bad: Annotated[int, Field(description="both bad")]
    win_rate: Annotated[float | None, Field(description="won, ties and both-bad as half")]
    preliminary: Annotated[bool, Field(description="too few battles to trust its place")]


class Standings(Answer):
    """A leaderboard."""

    board_version: Annotated[int, Field(description="the board's version; it rises with every change")]
    method: Annotated[str, Field(description="the rating beside Elo, or the one that orders")]
    votes: Annotated[int, Field(description="votes that count in this view")]
    failed_lost: Annotated[int, Field(description="where a failed answer loses, battles without a vote that count")]
    left_out: Annotated[dict[str, int], Field(description="reason to number of votes left out for it")]
    last_vote_day: Annotated[str | None, Field(description="UTC day of the view's last vote")]
    last_vote_at: Annotated[str | None, Field(description="when it was cast; null when only the day is known")]
    filters: Annotated[dict[str, list[str]], Field(description="what was asked for, where it is not the default")]
    remarks: Annotated[list[str], Field(description="sentences on what this board cannot tell")]
    style_effects: Annotated[list[Effect], Field(description="by style control, what the way of writing is worth")]
    models: Annotated[list[Line], Field(description="one entry per model, in the view's order")]


class Record(Answer):
    """How the battles of two models ended."""

    wins_a: int
    wins_b: int
    ties: int
    both_bad: int


class Chance(Answer):
    """A chance with the ends of its interval."""

    probability: float
    lower: float
    upper: float


class Split(Answer):
    """The next battle, by Davidson's model."""

    win: float
    tie: float
    loss: float


class Forecast(Answer):
    """What the chosen rating says."""

    model_a: str
    model_b: str
    method: Annotated[str, Field(description="the rating it is from")]
    chance: Annotated[Chance | None, Field(description="that A is preferred; null when they cannot be compared")]
    reason: Annotated[str | None, Field(description="why they cannot, as a sentence")]
    level: Annotated[float, Field(description="confidence of the interval")]
    difference: Annotated[float | None, Field(description="rating of A minus rating of B")]
    split: Annotated[Split | None, Field(description="win, tie and loss of A in the next battle")]
    elo: Annotated[float | None, Field(description="that A is preferred, by Elo alone")]
    record: Annotated[Record, Field(description="their battles so far")]


class Pair(Answer):
    """How likely is one model's answer preferred to the other's?"""

    model_a: Annotated[str, Field(description="the first model")]
    model_b: Annotated[str, Field(description="the second model")]
    rating_a: Annotated[float, Field(description="its Elo")]
    rating_b: Annotated[float, Field(description="its Elo")]
    probability: Annotated[float, Field(description="that A is preferred, by Elo alone")]
    scale: Annotated[float, Field(description="points that are a factor ten in odds")]
    record: Annotated[Record | None, Field(description="their battles; null for a model against itself")]
    forecast: Annotated[Forecast | None, Field(description="what the chosen rating says; null when it cannot say")]
    reason: Annotated[str, Field(description="only when `forecast` is null: why, as a sentence")] = ""


class Models(Answer):
    """Every model that the board knows."""

    board_version: Annotated[int, Field(description="the board's version; it rises with every change")]
    models: Annotated[list[Facts], Field(description="one entry per model, by name")]


class Waiting(Answer):
    """The answer is being computed."""

    detail: Annotated[str, Field(description="what is computed, and when to ask again")]
    share: Annotated[float, Field(description="how far it is by the clock, 0 to 1")]


class Problem(Answer):
    """Why there is no answer (RFC 9457)."""

    title: Annotated[str, Field(description="the kind of problem")]
    status: Annotated[int, Field(description="the HTTP status")]
    detail: Annotated[str, Field(description="what is wrong and what to do, as a sentence")]
    parameter: Annotated[str | None, Field(description="the parameter to mend; null when none is to blame")]
