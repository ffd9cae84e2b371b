"""What is shown while models are on their way: how far each has come, and what is wrong."""

import streamlit as st

from arena.catalogue import Catalogue
from arena.embedded import FetchProgress, FetchState
from safe_markdown import safe_markdown
from shell import the_arena

ENOUGH = 2
MEGABYTE = 1_000_000


@st.fragment(run_every=1.0)
def wait_for_models() -> None:
    """Show the progress until two models are ready; then the page draws itself anew."""
    catalogue = the_arena().catalogue()
    if catalogue.ready_count >= ENOUGH:
        st.rerun()
    draw_progress(catalogue)
    if not catalogue.downloads:
        st.warning("A battle needs two models. Name them in `arena.toml`; the Models page says how.", icon="⚠️")


def is_settled(catalogue: Catalogue) -> bool:
    """Whether there is nothing to tell: all models are here, and nothing is odd about them."""
    return not catalogue.notices and all(download.state is FetchState.READY for download in catalogue.downloads)


@st.fragment(run_every=1.0)
def watch_models(shown: Catalogue) -> None:
    """Show the progress of what is being fetched; the page draws itself anew when the catalogue has changed."""
    catalogue = the_arena().catalogue()
    if (catalogue.entries, catalogue.ready_count) != (shown.entries, shown.ready_count):
        st.rerun()
    draw_progress(catalogue)


def draw_progress(catalogue: Catalogue) -> None:
    """Notices, and a bar for each model that is not there yet."""
    for notice in catalogue.notices:
        st.info(notice, icon="ℹ️")  # noqa: RUF001 - a symbol, not a letter
    for download in catalogue.downloads:
        _draw_download(download)


def _draw_download(download: FetchProgress) -> None:
    share = min(1.0, download.bytes_done / download.bytes_total) if download.bytes_total else 0.0
    size = f"{download.bytes_done / MEGABYTE:.0f} of {download.bytes_total / MEGABYTE:.0f} MB"
    match download.state:
        case FetchState.READY:
            return
        case FetchState.FAILED:
            st.error(safe_markdown(download.error or f"{download.name} could not be fetched."), icon="🛑")
        case FetchState.WAITING:
            st.progress(share, f"⏳ {download.name}: waiting")
        case FetchState.FETCHING:
            st.progress(share, f"⬇️ {download.name}: {size}")
        case FetchState.JOINING:
            st.progress(share, f"🔍 {download.name}: checking what was fetched")
