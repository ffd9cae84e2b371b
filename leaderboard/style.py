"""How an answer is written, as four counts, and those counts for every game.

Counts as in FastChat, fastchat/serve/monitor/add_markdown_info.py: code blocks are taken out first, then headings,
list items and bold stretches are counted. Vendors' token counts are not comparable, so that both sides' lengths are
the same estimate: ceil(UTF-8 bytes / 4).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

BYTES_PER_TOKEN = 4

# A block that was cut off before its end is code up to the end of the text, as in CommonMark.
_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s", re.MULTILINE)
# FastChat writes ^\s*, which reads a run of blank lines anew from each of them; kept to its line it counts the same.
_NUMBERED = re.compile(r"^[^\S\n]*\d+\.\s", re.MULTILINE)
_BULLET = re.compile(r"^[^\S\n]*[-*+]\s", re.MULTILINE)
_STARS = re.compile(r"\*\*[^*\n]+\*\*")
_UNDERSCORES = re.compile(r"__[^_\n]+__")


class Style(NamedTuple):
    """How an answer is written: estimated tokens, and how many headings, list items and bold stretches."""

    length: int
    headings: int
    lists: int
    bold: int


STYLE_FEATURES: tuple[str, ...] = Style._fields
STYLE_UNKNOWN = Style(-1, -1, -1, -1)


def style_of(answers: Sequence[str], *, num_tokens: int | None = None) -> Style:
    """Count one side's answers, all turns of a battle: the sum of what each answer has, so that each is counted once.

    Args:
        answers: the texts, in any order; none gives zeros.
        num_tokens: the length that a file states; it wins over the estimate. State it for both sides or for neither.
    """
    counted = [_style_of(answer) for answer in answers]
    together = Style(*map(sum, zip(*counted, strict=True))) if counted else Style(0, 0, 0, 0)
    return together if num_tokens is None else together._replace(length=num_tokens)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GameStyles:
    """The styles of both answers of n games, in the order of the games; arrays that cannot be written to.

    Args:
        side_a: int64[n, 4], one column for each of `STYLE_FEATURES`; a negative count says that it is not known.
        side_b: the same for the other side.

    Raises:
        ValueError: a shape is another.
    """

    side_a: NDArray[np.int64]
    side_b: NDArray[np.int64]

    def __post_init__(self) -> None:
        for what in ("side_a", "side_b"):
            array = np.array(getattr(self, what), dtype=np.int64)
            if array.ndim != 2 or array.shape[1] != len(STYLE_FEATURES) or len(array) != len(self.side_a):  # noqa: PLR2004
                raise ValueError(f"{what} must hold {len(STYLE_FEATURES)} counts per game, not {array.shape}")
            array.setflags(write=False)
            object.__setattr__(self, what, array)

    @classmethod
    def from_styles(cls, side_a: Iterable[Style], side_b: Iterable[Style]) -> Self:
        """From one value per game and side; `STYLE_UNKNOWN` where nobody counted."""
        columns = (np.array(list(side), dtype=np.int64).reshape(-1, len(STYLE_FEATURES)) for side in (side_a, side_b))
        first, second = columns
        return cls(side_a=first, side_b=second)

    def __len__(self) -> int:
        return len(self.side_a)

    @property
    def known(self) -> NDArray[np.bool_]:
        """bool[n]: the games whose both sides were counted."""
        known: NDArray[np.bool_] = np.minimum(self.side_a, self.side_b).min(axis=1, initial=0) >= 0
        return known


def estimated_tokens(texts: Sequence[str]) -> int:
    """ceil(UTF-8 bytes of all texts / 4), the same for every vendor; 0 for none. A surrogate counts 3 bytes."""
    size = sum(len(text.encode("utf-8", errors="surrogatepass")) for text in texts)
    return -(-size // BYTES_PER_TOKEN)


def _style_of(answer: str) -> Style:
    prose = _CODE_BLOCK.sub("", answer)
    return Style(
        length=estimated_tokens([answer]),
        headings=_count(prose, _HEADING),
        lists=_count(prose, _NUMBERED, _BULLET),
        bold=_count(prose, _STARS, _UNDERSCORES),
    )


def _count(text: str, *patterns: re.Pattern[str]) -> int:
    return sum(sum(1 for _ in pattern.finditer(text)) for pattern in patterns)
