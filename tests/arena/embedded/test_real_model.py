"""The real SmolLM2 through the real runtime; its weights are kept in the user's cache from one run to the next."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from openai import AuthenticationError, OpenAI, Stream
from openai.types.chat import ChatCompletionChunk

from arena.embedded import WEIGHTS, EmbeddedModels, fetch, supported
from arena.errors import EmbeddedError

pytestmark = pytest.mark.embedded

Until = Callable[[Callable[[], object]], None]
Children = Callable[[], list[psutil.Process]]

NAME = "smollm2-135m"
SPEC = WEIGHTS[NAME].spec
ARENA = f"""
import os, psutil, signal
from arena.embedded import EmbeddedModels
models = EmbeddedModels([{NAME!r}])
models.start()
while models.endpoint({NAME!r}) is None:
    pass
print(*(child.pid for child in psutil.Process().children()), flush=True)
signal.pause()
"""


@pytest.fixture(scope="module", autouse=True)
def weights() -> None:
    """Without weights there is nothing to prove: skipped with the reason, but failed where all must be proved."""
    reason = supported()
    try:
        if reason is None:
            fetch(NAME)
    except EmbeddedError as exc:
        reason = str(exc)
    if reason is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture
def models(until: Until) -> Iterator[EmbeddedModels]:
    models = EmbeddedModels([NAME])
    models.start()
    until(lambda: models.endpoint(NAME))
    yield models
    models.close()


def ask(
    models: EmbeddedModels, prompt: str, *, max_tokens: int = 24, ignore_eos: bool = False
) -> Stream[ChatCompletionChunk]:
    return client_of(models).chat.completions.create(
        model=SPEC.upstream_id,
        messages=[{"role": "system", "content": SPEC.system_prompt or ""}, {"role": "user", "content": prompt}],
        temperature=SPEC.temperature,
        top_p=SPEC.top_p,
        extra_body={**SPEC.extra_body, "ignore_eos": ignore_eos},
        max_tokens=max_tokens,
        stream=True,
    )


def client_of(models: EmbeddedModels, *, api_key: str | None = None) -> OpenAI:
    served = models.endpoint(NAME)
    assert served is not None
    return OpenAI(base_url=served.base_url, api_key=api_key or served.api_key)


def test_it_streams_an_answer_in_pieces(models: EmbeddedModels) -> None:
    with ask(models, "Why is the sky blue?") as stream:
        chunks = [chunk for chunk in stream if chunk.choices]

    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert len(pieces) > 5
    assert chunks[-1].choices[0].finish_reason in {"stop", "length"}
    assert {chunk.model for chunk in chunks} == {NAME}


def test_it_writes_two_answers_at_once(models: EmbeddedModels) -> None:
    with ThreadPoolExecutor() as pool, ask(models, "Tell me a story.", max_tokens=3000, ignore_eos=True) as endless:
        next(iter(endless))
        rest_of_the_long_one = pool.submit(lambda: sum(1 for _ in endless))

        with ask(models, "Say hello.") as short:
            pieces = sum(1 for _ in short)

        assert pieces > 0
        assert not rest_of_the_long_one.done()
        models.close()
        assert isinstance(rest_of_the_long_one.exception(30), Exception)


def test_it_answers_nobody_without_the_key(models: EmbeddedModels) -> None:
    with client_of(models, api_key="guess") as client, pytest.raises(AuthenticationError):
        client.models.list()


def test_a_killed_server_comes_back_and_answers_and_closing_leaves_no_process(
    children: Children, models: EmbeddedModels, until: Until
) -> None:
    (child,) = children()
    before = models.endpoint(NAME)

    child.kill()
    until(lambda: models.endpoint(NAME) not in (None, before))
    with ask(models, "Say hello.") as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    models.close()

    assert text
    assert children() == []


def test_when_the_arena_is_killed_its_server_ends(until: Until) -> None:
    with subprocess.Popen([sys.executable, "-c", ARENA], stdout=subprocess.PIPE, text=True) as arena:
        assert arena.stdout is not None
        child = psutil.Process(int(arena.stdout.readline()))

        arena.kill()

    until(lambda: not child.is_running())
