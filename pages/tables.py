"""What the tables share: labels and prices of models, and CSV files that no spreadsheet executes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd
import streamlit as st

from arena.domain import ModelSpec
from arena.exchange import guarded

MOST_ROWS = 20
ROW_PIXELS = 36


def labels(specs: Iterable[ModelSpec]) -> Mapping[str, str]:
    """By permanent name what a model is called: its display name, with the permanent one where two share it."""
    specs = tuple(specs)
    taken = Counter(spec.display_name for spec in specs)
    return {
        spec.name: spec.display_name if taken[spec.display_name] == 1 else f"{spec.display_name} ({spec.name})"
        for spec in specs
    }


def price(spec: ModelSpec) -> str | None:
    """USD per million tokens, input / output: $2.50 / $10.00; None when neither is known."""
    if spec.price_in is None and spec.price_out is None:
        return None
    return f"{_dollars(spec.price_in)} / {_dollars(spec.price_out)}"


def show_table(frame: pd.DataFrame, columns: Mapping[str, Any]) -> None:
    """A table that is as high as its rows, and scrolls when they are many; search and sorting are built in."""
    height: int | Literal["content"] = "content" if len(frame) <= MOST_ROWS else MOST_ROWS * ROW_PIXELS
    st.dataframe(frame, column_config=columns, hide_index=True, height=height, placeholder="–")


def _dollars(amount: float | None) -> str:
    if amount is None:
        return "?"
    return f"${amount:.2f}" if amount == round(amount, 2) else f"${amount:.4g}"


def safe_csv(frame: pd.DataFrame) -> str:
    """The table as CSV in which a text that looks like a formula is quoted with an apostrophe; numbers stay numbers."""
    return frame.map(lambda cell: guarded(cell) if isinstance(cell, str) else cell).to_csv(index=False)
