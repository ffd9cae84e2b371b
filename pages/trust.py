"""Can this board be trusted? What was left out and why, and what each of it does to the order."""

from collections.abc import Iterator, Mapping

import pandas as pd
import streamlit as st

from arena.board import labels
from arena.numerals import count
from arena.trust import Effect, TrustReport
from leaderboard.fairness import Share
from shell import footer, percent, plain, signed, the_arena
from tables import show_table
from words import left_out_reason

PACES = {
    "live": "as they came",
    "together": "both when both were ready",
    "replay": "written out at equal pace",
}
WHAT_IF = {
    "snap votes": "without the votes cast before anybody could have read",
    "busiest voter": "without the votes of the busiest voter",
    "left seat": "with the advantage of the left seat taken out",
    "a failed answer loses": "if a failed answer had lost its battle",
}
ATTEMPTS = {
    "model": st.column_config.TextColumn("Model"),
    "attempts": st.column_config.NumberColumn("Answers asked for", format="localized"),
    "failed": st.column_config.NumberColumn("Failed", format="localized"),
    "timed_out": st.column_config.NumberColumn("of them too slow", format="localized"),
    "stopped": st.column_config.NumberColumn("Stopped", format="localized", help="By the person who asked"),
    "interrupted": st.column_config.NumberColumn("Interrupted", format="localized", help="Nobody watched any more"),
    "retries": st.column_config.NumberColumn("Asked again", format="localized"),
    "leaked": st.column_config.NumberColumn("Named itself", format="localized"),
}


def spread(share: Share) -> str:
    """A share with its 95 % interval."""
    if share.estimate is None or share.lower is None or share.upper is None:
        return "–"
    return f"{percent(share.estimate)} ({percent(share.lower)} to {percent(share.upper)})"


def in_words(effect: Effect, names: Mapping[str, str]) -> str:
    """What a group of votes does to the order."""
    if not effect.moved:
        return "no change in order"
    moves = [f"{names.get(move.model, move.model)} {move.before} → {move.after}" for move in effect.moved[:4]]
    more = len(effect.moved) - len(moves)
    return ", ".join(moves) + (f" and {more} more" if more else "")


def effects(report: TrustReport, names: Mapping[str, str]) -> pd.DataFrame:
    """One line for each group of votes."""
    rows = [
        (
            f"if the votes counted that are left out ({left_out_reason(effect.name)})"
            if effect.name in report.left_out
            else WHAT_IF.get(effect.name, effect.name),
            effect.votes,
            in_words(effect, names),
        )
        for effect in report.effects
    ]
    return pd.DataFrame(rows, columns=["The board …", "Votes", "Places by Bradley–Terry"])


def facts(report: TrustReport, names: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What is measured, the figure, and how to read it."""
    yield "Voters", f"{report.voters:,}", "who cast a vote that counts"
    if report.voters:
        yield "Busiest voter", percent(report.busiest_share), "of all counted votes"
    if report.median_decide_ms is not None:
        seconds = f"{report.median_decide_ms / 1000:.1f} s"
        yield "Time to decide", seconds, "the middle one, from the last answer's end to the click"
        yield "Snap votes", f"{report.snap_votes:,} of {report.timed:,}", "faster than anybody could have read"
    yield "Left answer won", spread(report.left), "of the votes with a winner; an even arena has 50 %"
    points = report.advantage
    if points.points is not None and points.lower is not None and points.upper is not None:
        interval = f"{signed(points.points)} ({signed(points.lower)} to {signed(points.upper)})"
        yield "Left seat", interval, "rating points; 0 lies inside the interval when no side is favoured"
    yield "A/A: a winner found", spread(report.aa_decisive), "of battles of one model with itself: pure noise"
    yield "A/A: left won", spread(report.aa_left), "of those with a winner; an even arena has 50 %"
    for speed in report.speeds:
        reading = f"of the votes on answers shown {PACES[speed.pace]} ({count(speed.votes, 'vote')})"
        yield "Faster side won", spread(speed.faster_won), reading
    if report.flip is not None:
        first, rival = (names.get(name, name) for name in (report.flip.first, report.flip.rival))
        yield "First place hangs on", count(report.flip.votes, "vote"), f"without them {rival} is level with {first}"
    yield "Without a vote", f"{report.without_vote:,}", "battles that were left an hour ago or earlier"


report = the_arena().trust_report()
names = labels(the_arena().board().specs.values())
st.title("🛡️ Trust", anchor=False)
left_out = sum(report.left_out.values())
st.markdown(f"**{count(report.votes, 'vote')}** on the board, {count(left_out, 'vote')} left out")
if report.left_out:
    reasons = [f"{n:,} left out ({left_out_reason(reason)})" for reason, n in report.left_out.items()]
    st.caption(plain(" · ".join(reasons)))
for alarm in report.alarms:
    st.warning(plain(f"{names.get(alarm.model, alarm.model)}: {alarm.reason}"), icon="⚠️")
if not report.votes:
    st.info("No vote has been counted yet, so there is little to tell.", icon="🌱")
show_table(pd.DataFrame(facts(report, names), columns=["Measured", "Figure", "Read as"]), {})
if report.effects:
    st.subheader("What it does to the order", anchor=False)
    show_table(effects(report, names), {})
if report.attempts:
    st.subheader("Answers by model", anchor=False)
    st.caption("Battles of the last hour that are still open are not in here: their figures could tell who answers.")
    frame = pd.DataFrame([each._asdict() for each in report.attempts], columns=[*ATTEMPTS])
    show_table(frame.assign(model=frame["model"].map(lambda name: names.get(name, name))), ATTEMPTS)
if report.guards:
    st.subheader("What the guards did", anchor=False)
    show_table(pd.DataFrame(report.guards.items(), columns=["Guard", "Times"]), {})
st.caption("What each figure means, and what no statistics can find, stands in docs/integrity.md.")
footer()
