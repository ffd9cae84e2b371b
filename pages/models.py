"""The catalogue: which models fight, what is known about them, and how to add more."""

import pandas as pd
import streamlit as st

from arena.board import Board, labels
from arena.catalogue import Catalogue
from arena.domain import ModelSpec, ModelState
from arena.numerals import count
from shell import footer, plain, the_arena
from tables import price, show_table
from waiting import watch_models

STATES = {ModelState.ENABLED: "🟢 enabled", ModelState.DISABLED: "⚪ disabled", ModelState.RETIRED: "🏁 retired"}
COLUMNS = {
    "model": st.column_config.TextColumn("Model"),
    "state": st.column_config.TextColumn("State"),
    "organisation": st.column_config.TextColumn("Organisation"),
    "parameters": st.column_config.TextColumn("Parameters"),
    "context": st.column_config.NumberColumn("Context", format="localized", help="Tokens of conversation it can hold"),
    "cutoff": st.column_config.TextColumn("Knowledge cut-off"),
    "price": st.column_config.TextColumn("Price", help="USD per million tokens, input / output"),
    "licence": st.column_config.TextColumn("Licence"),
    "link": st.column_config.LinkColumn("Page", display_text="open ↗", width=75),
}
HOW_TO_ADD = """\
Models are named in `arena.toml`, on the machine that runs the arena; the file is read again when it changes.

```toml
[[models]]
name = "my-model"                        # permanent: votes belong to it
display_name = "My Model"
base_url = "http://127.0.0.1:8000/v1"    # any OpenAI-compatible address
upstream_id = "my-model-7b-instruct"
key_variable = "MY_API_KEY"              # the variable that holds the key, never the key
```

`arena.example.toml` shows every setting, for OpenAI, vLLM, Ollama, llama.cpp and other gateways; `arena models check`
asks each model one short question and says what is wrong."""


def row(spec: ModelSpec, label: str) -> dict[str, object]:
    """One line of the table."""
    return {
        "model": label,
        "state": STATES[spec.state],
        "organisation": spec.organisation,
        "parameters": spec.parameters,
        "context": spec.context_tokens,
        "cutoff": spec.knowledge_cutoff,
        "price": price(spec),
        "licence": spec.licence,
        "link": spec.link,
    }


def every_model(catalogue: Catalogue, board: Board) -> list[ModelSpec]:
    """The catalogue's models, then those that have left it and keep their votes."""
    listed = {spec.name for spec in catalogue.entries}
    return [*catalogue.entries, *(spec for spec in board.specs.values() if spec.name not in listed)]


catalogue = the_arena().catalogue()
models = every_model(catalogue, the_arena().board())
names = labels(models)
st.title("📚 Models", anchor=False)
st.markdown(f"**{count(len(catalogue.entries), 'model')}**, {catalogue.ready_count} of them ready to fight")
if catalogue.complaint:
    st.error(plain(catalogue.complaint), icon="🛑")
watch_models(catalogue)
frame = pd.DataFrame([row(spec, names[spec.name]) for spec in models], columns=[*COLUMNS])
show_table(frame, COLUMNS)
st.subheader("Add your own", anchor=False)
st.markdown(HOW_TO_ADD)
footer()
