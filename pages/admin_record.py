"""The rating's K, the audit log with its chain, and what to take home."""

import pandas as pd
import streamlit as st

from admin_acts import act, ask_reason, said
from arena.administration import LARGEST_K, Administration
from arena.exchange import FORMATS, format_named
from arena.numerals import count, verb
from arena.roles import Action, Person
from arena.store import AuditEntry
from arena.transfer import ExportedFile
from people import acting
from shell import noticed, plain, the_arena
from tables import show_table

PER_PAGE = 25
BEFORE, CHECKED, MADE = "audit_before", "admin_checked", "admin_export"
USUAL = "clean_battle"
ENTRIES = {
    "seq": st.column_config.NumberColumn("Entry"),
    "at": st.column_config.DatetimeColumn("At (UTC)", format="YYYY-MM-DD HH:mm:ss"),
    "actor": st.column_config.TextColumn("Who"),
    "action": st.column_config.TextColumn("What"),
    "target": st.column_config.TextColumn("To what"),
    "before": st.column_config.TextColumn("Before"),
    "after": st.column_config.TextColumn("After"),
    "reason": st.column_config.TextColumn("Why", width="medium"),
}
ABOUT_K = (
    "K says how many points one vote can move (at most K). Another K folds **every** vote again from the start: the "
    "order of the models may change for everybody at once, and others' votes wait a moment, about a second for "
    "100,000 votes. What voters were shown when they voted stays as it was."
)
EXPORT = """\
On the machine that runs the arena:

```
arena backup arena.zip                          # everything, while the arena runs
arena export votes.json --format clean_battle   # the votes, for other tools
arena export board.zip --bundle                 # a board that anybody can recompute
arena verify                                    # recompute every rating from the votes
```
"""


def draw_rating(administration: Administration, person: Person) -> None:
    """K, and another one after a second thought."""
    elo = administration.elo(person)
    with st.container(horizontal=True):
        st.metric("K", f"{elo.k:g}", border=True)
        st.metric("Start", f"{elo.start:g}", border=True)
        st.metric("Scale", f"{elo.scale:g}", border=True)
    st.markdown(ABOUT_K)
    k = st.number_input("New K", 0.5, LARGEST_K, float(elo.k), step=1.0, key=f"k-{elo.k}", width=160)
    ask_reason("k-reason")
    sure = st.checkbox("Fold every vote again", key="k-sure")
    st.button(
        "Change K",
        key="k-change",
        type="primary",
        disabled=not sure or k == elo.k,
        on_click=_change,
        args=(f"k-{elo.k}",),
    )


def draw_record(administration: Administration, person: Person) -> None:
    """The audit log, its chain, and the commands that take data out."""
    page = administration.audit(person, before=st.session_state.get(BEFORE), limit=PER_PAGE)
    st.markdown(f"Entries in the audit log: **{page.head.seq:,}**. Head of its chain:")
    st.code(f"{page.head.seq} {page.head.digest or '(empty)'}", language=None, wrap_lines=True)
    st.caption(
        "Each entry is chained to the one before. A head that is kept elsewhere tells whether the end was cut off."
    )
    with st.container(horizontal=True):
        st.button("Check the chain", key="audit-check", on_click=_check_audit)
        st.button("Recompute the board", key="board-verify", on_click=_verify)
    if checked := st.session_state.pop(CHECKED, None):
        st.success(plain(checked), icon="✅")
    if page.entries:
        _show_entries(page.entries, newest=page.head.seq)
    st.subheader("Take home", anchor=False)
    _draw_export()
    st.markdown(EXPORT)


def _draw_export() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [USUAL, *(name for name in FORMATS if name != USUAL)]
        chosen = st.selectbox("The votes that count, as", names, key="export-format", format_func=_title, width=320)
        if st.button("Make the file", key="export-make"):
            with st.spinner("Writing the votes …"):
                person = acting(Action.ADMINISTER)
                st.session_state[MADE] = the_arena().administration.export_votes(person, format_name=chosen)
        made: ExportedFile | None = st.session_state.get(MADE)
        if made is None or made.format_name != chosen:
            st.session_state.pop(MADE, None)
            return
        st.download_button(f"⬇️ {made.name}", made.content, made.name, key="export-take", on_click="ignore")
    st.caption(plain(f"{count(made.votes, 'vote')}, voters under numbers. Lost on the way: {made.loses}."))


def _title(format_name: str) -> str:
    return format_named(format_name).title


def _show_entries(entries: tuple[AuditEntry, ...], *, newest: int) -> None:
    rows = [{key: getattr(entry, key) for key in ENTRIES} for entry in entries]
    show_table(pd.DataFrame(rows, columns=[*ENTRIES]), ENTRIES)
    with st.container(horizontal=True):
        st.button("Newest", key="audit-newest", disabled=entries[0].seq == newest, on_click=_go, args=(None,))
        st.button("Older", key="audit-older", disabled=entries[-1].seq == 1, on_click=_go, args=(entries[-1].seq,))


def _go(before: int | None) -> None:
    st.session_state[BEFORE] = before


def _change(key: str) -> None:
    k, reason = said(key), said("k-reason")
    act(f"K is {k:g}, and every vote was folded again.", lambda them, person: them.change_k(person, k, reason=reason))


def _check_audit() -> None:
    with noticed():
        head = the_arena().administration.check_audit(acting(Action.ADMINISTER))
        st.session_state[CHECKED] = (
            f"The chain is whole: {count(head.seq, 'entry', 'entries')}, head {head.digest[:16] or '(empty)'}."
        )


def _verify() -> None:
    with noticed():
        report = the_arena().administration.verify(acting(Action.ADMINISTER))
        votes = f"{count(report.votes, 'vote')} {verb(report.votes, 'gives', 'give')}"
        st.session_state[CHECKED] = f"The board is sound: {votes} exactly the stored ratings."
