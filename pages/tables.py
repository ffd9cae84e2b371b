"""What the tables share: prices of models, and CSV files that no spreadsheet executes."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
import streamlit as st

from arena.domain import ModelSpec

MOST_ROWS = 20
ROW_PIXELS = 36
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"


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
    guarded = frame.map(lambda cell: "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell)
    return guarded.to_csv(index=False)
