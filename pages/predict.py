"""Win probability: how likely one model's answer is preferred to another's."""

import pandas as pd
import streamlit as st

from arena.board import Board
from arena.errors import UnknownModel
from board_charts import chart_spec
from leaderboard import HeadToHead, Prediction, charts, predict, probability_curve
from shell import count, footer, percent, plain, rating, signed, the_arena
from tables import labels

MODELS, RATINGS = "Two models", "Two ratings"
SEATS = ("a", "b")
LARGEST = 10_000.0

arena = the_arena()
board = arena.board()
options = [standing.model for standing in board.standings]


def choose_linked(board: Board) -> None:
    """Start with the models that the address names, `?a=…&b=…`; without names, with the best two."""
    for seat, best in zip(SEATS, (options[0], options[min(1, len(options) - 1)]), strict=True):
        chosen = best
        if f"model-{seat}" not in st.session_state and seat in st.query_params:
            try:
                chosen = board.find(st.query_params[seat])
            except UnknownModel as error:
                st.warning(plain(str(error)), icon="⚠️")
        st.session_state.setdefault(f"model-{seat}", chosen)


def two_models(board: Board) -> Prediction:
    """Two models of the board; they stand in the address, so that the page can be passed on."""
    choose_linked(board)
    names = labels(board.specs.values())
    for seat, column in zip(SEATS, st.columns(2), strict=True):
        label = f"Model {seat.upper()}"
        st.query_params[seat] = column.selectbox(label, options, format_func=names.__getitem__, key=f"model-{seat}")
    return arena.prediction(st.query_params["a"], st.query_params["b"])


def two_ratings(board: Board) -> Prediction:
    """Any two ratings, on the board or not."""
    left, right = st.columns(2)
    first = left.number_input("Rating of A", -LARGEST, LARGEST, 1287.0, 1.0, "%.0f", key="rating-a")
    second = right.number_input("Rating of B", -LARGEST, LARGEST, 1120.0, 1.0, "%.0f", key="rating-b")
    return predict(first, second, scale=board.elo.scale)


def show_record(record: HeadToHead) -> None:
    """How the pair's battles ended so far."""
    if not record.battles:
        st.info("These two have not met yet: the chance comes from their battles against others.", icon="🤝")
        return
    st.markdown(
        f"**Head to head**, {count(record.battles, 'battle')}: A won **{record.wins_a:,}**, "
        f"B won **{record.wins_b:,}**, {count(record.ties, 'tie')}, {record.both_bad:,} both bad"
    )


def show(prediction: Prediction) -> None:
    """The chance in large figures, and where it lies on the curve."""
    first, second = st.columns(2)
    for column, seat, chance, elo in (
        (first, "A", prediction.probability, prediction.rating_a),
        (second, "B", 1 - prediction.probability, prediction.rating_b),
    ):
        column.metric(f"P({seat} wins)", percent(chance), f"rated {rating(elo)}", "off", delta_arrow="off", border=True)
    if prediction.record is not None:
        show_record(prediction.record)
    st.caption(
        f"Elo's expected score for a difference of {signed(prediction.difference)} points, "
        f"1 / (1 + 10^(−difference / {prediction.scale:g})); a tie counts as half a win."
    )
    curve = pd.DataFrame(probability_curve(scale=prediction.scale))
    picture = charts.probability_curve(curve, difference=prediction.difference, probability=prediction.probability)
    st.vega_lite_chart(spec=chart_spec(picture), height=360, key="probability-curve")


st.title("🎯 Win probability", anchor=False)
st.markdown("How likely is it that a person prefers one model's answer to the other's?")
ways = [MODELS, RATINGS] if options else [RATINGS]
way = st.segmented_control("Compare", ways, default=ways[0], required=True, label_visibility="collapsed", key="way")
show(two_models(board) if way == MODELS else two_ratings(board))
footer()
