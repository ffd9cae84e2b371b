"""The administrator's page: models, limits, votes, voters, rating and record, each a section of its own."""

from collections.abc import Callable, Mapping

import streamlit as st

from admin_acts import show_done, sign_out
from admin_limits import draw_limits
from admin_models import draw_models
from admin_record import draw_rating, draw_record
from admin_voters import draw_voters
from admin_votes import draw_votes
from arena.administration import Administration
from arena.errors import ArenaError
from arena.people import NOT_SET_UP
from arena.roles import Action, Person, may
from people import SIGN_IN, me
from shell import footer, plain, show_notice, the_arena

Draw = Callable[[Administration, Person], None]
SECTIONS: Mapping[str, Draw] = {
    "Models": draw_models,
    "Limits and money": draw_limits,
    "Votes": draw_votes,
    "Voters": draw_voters,
    "Rating": draw_rating,
    "Record": draw_record,
}


def ask_who(person: Person) -> None:
    """What whoever is no administrator sees."""
    if person.why:
        st.warning(plain(person.why), icon="⚠️")
    try:
        has_password = the_arena().people.has_password()
    except ArenaError as error:
        st.warning(plain(str(error)), icon="⚠️")
        return
    if has_password:
        st.markdown("This page is for administrators.")
        st.link_button("Sign in with the password", SIGN_IN, type="primary")
    else:
        st.info(plain(NOT_SET_UP), icon="🔑")


person = me()
st.title("🛠️ Administration", anchor=False)
show_notice()
show_done()
if may(person.role, Action.ADMINISTER):
    with st.container(horizontal=True, vertical_alignment="bottom"):
        section = st.segmented_control("Section", [*SECTIONS], default="Models", key="section", required=True)
        st.button("Sign out everywhere", key="sign-out", on_click=sign_out, type="tertiary")
    try:
        if (warning := the_arena().people.secret_warning()) is not None:
            st.warning(plain(warning), icon="⚠️")
        SECTIONS[section or "Models"](the_arena().administration, person)
    except ArenaError as error:
        st.error(plain(str(error)), icon="🛑")
else:
    ask_who(person)
footer()
