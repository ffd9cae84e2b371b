"""What the tables share: prices of models, and CSV files that no spreadsheet executes."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from arena.domain import ModelSpec
from arena.exchange import guarded

MOST_ROWS = 20
ROW_PIXELS = 36


def dollars(amount: float) -> str:
    """An amount with as many digits as it needs: $15, $2.50, $0.075."""
    if amount == round(amount):
        return f"${amount:,.0f}"
    return f"${amount:,.2f}" if amount == round(amount, 2) else f"${amount:.4g}"


def price(spec: ModelSpec) -> str | None:
    """USD per million tokens, input / output: $2.50 / $10; None when neither is known."""
    if spec.price_in is None and spec.price_out is None:
        return None
    return " / ".join("?" if amount is None else dollars(amount) for amount in (spec.price_in, spec.price_out))


def show_table(table: pd.DataFrame | Styler, columns: Mapping[str, Any]) -> None:
    """A table that is as high as its rows, and scrolls when they are many; search and sorting are built in."""
    height: int | Literal["content"] = "content" if len(table.index) <= MOST_ROWS else MOST_ROWS * ROW_PIXELS
    st.dataframe(table, column_config=columns, hide_index=True, height=height, placeholder="–")


def safe_csv(frame: pd.DataFrame) -> str:
    """The table as CSV in which a text that looks like a formula is quoted with an apostrophe; numbers stay numbers."""
    return frame.map(lambda cell: guarded(cell) if isinstance(cell, str) else cell).to_csv(index=False)
