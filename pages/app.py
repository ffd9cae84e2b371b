"""The entry script: `streamlit run pages/app.py`, or behind its web application, `streamlit run pages/asgi.py`."""

import streamlit as st

from shell import style

st.set_page_config(page_title="Arena", page_icon="⚔️", layout="wide")
style()
st.navigation(
    [
        st.Page("battle.py", title="Battle", icon="⚔️", default=True),
        st.Page("standings.py", title="Leaderboard", icon="🏆", url_path="leaderboard"),
        st.Page("predict.py", title="Win probability", icon="🎯", url_path="win-probability"),
        st.Page("trust.py", title="Trust", icon="🛡️", url_path="trust"),
        st.Page("models.py", title="Models", icon="📚", url_path="models"),
    ],
    position="top",
).run()
