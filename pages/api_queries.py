"""What a program may ask of the JSON API: the parameters of the pages' addresses, read strictly."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from arena.errors import ArenaError
from board_filters import Offer, View
from board_links import from_link
from leaderboard import METHODS

WITH_INTERVAL = ("bradley_terry", "style_control")
LONGEST_SHOWN = 60
MANY = ("source", "organisation", "licence")
# Every day of 2000 to 2099, and nothing else: a document can say so, unlike "a valid date".
DAY = (
    r"^20(?:[0-9]{2}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"|(?:[02468][048]|[13579][26])-02-29)$"
)


class BadParameter(ArenaError):
    """A parameter cannot be taken as it is."""

    def __init__(self, parameter: str, sentence: str) -> None:
        super().__init__(sentence)
        self.parameter = parameter


class NoSuchThing(BadParameter):
    """A well-formed parameter names something that this arena does not have."""


def _check(known: Sequence[str]) -> AfterValidator:
    def check(text: str) -> str:
        if text not in known:
            raise ValueError(f"it is none of {', '.join(known)}")
        return text

    return AfterValidator(check)


def _listed(known: Sequence[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [*known]})


Order = Annotated[str, _check(tuple(METHODS)), _listed(tuple(METHODS))]
Rating = Annotated[str, _check(WITH_INTERVAL), _listed(WITH_INTERVAL)]
Day = Annotated[str, Field(pattern=DAY, examples=["2026-03-01"])]
YesNo = Literal["yes", "no"]
Number = Annotated[str, Field(pattern=r"^[0-9]{1,9}$", examples=["30"])]
Maybe = SkipJsonSchema[None]  # a parameter that may be missing has no value to show for that


class Query(BaseModel):
    """Parameters of one address; an unknown one is refused, because a misspelt filter would filter nothing."""

    model_config = ConfigDict(extra="forbid")


class StandingsQuery(Query):
    """Which leaderboard: as the page's address."""

    order: Annotated[
        Order,
        Field(description="What orders the models; by elo the Bradley–Terry score stands beside.", examples=["elo"]),
    ] = "elo"
    source: Annotated[
        list[str] | Maybe,
        Field(description="Where votes come from, may be repeated; default arena.", examples=[["arena"]]),
    ] = None
    multi_turn: Annotated[YesNo | Maybe, Field(description="Only battles of several turns, or only the others.")] = None
    long_prompt: Annotated[YesNo | Maybe, Field(description="Only battles with long prompts, or the others.")] = None
    code: Annotated[YesNo | Maybe, Field(description="Only battles about code, or only the others.")] = None
    maths: Annotated[YesNo | Maybe, Field(description="Only battles about mathematics, or only the others.")] = None
    language: Annotated[str | Maybe, Field(description="ISO 639 code of the prompts' language.")] = None
    ties: Annotated[YesNo, Field(description="Whether ties and both-bad count.")] = "yes"
    left_out: Annotated[YesNo, Field(description="Whether votes count that are left out of the board.")] = "no"
    failed_loses: Annotated[
        YesNo, Field(description="Whether battles that a failed answer ended count as lost by it.")
    ] = "no"
    since: Annotated[Day | Maybe, Field(description="First UTC day.")] = None
    until: Annotated[Day | Maybe, Field(description="Last UTC day: the board as it stood at its end.")] = None
    organisation: Annotated[list[str] | Maybe, Field(description="Only models of these makers.")] = None
    licence: Annotated[list[str] | Maybe, Field(description="Only models under these licences.")] = None
    retired: Annotated[YesNo, Field(description="Whether retired models are listed.")] = "yes"
    votes: Annotated[Number, Field(description="The least number of battles of a listed model.")] = "0"

    def view(self, offer: Offer) -> View:
        """The view of the leaderboard.

        Raises:
            NoSuchThing: this arena has no votes of that source or language, or no model of that maker or licence.
        """
        link = {name: value if isinstance(value, list) else [value] for name, value in self._given()}
        for name, known in _offered(offer):
            for text in link.get(name, ()):
                if text not in known:
                    listed = ", ".join(known) or "none"
                    raise NoSuchThing(name, f"There is no {name} {text[:LONGEST_SHOWN]!r} here; there are: {listed}.")
        return from_link(link, offer).view

    def _given(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in sorted(self.model_fields_set))


class PairQuery(Query):
    """Which two models: as the page's address."""

    a: Annotated[str, Field(description="A model's name, display name or alias.")]
    b: Annotated[str, Field(description="The other one's.")]
    method: Annotated[Rating, Field(description="The rating that the chance is from.")] = "bradley_terry"


class NoQuery(Query):
    """No parameter at all."""


def once(names: Sequence[str]) -> None:
    """Refuse a parameter that stands twice in an address and can have one value only.

    Raises:
        BadParameter: names it.
    """
    twice = [name for name in names if names.count(name) > 1 and name not in MANY]
    if twice:
        raise BadParameter(twice[0], f"The parameter {twice[0][:LONGEST_SHOWN]!r} is given twice: give it once.")


def _offered(offer: Offer) -> Sequence[tuple[str, Sequence[str]]]:
    return (
        ("source", offer.sources),
        ("language", offer.languages),
        ("organisation", offer.organisations),
        ("licence", offer.licences),
    )
