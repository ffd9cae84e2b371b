"""Limits and budgets with today's use, and what each model cost on each day."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from arena.administration import Administration, Usage
from arena.numerals import count
from arena.roles import Person
from shell import moment, percent
from tables import dollars, show_table

DAYS = 30
COLUMNS = {
    "day": st.column_config.DateColumn("Day (UTC)"),
    "model": st.column_config.TextColumn("Model"),
    "attempts": st.column_config.NumberColumn("Answers", help="Failed and stopped ones, too"),
    "tokens_in": st.column_config.NumberColumn("Tokens in", format="localized"),
    "tokens_out": st.column_config.NumberColumn("Tokens out", format="localized"),
    "usd": st.column_config.NumberColumn("Cost", format="dollar", help="By the prices in arena.toml, where known"),
}
RATES = {"limit": st.column_config.TextColumn("Limit"), "most": st.column_config.TextColumn("At most")}
OWN = "Each process counts for itself: with several of them, set `redis_url` so that they count together."
SHARED = "All processes count together, in Redis."
AWAY = (
    "Redis has not answered this process since {since}: each process counts for itself ({acts} here), and votes and "
    "prompts go on. Look at the server that `redis_url` names; once it answers, all count together again by themselves."
)


def draw_limits(administration: Administration, person: Person) -> None:
    """Today, then the limits, then the past days."""
    usage = administration.usage(person)
    st.subheader("Today's budgets, UTC", anchor=False)
    _draw_budgets(usage)
    st.caption("Reserved when a model is asked, settled when its answer has ended. Set in `[budgets]` of arena.toml.")
    st.subheader("Limits on prompts and votes", anchor=False)
    rows = [
        {"limit": key.replace("_", " "), "most": f"{n:,}" if n else "none"} for key, n in asdict(usage.rates).items()
    ]
    show_table(pd.DataFrame(rows, columns=[*RATES]), RATES)
    st.warning(how_counted(usage), icon="⚠️") if usage.rates_outage else st.caption(how_counted(usage))
    st.subheader(f"Spent, by model and day, of the last {DAYS} days", anchor=False)
    spending = [asdict(each) for each in administration.spending(person, days=DAYS)]
    if not spending:
        st.caption("No model was asked.")
        return
    show_table(pd.DataFrame(spending, columns=[*COLUMNS]), COLUMNS)


def how_counted(usage: Usage) -> str:
    """Whether all processes count together at this moment."""
    if (outage := usage.rates_outage) is not None:
        return AWAY.format(since=moment(outage.since), acts=count(outage.acts, "act"))
    return SHARED if usage.rates_are_shared else OWN


def _draw_budgets(usage: Usage) -> None:
    budgets, spent = usage.budgets, usage.spent
    with st.container(horizontal=True):
        st.metric("Tokens of everybody", f"{spent.tokens:,}", border=True)
        st.metric("Cost of everybody", dollars(spent.usd), border=True)
    _bar("Tokens of everybody", spent.tokens, budgets.all_tokens_per_day, f"{budgets.all_tokens_per_day:,}")
    _bar("Cost of everybody", spent.usd, budgets.all_usd_per_day, dollars(budgets.all_usd_per_day))
    voter = f"{budgets.voter_tokens_per_day:,} tokens" if budgets.voter_tokens_per_day else "no limit of tokens"
    money = dollars(budgets.voter_usd_per_day) if budgets.voter_usd_per_day else "no limit of money"
    st.markdown(f"One voter a day: {voter}, {money}.".replace("$", r"\$"))


def _bar(what: str, spent: float, most: float, said: str) -> None:
    if most:
        share = spent / most
        st.progress(min(1.0, share), text=f"{what}: {percent(share)} of {said}".replace("$", r"\$"))
    else:
        st.caption(f"{what}: no limit.")
