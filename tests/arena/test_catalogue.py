from collections.abc import Mapping
from pathlib import Path

import pytest

from arena.catalogue import OPENAI_HINT, Roster
from arena.domain import Fault, ModelState
from arena.embedded import supported
from arena.errors import ProviderFault, UnknownModel
from arena.settings import load_settings


def roster(folder: Path, toml: str | None = None, *, environ: Mapping[str, str] | None = None) -> Roster:
    """A roster whose embedded models are never started."""
    surroundings = {"ARENA_DATA_DIR": str(folder), "ARENA_CACHE_DIR": str(folder / "cache"), **(environ or {})}
    if toml is not None:
        (folder / "arena.toml").write_text(toml)
        surroundings["ARENA_CONFIG"] = str(folder / "arena.toml")
    return Roster(load_settings(environ=surroundings), environ=surroundings)


LOCAL = "[[models]]\nname = 'local'\nprovider = 'openai_chat'\nupstream_id = 'm'\nbase_url = 'http://127.0.0.1:9/v1'\n"
KEYED = LOCAL.replace("local", "keyed") + "key_variable = 'THE_KEY'\n"
EMBEDDED = "[[models]]\nname = 'small'\nprovider = 'openai_chat'\nbase_url = 'embedded:smollm2-135m'\n"


@pytest.fixture(autouse=True)
def no_file_nearby(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_file_the_embedded_models_are_the_catalogue_and_none_is_ready_yet(tmp_path: Path) -> None:
    catalogue = roster(tmp_path).catalogue()

    names = [entry.name for entry in catalogue.entries if entry.state is ModelState.ENABLED]
    assert names == ["smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct-t12"]
    assert catalogue.ready_count == 0


@pytest.mark.skipif(supported() is not None, reason=f"{supported()}")
def test_the_page_is_told_that_smollm2_meets_itself_and_what_is_fetched(tmp_path: Path) -> None:
    catalogue = roster(tmp_path).catalogue()

    assert "SmolLM2 meets itself" in catalogue.notices[0]
    assert [download.name for download in catalogue.downloads] == ["smollm2-135m", "qwen2.5-coder-0.5b"]


def test_a_key_for_openai_without_a_file_brings_one_line_on_how_to_add_its_models(tmp_path: Path) -> None:
    with_key = roster(tmp_path, environ={"OPENAI_API_KEY": "sk-test"}).catalogue()
    with_file = roster(tmp_path, LOCAL, environ={"OPENAI_API_KEY": "sk-test"}).catalogue()

    assert OPENAI_HINT in with_key.notices
    assert OPENAI_HINT not in with_file.notices


def test_a_model_of_the_file_listens_where_the_file_says_with_the_key_of_its_variable(tmp_path: Path) -> None:
    known = roster(tmp_path, LOCAL + KEYED, environ={"THE_KEY": "secret"})

    endpoints = [known.endpoint(known.spec(name)) for name in ("local", "keyed")]

    assert [endpoint.base_url for endpoint in endpoints] == ["http://127.0.0.1:9/v1"] * 2
    assert [endpoint.api_key for endpoint in endpoints] == [None, "secret"]


def test_a_missing_key_is_a_fault_of_the_reply_not_of_the_page(tmp_path: Path) -> None:
    known = roster(tmp_path, KEYED)

    with pytest.raises(ProviderFault, match="THE_KEY is not set") as refused:
        known.endpoint(known.spec("keyed"))

    assert refused.value.fault is Fault.REFUSED_KEY


def test_an_embedded_model_that_does_not_run_yet_is_neither_ready_nor_asked(tmp_path: Path) -> None:
    known = roster(tmp_path, LOCAL + EMBEDDED)

    with pytest.raises(ProviderFault, match="not running") as refused:
        known.endpoint(known.spec("small"))

    assert refused.value.fault is Fault.NOT_READY
    assert [spec.name for spec in known.ready()] == ["local"]


def test_a_stranger_is_unknown_in_words_that_name_no_model(tmp_path: Path) -> None:
    known = roster(tmp_path, LOCAL)

    with pytest.raises(UnknownModel) as refused:
        known.spec("secret-model")

    assert "secret-model" not in str(refused.value)


def test_a_model_that_left_the_file_is_still_known_to_the_battles_it_is_in(tmp_path: Path) -> None:
    known = roster(tmp_path, LOCAL + KEYED)

    (tmp_path / "arena.toml").write_text(LOCAL + "# and no other\n")
    changed = known.refresh()

    assert changed
    assert [spec.name for spec in known.specs()] == ["local"]
    assert known.spec("keyed").name == "keyed"


def test_nothing_has_changed_while_the_file_has_not(tmp_path: Path) -> None:
    assert not roster(tmp_path, LOCAL).refresh()


def test_a_file_that_was_removed_keeps_its_models_and_says_so(tmp_path: Path) -> None:
    known = roster(tmp_path, LOCAL)

    (tmp_path / "arena.toml").unlink()
    changed = known.refresh()

    assert not changed
    assert "not read again" in str(known.catalogue().complaint)
    assert known.catalogue().notices == ()
