"""What administrators decided about models: it stands above the settings file, for every process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from arena.domain import ModelSpec, ModelState
from arena.errors import UnknownModel
from arena.store.audit import record
from arena.store.board import bump_board, lock_board
from arena.store.people_schema import ModelSettingRow
from arena.store.schema import ModelRow, table_of

MODEL_SETTING = table_of(ModelSettingRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSetting:
    """What was decided about a model; None leaves it to the settings file."""

    state: ModelState | None = None
    weight: float | None = None

    def applied(self, spec: ModelSpec) -> ModelSpec:
        """The model as it is to be drawn."""
        state = spec.state if self.state is None else self.state
        return replace(spec, state=state, weight=spec.weight if self.weight is None else self.weight)


AS_IN_FILE = ModelSetting()


def model_settings(connection: Connection) -> Mapping[str, ModelSetting]:
    """The decisions by model."""
    rows = connection.execute(select(*MODEL_SETTING.c).order_by(MODEL_SETTING.c.model))
    return {row.model: ModelSetting(state=row.state, weight=row.weight) for row in rows}


def decided(connection: Connection, specs: Sequence[ModelSpec]) -> tuple[ModelSpec, ...]:
    """The models of a catalogue with what was decided about them."""
    settings = model_settings(connection)
    return tuple(settings.get(spec.name, AS_IN_FILE).applied(spec) for spec in specs)


def set_model(connection: Connection, name: str, setting: ModelSetting, *, actor: str, now: datetime) -> None:
    """Decide about a model; `AS_IN_FILE` takes every decision back, and the catalogue tells the state anew."""
    board = lock_board(connection)
    if connection.scalar(select(ModelRow.name).where(ModelRow.name == name)) is None:
        raise UnknownModel(f"There is no model {name!r}: nothing was changed.")
    before = model_settings(connection).get(name, AS_IN_FILE)
    if before == setting:
        return
    connection.execute(delete(MODEL_SETTING).where(MODEL_SETTING.c.model == name))
    if setting != AS_IN_FILE:
        connection.execute(insert(MODEL_SETTING), {"model": name, "state": setting.state, "weight": setting.weight})
    if setting.state is not None:
        retired_at = now if setting.state is ModelState.RETIRED else None
        values = {"state": setting.state, "retired_at": retired_at}
        connection.execute(update(ModelRow).where(ModelRow.name == name).values(values))
    bump_board(connection, board)
    record(
        connection,
        actor=actor,
        action="model set" if setting != AS_IN_FILE else "model as in the file",
        target=name,
        before=_in_json(before),
        after=_in_json(setting),
        now=now,
    )


def _in_json(setting: ModelSetting) -> str:
    return json.dumps({"state": setting.state, "weight": setting.weight})
