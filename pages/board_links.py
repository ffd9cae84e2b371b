"""A view of the leaderboard as the parameters of an address, and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from board_filters import DEFAULT, EARLIEST, FIELDS, LATEST, LONGEST, MOST_VOTES, Offer, View
from leaderboard import METHODS

Link = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class LinkedView:
    """What a link asks for, and a sentence for each value that was passed by."""

    view: View
    complaints: tuple[str, ...]


def to_link(view: View) -> dict[str, list[str]]:
    """The view as the parameters of an address; the default view has none."""
    values = {name: getattr(view, name) for name in FIELDS}
    return {name: _texts(value) for name, value in values.items() if value != getattr(DEFAULT, name)}


def from_link(link: Link, offer: Offer) -> LinkedView:
    """The view that a link asks for, as far as it makes sense on this board; other parameters are nobody's business."""
    values: dict[str, Any] = {}
    complaints = []
    for name in FIELDS:
        if name not in link:
            continue
        try:
            values[name] = _READERS[name](link[name], offer)
        except ValueError:
            what = ", ".join(link[name])[:LONGEST]
            complaints.append(f"The link says {name} = “{what}”, which this board cannot show.")
    return LinkedView(View(**values), tuple(complaints))


def _texts(value: object) -> list[str]:
    match value:
        case tuple():
            return [str(each) for each in value]
        case bool():
            return ["yes" if value else "no"]
        case date():
            return [value.isoformat()]
        case _:
            return [str(value)]


def _one(texts: Sequence[str]) -> str:
    if len(texts) != 1:
        raise ValueError(texts)
    return texts[0]


def _known(text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise ValueError(text)
    return text


def _all_known(texts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_known(text, known) for text in texts))


def _yes(texts: Sequence[str], _offer: Offer) -> bool:
    return _known(_one(texts), ("yes", "no")) == "yes"


def _day(texts: Sequence[str], _offer: Offer) -> date:
    day = date.fromisoformat(_one(texts))
    if not EARLIEST <= day <= LATEST:
        raise ValueError(day)
    return day


def _number(texts: Sequence[str], _offer: Offer) -> int:
    number = int(_one(texts))
    if not 0 <= number <= MOST_VOTES:
        raise ValueError(number)
    return number


_READERS: Mapping[str, Callable[[Sequence[str], Offer], object]] = {
    "order": lambda texts, _: _known(_one(texts), tuple(METHODS)),
    "source": lambda texts, offer: _all_known(texts, offer.sources),
    **dict.fromkeys(
        ("multi_turn", "long_prompt", "code", "maths", "ties", "left_out", "failed_loses", "retired"), _yes
    ),
    "language": lambda texts, offer: _known(_one(texts), offer.languages),
    **dict.fromkeys(("since", "until"), _day),
    "organisation": lambda texts, offer: _all_known(texts, offer.organisations),
    "licence": lambda texts, offer: _all_known(texts, offer.licences),
    "votes": _number,
    "search": lambda texts, _: _one(texts)[:LONGEST],
}
