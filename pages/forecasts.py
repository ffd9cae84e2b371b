"""A forecast of one pair in figures, words and a picture."""

import pandas as pd
import streamlit as st

from arena.board_charts import Picture, chart_spec
from arena.numerals import count
from chart_panel import show_chart
from leaderboard import METHODS, Forecast, HeadToHead, Prediction, Split, charts, probability_curve
from shell import percent, plain, rating, signed

UNKNOWN = "–"
TIE_NOTE = "A tie counts as half a win."


def show_forecast(forecast: Forecast) -> None:
    """The chance from the chosen rating, with all that stands beside it."""
    chance = forecast.chance
    if chance is None or forecast.difference is None:
        st.info(plain(forecast.reason or "These two cannot be compared."), icon="🤝")
        show_chances(UNKNOWN, UNKNOWN)
    else:
        level = f"{forecast.level * 100:.0f}\N{NO-BREAK SPACE}% interval"
        show_chances(
            percent(chance.probability),
            percent(1 - chance.probability),
            f"{level}: {percent(chance.lower)} to {percent(chance.upper)}",
            f"{level}: {percent(1 - chance.upper)} to {percent(1 - chance.lower)}",
        )
    if forecast.split is not None:
        show_split(forecast.split)
    if forecast.elo is not None:
        st.markdown(f"**By Elo alone**: P(A preferred) = {percent(forecast.elo)}")
    if chance is not None and forecast.model_a != forecast.model_b:
        show_record(forecast.record)
    if chance is not None and forecast.difference is not None:
        title = METHODS[forecast.method].title
        st.caption(f"From the {title} rating: A stands {signed(forecast.difference)} points from B. {TIE_NOTE}")
        pair = f"A: {forecast.model_a} · B: {forecast.model_b} · by their {title} ratings"
        show_curve(forecast.difference, chance.probability, caption=pair)


def show_bare(prediction: Prediction) -> None:
    """The chance from two ratings alone."""
    show_chances(
        percent(prediction.probability),
        percent(1 - prediction.probability),
        f"rated {rating(prediction.rating_a)}",
        f"rated {rating(prediction.rating_b)}",
    )
    if prediction.record is not None:
        show_record(prediction.record)
    st.caption(
        f"Elo's expected score for a difference of {signed(prediction.difference)} points, "
        f"1 / (1 + 10^(−difference / {prediction.scale:g})). {TIE_NOTE}"
    )
    ratings = f"A: {rating(prediction.rating_a)} · B: {rating(prediction.rating_b)} · by Elo's expected score"
    show_curve(prediction.difference, prediction.probability, caption=ratings, scale=prediction.scale)


def show_chances(a: str, b: str, below_a: str | None = None, below_b: str | None = None) -> None:
    """Both chances in large figures."""
    for column, seat, chance, below in zip(st.columns(2), "AB", (a, b), (below_a, below_b), strict=True):
        column.metric(f"P({seat} preferred)", chance, below, "off", delta_arrow="off", border=True)


def show_split(split: Split) -> None:
    """How a battle may end, ties apart."""
    st.markdown(
        f"**The next battle**: A wins {percent(split.win)}, tie {percent(split.tie)}, B wins {percent(split.loss)}",
        help="By Davidson's model, which counts ties apart; it may differ a little from the chance above.",
    )


def show_record(record: HeadToHead) -> None:
    """How the pair's battles ended so far."""
    if not record.battles:
        st.info("These two have not met yet: what is known comes from their battles against others.", icon="🤝")
        return
    st.markdown(
        f"**Head to head**, {count(record.battles, 'battle')}: A won **{record.wins_a:,}**, "
        f"B won **{record.wins_b:,}**, {count(record.ties, 'tie')}, {record.both_bad:,} both bad"
    )


def show_curve(difference: float, probability: float, *, caption: str, scale: float = 400.0) -> None:
    """Where the pair lies on the curve; `caption` says in a file which pair it is."""
    chart = charts.probability_curve(
        pd.DataFrame(probability_curve(scale=scale)), difference=difference, probability=probability
    )
    show_chart(Picture("probability-curve", chart_spec(chart), caption=caption), height=360)
