from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from arena.domain import ModelSpec, ModelState
from arena.embedded import (
    DEFAULT_NAMES,
    SECOND_SETTING,
    WEIGHTS,
    Weights,
    default_names,
    default_specs,
    find_weights,
    meets_itself,
)

SMALL, MIDDLE, LARGE = WEIGHTS


def enabled(specs: Collection[ModelSpec]) -> list[str]:
    return [spec.name for spec in specs if spec.state is ModelState.ENABLED]


@pytest.mark.parametrize("ready", [(), (SMALL,)])
def test_as_long_as_no_other_model_is_ready_the_small_one_meets_itself(ready: tuple[str, ...]) -> None:
    specs = default_specs(ready)

    assert enabled(specs) == [
        "smollm2-135m-instruct",
        "qwen2.5-coder-0.5b-instruct",
        "smollm2-135m-instruct-t12",
    ]
    assert "meets itself" in str(meets_itself(ready))


@pytest.mark.parametrize("ready", [(SMALL, MIDDLE), (SMALL, LARGE)])
def test_once_another_model_is_ready_the_second_setting_is_disabled_but_stays(ready: tuple[str, ...]) -> None:
    specs = default_specs(ready)

    assert [spec.name for spec in specs if spec.state is ModelState.DISABLED] == [SECOND_SETTING.name]
    assert meets_itself(ready) is None


def test_a_model_on_request_takes_part_when_it_is_meant_to_or_ready() -> None:
    name = WEIGHTS[LARGE].spec.name

    assert name not in enabled(default_specs((SMALL,)))
    assert name in enabled(default_specs((SMALL,), names=(SMALL, MIDDLE, LARGE)))
    assert name in enabled(default_specs((SMALL, LARGE)))


def test_the_two_settings_of_one_model_are_two_contestants() -> None:
    first = WEIGHTS[SMALL].spec

    assert SECOND_SETTING.base_url == first.base_url
    assert SECOND_SETTING.name != first.name
    assert SECOND_SETTING.fingerprint != first.fingerprint


def test_weights_on_request_are_served_once_they_were_fetched(cache_dir: Path) -> None:
    before = default_names(cache_dir)
    cache_dir.mkdir()
    gguf = cache_dir / f"{LARGE}.gguf"
    gguf.touch()
    found = gguf.stat()
    gguf.with_suffix(".stamp").write_text(f"{WEIGHTS[LARGE].sha256} {found.st_size} {found.st_mtime_ns}\n")

    after = default_names(cache_dir)

    assert before == DEFAULT_NAMES
    assert after == (*DEFAULT_NAMES, LARGE)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_every_row_of_the_table_fits_together(weights: Weights) -> None:
    spec = weights.spec

    assert len(bytes.fromhex(weights.sha256)) == 32
    assert spec.base_url == f"embedded:{weights.name}"
    assert spec.provider == "openai_chat"
    assert (spec.price_in, spec.price_out) == (0.0, 0.0)
    assert spec.system_prompt
    assert spec.max_tokens < (spec.context_tokens or 0)
    assert max(Counter(part.package for part in weights.parts).values()) == 1
    assert find_weights(weights.name) is find_weights(spec.name) is weights
