"""Votes that come as a table: checked, and turned into arrays in a few passes over the columns."""

from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leaderboard.games import VERDICTS, Games
from leaderboard.verdicts import Verdict

# The words that public vote files use, beside our own.
VERDICT_WORDS: Mapping[Hashable, Verdict] = MappingProxyType(
    {
        **dict[Hashable, Verdict]((verdict.value, verdict) for verdict in Verdict),
        "model_a": Verdict.A,
        "model_b": Verdict.B,
        "tie (bothbad)": Verdict.BOTH_BAD,
        "bothbad": Verdict.BOTH_BAD,
    }
)


def games_from_frame(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str] = ("model_a", "model_b", "winner"),
    words: Mapping[Hashable, Verdict] = VERDICT_WORDS,
) -> Games:
    """The votes of a table, one per row, in the order of its rows; models are named in the order of their names.

    Args:
        frame: any index; other columns are ignored.
        columns: which hold the model on side A, the one on side B and the verdict.
        words: what each word of the verdict's column means.

    Raises:
        ValueError: a value is missing, a word is unknown, or a model meets itself; the message names the row, counted
            from 1 as in a file without its heading.
    """
    name_a, name_b, name_verdict = columns
    codes_a, models_a = _codes(frame, name_a)
    codes_b, models_b = _codes(frame, name_b)
    codes, found = _codes(frame, name_verdict)
    names = tuple(sorted({str(model) for model in (*models_a, *models_b)}))
    index = {name: i for i, name in enumerate(names)}
    seat_a, seat_b = (
        np.array([index[str(model)] for model in models], dtype=np.int32)[seats]
        for models, seats in ((models_a, codes_a), (models_b, codes_b))
    )
    selves = np.flatnonzero(seat_a == seat_b)
    if selves.size:
        raise ValueError(
            f"row {selves[0] + 1}: the model {names[seat_a[selves[0]]]!r} meets itself; leave such rows out"
        )
    verdicts = _verdicts(found, codes, words=words, column=name_verdict)
    return Games(names=names, seat_a=seat_a, seat_b=seat_b, verdicts=verdicts)


def _codes(frame: pd.DataFrame, column: str) -> tuple[NDArray[np.intp], list[object]]:
    if column not in frame.columns:
        raise ValueError(f"there is no column {column!r}; the columns are {', '.join(map(str, frame.columns))}")
    codes, values = pd.factorize(frame[column])
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        raise ValueError(f"row {missing[0] + 1}: {column} is empty; fill it in or leave the row out")
    return codes, list(values)


def _verdicts(
    found: list[object], codes: NDArray[np.intp], *, words: Mapping[Hashable, Verdict], column: str
) -> NDArray[np.int8]:
    for code, word in enumerate(found):
        if word not in words:
            row = int(np.argmax(codes == code)) + 1
            raise ValueError(f"row {row}: {column} says {word!r}; known are {', '.join(map(repr, words))}")
    meanings = np.array([VERDICTS.index(words[word]) for word in found], dtype=np.int8)
    return meanings[codes] if found else np.zeros(0, dtype=np.int8)
