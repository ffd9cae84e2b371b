"""Logging in and out, and what one may do here."""

import streamlit as st

from arena.roles import LoginFor, Role
from people import can_log_in, login_claims, me
from shell import footer, plain, settings, show_notice, the_arena

MAY = {
    Role.OUTSIDER: "You may not look at this arena: ask its administrator for a role.",
    Role.VIEWER: "You may look at everything; asking and voting need another role.",
    Role.VOTER: "You may ask, vote and look at everything.",
    Role.ADMINISTRATOR: "You may do everything, and administer the arena.",
}
NEEDED = {
    LoginFor.NOTHING: "A login is not needed. With one your battles follow you to other browsers.",
    LoginFor.VOTING: "Looking needs no login; asking and voting do.",
    LoginFor.READING: "This arena wants to know who is there: log in to see it.",
}
WHAT_IS_STORED = (
    "Stored of a login: a number made from your provider's number for you, which nobody can turn back. "
    "No name, no e-mail address."
)


def log_out() -> None:
    """End this login everywhere."""
    the_arena().people.sign_out(me())
    st.logout()


person = me()
st.title("👤 Account", anchor=False)
show_notice()
if person.why:
    st.warning(plain(person.why), icon="⚠️")
if login_claims() is not None and person.is_known:
    st.markdown(f"You are logged in. Your role: **{person.role}**. {MAY[person.role]}")
    st.button("Log out everywhere", key="log-out", on_click=log_out)
elif can_log_in():
    st.markdown(NEEDED[settings().login.required_for])
    st.button("Log in", key="log-in", type="primary", on_click=st.login)
else:
    st.markdown("This arena has no login: whoever opens it may ask and vote.")
st.caption(WHAT_IS_STORED)
footer()
