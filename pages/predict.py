"""Win probability: how likely one model's answer is preferred to another's, and how sure that is."""

from functools import partial

import streamlit as st

from arena.board import Board, labels
from arena.errors import BeingRated, CannotRate, UnknownModel
from chart_panel import matrix_chart, show_chart
from forecasts import show_bare, show_forecast
from leaderboard import METHODS, predict
from rating_watch import Watch
from shell import footer, plain, the_arena

MODELS, RATINGS = "Two models", "Two ratings"
SEATS = ("a", "b")
RATINGS_WITH_INTERVAL = ("bradley_terry", "style_control")
LARGEST = 10_000.0
MOST_DRAWN = 40  # models; with more the matrix is drawn on demand

arena = the_arena()
board = arena.board()
names = labels(board.specs.values())
watch = Watch(board.version)
options = [standing.model for standing in board.standings]


def choose_linked(board: Board) -> None:
    """Start with what the address names, `?a=…&b=…&method=…`; else with the best two that have votes."""
    ranking = sorted(board.standings, key=lambda standing: standing.battles == 0)
    for seat, standing in zip(SEATS, (ranking[0], ranking[min(1, len(ranking) - 1)]), strict=True):
        chosen = standing.model
        if f"model-{seat}" not in st.session_state and seat in st.query_params:
            try:
                chosen = board.find(st.query_params[seat])
            except UnknownModel as error:
                st.warning(plain(str(error)), icon="⚠️")
        st.session_state.setdefault(f"model-{seat}", chosen)
    method = st.query_params.get("method", RATINGS_WITH_INTERVAL[0])
    if "method" not in st.session_state and method not in RATINGS_WITH_INTERVAL:
        known = " or ".join(RATINGS_WITH_INTERVAL)
        st.warning(plain(f"No rating called {method[:60]!r} gives a chance with an interval: use {known}."), icon="⚠️")
        method = RATINGS_WITH_INTERVAL[0]
    st.session_state.setdefault("method", method)


def two_models(board: Board) -> None:
    """Two models of the board; they stand in the address, so that the page can be passed on."""
    choose_linked(board)
    *seats, by = st.columns([3, 3, 2])
    for seat, column in zip(SEATS, seats, strict=True):
        label = f"Model {seat.upper()}"
        st.query_params[seat] = column.selectbox(label, options, format_func=names.__getitem__, key=f"model-{seat}")
    method = by.selectbox("Rating", RATINGS_WITH_INTERVAL, format_func=lambda each: METHODS[each].title, key="method")
    if method != RATINGS_WITH_INTERVAL[0]:
        st.query_params["method"] = method
    else:
        st.query_params.pop("method", None)
    model_a, model_b = st.query_params["a"], st.query_params["b"]
    try:
        rated = watch.ask(partial(arena.rated_board, method=method))
        if rated is not None:
            watch.note(rated)
            show_forecast(arena.forecast(model_a, model_b, method=method))
            return
    except CannotRate as error:
        st.info(plain(str(error)), icon="🤝")
    show_bare(arena.prediction(model_a, model_b))


def two_ratings(board: Board) -> None:
    """Any two ratings, on the board or not."""
    left, right = st.columns(2)
    first = left.number_input("Rating of A", -LARGEST, LARGEST, 1287.0, 1.0, "%.0f", key="rating-a")
    second = right.number_input("Rating of B", -LARGEST, LARGEST, 1120.0, 1.0, "%.0f", key="rating-b")
    show_bare(predict(first, second, scale=board.elo.scale))


def show_matrix() -> None:
    """Every model against every other, by the chosen rating."""
    try:
        rated = arena.rated_board(method=st.session_state["method"])
    except (CannotRate, BeingRated):
        return  # said above
    if not rated.votes:
        return
    if len(rated.standings) > MOST_DRAWN and not st.toggle(
        f"Draw all {len(rated.standings)} models against each other"
    ):
        return
    matrix = matrix_chart(rated.version, rated.method, _board=rated, _labels=names)
    if matrix is not None:
        show_chart(matrix)


st.title("🎯 Win probability", anchor=False)
st.markdown("How likely is it that a person prefers one model's answer to the other's?")
ways = [MODELS, RATINGS] if options else [RATINGS]
way = st.segmented_control("Compare", ways, default=ways[0], required=True, label_visibility="collapsed", key="way")
if way == MODELS:
    two_models(board)
    watch.follow()
    show_matrix()
else:
    two_ratings(board)
footer()
