import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.domain import ModelSpec, ModelState
from arena.errors import ImportRefused
from arena.exchange import import_api_endpoints
from arena.exchange.api_endpoints import LARGEST_BYTES
from arena.settings import load_settings

LITERAL = "sk-proj-4f9aZ2LITERALkey"

Write = Callable[[object], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: object) -> Path:
        file = tmp_path / "api_endpoints.json"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return file

    return write_file


def imported(file: Path) -> tuple[ModelSpec, ...]:
    toml = file.with_name("arena.toml")
    toml.write_text(import_api_endpoints(file), encoding="utf-8")
    return load_settings(config=toml, environ={}).specs()


def endpoint(**fields: object) -> dict[str, object]:
    return {"model_name": "gpt-4o-2024-08-06", "api_type": "openai", "api_base": None, "api_key": None, **fields}


def test_a_fastchat_endpoint_becomes_a_model(write: Write) -> None:
    config = {"temperature": 0.7, "top_p": 1.0, "max_new_tokens": 256, "extra_body": {"a": [1, {"b": True}], "c": "d"}}
    file = write(
        {
            "GPT 4o (mini)": endpoint(
                api_base="https://api.openai.com/v1", recommended_config=config, multimodal=True, anony_only=False
            )
        }
    )

    (spec,) = imported(file)

    assert spec.name == "GPT-4o-mini"
    assert spec.display_name == "GPT 4o (mini)"
    assert spec.upstream_id == "gpt-4o-2024-08-06"
    assert spec.base_url == "https://api.openai.com/v1"
    assert spec.key_variable == "OPENAI_API_KEY"
    assert (spec.temperature, spec.top_p, spec.max_tokens) == (0.7, 1.0, 256)
    assert spec.extra_body == config["extra_body"]
    assert spec.vision
    assert spec.state is ModelState.ENABLED


def test_an_endpoint_outside_the_text_arena_comes_disabled(write: Write) -> None:
    (spec,) = imported(write({"m": endpoint(**{"text-arena": False, "vision-arena": True})}))

    assert spec.state is ModelState.DISABLED
    assert spec.vision


def test_no_key_comes_along_and_each_distinct_one_gets_a_variable(write: Write) -> None:
    local = "http://10.0.0.7:8000/v1"
    file = write(
        {
            "a": endpoint(api_key=LITERAL),
            "b": endpoint(api_key=LITERAL),
            "c": endpoint(api_key=LITERAL + "2"),
            "d": endpoint(api_base="https://api.together.xyz/v1", api_key=LITERAL + "3"),
            "e": endpoint(api_base=local, api_key=LITERAL + "4"),
            "f": endpoint(api_base=local, api_key="EMPTY"),
        }
    )

    variables = [spec.key_variable for spec in imported(file)]

    assert variables == [
        "OPENAI_API_KEY",
        "OPENAI_API_KEY",
        "OPENAI_API_KEY_2",
        "API_TOGETHER_XYZ_API_KEY",
        "HOST_10_0_0_7_API_KEY",
        None,
    ]
    assert LITERAL not in import_api_endpoints(file)
    assert "#   API_TOGETHER_XYZ_API_KEY" in import_api_endpoints(file)


def test_what_has_no_counterpart_is_named_in_a_comment(write: Write) -> None:
    file = write({"m": endpoint(custom_system_prompt=True, auth_end_point="https://x", top_k=3)})

    text = import_api_endpoints(file)

    assert '# Without a counterpart here: "auth_end_point", "top_k".' in text
    assert "# FastChat gave it a system prompt of its own" in text


def test_an_endpoint_of_another_kind_comes_commented_out_with_the_remedy(write: Write) -> None:
    file = write({"claude": endpoint(api_type="anthropic"), "m": endpoint()})

    text = import_api_endpoints(file)

    assert [spec.name for spec in imported(file)] == ["m"]
    assert '# api_type "anthropic": give it the address of an OpenAI-compatible gateway.' in text
    assert '# name = "claude"' in text
    assert '# base_url = "https://gateway.example.com/v1"' in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON: .*line 1"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "holds no endpoints"),
        (b"{}", "holds no endpoints"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"m": {"model_name": "u", "model_name": "v"}}', "'model_name' stands twice"),
        (b'{"m": {"model_name": "u", "api_type": "openai", "x": NaN}}', "NaN is no number"),
        (b'{"m": {"model_name": "u", "api_type": "openai", "x": 1e999}}', "1e999 is too large"),
        (b" " * (LARGEST_BYTES + 1), "more than 5,000,000 bytes"),
        ({"m": 3}, "Endpoint 'm': "),
        ({"m": {"model_name": "u"}}, "Endpoint 'm': api_type: Field required"),
        ({"m": endpoint(model_name=3)}, "Endpoint 'm': model_name: "),
        ({"m": endpoint(api_base="file:///etc/passwd")}, "Endpoint 'm': base_url: must be an address"),
        ({"m": endpoint(api_base="http://[::1")}, "Endpoint 'm': api_base is no address"),
        ({"m": endpoint(recommended_config={"temperature": 9})}, "Endpoint 'm': temperature: "),
        ({"m": endpoint(recommended_config={"extra_body": {"a": None}})}, "holds a null"),
        ({"m": endpoint(recommended_config={"extra_body": {"api_key": "x"}})}, "extra_body: holds a key"),
        ({"a b": endpoint(), "a  b": endpoint()}, "share the name or alias 'a-b'"),
        ({"***": endpoint()}, "'\\*\\*\\*': name: "),
        ({"m\n[[models]]": endpoint()}, "display_name: must be one line"),
        ({"m": endpoint(model_name="\ud800")}, "upstream_id: .*unicode"),
        ({"m": endpoint(recommended_config={"extra_body": {"\ud800": 1}})}, "half a character"),
    ],
)
def test_a_wrong_file_is_refused_with_the_entry_and_the_reason(write: Write, content: object, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        import_api_endpoints(write(content))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"none\.json cannot be read: No such file"):
        import_api_endpoints(tmp_path / "none.json")


def test_a_refusal_repeats_no_key(write: Write) -> None:
    with pytest.raises(ImportRefused) as caught:
        import_api_endpoints(write({"m": endpoint(api_base=f"https://me:{LITERAL}@x/v1", api_key=LITERAL)}))

    assert LITERAL not in str(caught.value)
    assert caught.value.__cause__ is None


JSON_VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra_body=st.dictionaries(st.text(), JSON_VALUES, max_size=3), upstream_id=st.text(max_size=20))
def test_every_value_of_a_file_survives_the_way_into_toml(
    write: Write, extra_body: dict[str, Any], upstream_id: str
) -> None:
    file = write({"m": endpoint(model_name=upstream_id, recommended_config={"extra_body": extra_body})})

    try:
        text = import_api_endpoints(file)
    except ImportRefused as refusal:
        assert re.search("lone surrogate|unicode|holds a key|upstream_id is missing", str(refusal))  # noqa: PT017 - either way is right
        return

    (model,) = tomllib.loads(text)["models"]
    assert model.get("extra_body", {}) == extra_body
    assert model["upstream_id"] == upstream_id
