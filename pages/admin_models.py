"""Models: which are drawn, how often, which rest, and whether one answers now."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from admin_acts import act, said
from arena.administration import LARGEST_WEIGHT, Administration, ManagedModel
from arena.board import labels
from arena.checkup import Checkup
from arena.domain import ModelState
from arena.numerals import count
from arena.roles import Action, Person
from arena.store import AS_IN_FILE, ModelSetting
from people import acting
from shell import moment, noticed, plain, the_arena
from tables import dollars, show_table

STATES = {ModelState.ENABLED: "🟢 enabled", ModelState.DISABLED: "⚪ disabled", ModelState.RETIRED: "🏁 retired"}
COLUMNS = {
    "model": st.column_config.TextColumn("Model"),
    "name": st.column_config.TextColumn("Name", help="Permanent: votes belong to it"),
    "state": st.column_config.TextColumn("State"),
    "weight": st.column_config.NumberColumn("Weight", help="How often it is drawn, beside the others"),
    "ready": st.column_config.CheckboxColumn("Ready"),
    "decided": st.column_config.TextColumn("Decided here", help="What stands above arena.toml"),
}
TESTED = "admin_tested"
HOW = (
    "What is decided here stands above `arena.toml`, in every process, from the next battle on (elsewhere within two "
    "seconds). Battles that have begun go on. Models are added and described in `arena.toml`, on the machine."
)


def draw_models(administration: Administration, person: Person) -> None:
    """The table, what rests, and one model to decide about."""
    models = administration.models(person)
    names = labels([model.spec for model in models])
    st.markdown(HOW)
    frame = pd.DataFrame([_row(model, names[model.spec.name]) for model in models], columns=[*COLUMNS])
    show_table(frame, COLUMNS)
    for rest in administration.resting(person):
        since, until = moment(rest.since), moment(rest.until)
        after = count(rest.failures, "failure")
        st.warning(
            plain(f"{rest.model} rests since {since} after {after}: {rest.why}. Asked again {until}."), icon="😴"
        )
    for alarm in administration.alarms(person):
        st.warning(plain(f"{alarm.model}, since {moment(alarm.since)}: {alarm.reason}"), icon="🚨")
    if models:
        _decide({model.spec.name: model for model in models}, names)


def _row(model: ManagedModel, label: str) -> dict[str, object]:
    decided = [] if model.decided.state is None else [model.decided.state.value]
    decided += [] if model.decided.weight is None else [f"weight {model.decided.weight:g}"]
    return {
        "model": label,
        "name": model.spec.name,
        "state": STATES[model.spec.state],
        "weight": model.spec.weight,
        "ready": model.is_ready,
        "decided": ", ".join(decided) or None,
    }


def _decide(models: dict[str, ManagedModel], names: Mapping[str, str]) -> None:
    st.subheader("One model", anchor=False)
    name = st.selectbox("Model", [*models], format_func=lambda each: names[each], key="admin-model")
    model = models[name]
    # The keys hold what is stored, so that a change made elsewhere is not undone by what this tab still shows.
    stored = f"{name}-{model.spec.state}-{model.spec.weight}"
    states = [*ModelState]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.radio(
            "State",
            states,
            index=states.index(model.spec.state),
            format_func=STATES.__getitem__,
            horizontal=True,
            key=f"state-{stored}",
        )
        st.number_input(
            "Weight", 0.0, LARGEST_WEIGHT, float(model.spec.weight), step=0.5, key=f"weight-{stored}", width=160
        )
    with st.container(horizontal=True):
        label = names[name]
        st.button("Apply", key="model-apply", type="primary", on_click=_apply, args=(name, label, stored))
        as_file = model.decided == AS_IN_FILE
        st.button("As in arena.toml", key="model-reset", disabled=as_file, on_click=_reset, args=(name, label))
        st.button("Test now", key="model-test", on_click=_test, args=(name,))
    if (tested := st.session_state.get(TESTED)) and tested.model == name:
        _show(tested, label)


def _apply(name: str, label: str, stored: str) -> None:
    setting = ModelSetting(state=said(f"state-{stored}"), weight=said(f"weight-{stored}"))
    done = f"{label} is {setting.state}, with weight {setting.weight:g}, from the next battle on."
    act(done, lambda them, person: them.set_model(person, name, setting))


def _reset(name: str, label: str) -> None:
    done = f"{label} is as arena.toml says, from the next battle on."
    act(done, lambda them, person: them.set_model(person, name, AS_IN_FILE))


def _test(name: str) -> None:
    with noticed():
        st.session_state[TESTED] = the_arena().administration.test_model(acting(Action.ADMINISTER), name)


def _show(checkup: Checkup, label: str) -> None:
    if checkup.problem is not None:
        st.error(plain(checkup.problem), icon="🛑")
        return
    pace = "" if checkup.tokens_per_second is None else f", {checkup.tokens_per_second:.0f} tokens/s"
    cost = "" if checkup.cost_usd is None else f", {dollars(checkup.cost_usd)}"
    st.success(plain(f"{label} answers: first text after {checkup.first_token_ms} ms{pace}{cost}."), icon="✅")
