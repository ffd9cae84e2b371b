"""The entry script: `streamlit run pages/app.py`, or behind its web application, `streamlit run pages/asgi.py`."""

import streamlit as st

from arena.roles import Action, may
from people import can_log_in, me
from shell import style

st.set_page_config(page_title="Arena", page_icon="⚔️", layout="wide")
style()
role = me().role
pages = [
    st.Page("battle.py", title="Battle", icon="⚔️", default=True),
    st.Page("standings.py", title="Leaderboard", icon="🏆", url_path="leaderboard"),
    st.Page("predict.py", title="Win probability", icon="🎯", url_path="win-probability"),
    st.Page("trust.py", title="Trust", icon="🛡️", url_path="trust"),
    st.Page("models.py", title="Models", icon="📚", url_path="models"),
    st.Page("account.py", title="Account", icon="👤", visibility="visible" if can_log_in() else "hidden"),
]
if not may(role, Action.READ):
    pages = [st.Page("account.py", title="Log in", icon="👤", default=True)]
# By its address the page is there for everybody; it says how to sign in.
shown = may(role, Action.ADMINISTER)
pages.append(st.Page("admin.py", title="Administration", icon="🛠️", visibility="visible" if shown else "hidden"))
st.navigation(pages, position="top").run()
