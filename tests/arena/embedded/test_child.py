import io
import json
import os
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from arena.embedded.child import KEY_VARIABLE, parse, serve
from arena.embedded.process import child_command

# A runtime that prints, as the real one may, and listens nowhere.
NOISY_RUNTIME = """
from types import SimpleNamespace
print("a banner")
def CommonParams():
    return SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())
class Server:
    listening_address = "http://127.0.0.1:4711"
    def __init__(self, parameters):
        print("serving", parameters.model.path, parameters.api_keys)
"""


class RecordingRuntime(ModuleType):
    """The runtime as far as the child knows it; keeps the parameters it was started with."""

    def __init__(self) -> None:
        super().__init__("recording")
        self.started_with: Any = None

    def CommonParams(self) -> SimpleNamespace:  # noqa: N802 - the runtime's name
        return SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())

    def Server(self, parameters: SimpleNamespace) -> SimpleNamespace:  # noqa: N802 - the runtime's name
        self.started_with = parameters
        return SimpleNamespace(listening_address="http://127.0.0.1:4711")


def test_the_server_listens_on_loopback_only_with_a_key_and_keeps_no_prompts() -> None:
    runtime, ready = RecordingRuntime(), io.StringIO()
    words = ["/x.gguf", "--alias", "tiny", "--threads", "3", "--slots", "2", "--context-tokens", "4096"]

    serve(parse(words), api_key="key", runtime=runtime, ready=ready, hold=io.BytesIO())

    told = runtime.started_with
    assert json.loads(ready.getvalue()) == {"port": 4711}
    assert (told.hostnames, told.port, told.api_keys) == (["127.0.0.1"], 0, ["key"])
    assert (told.model.path, told.model_alias) == ("/x.gguf", {"tiny"})
    assert (told.n_parallel, told.n_ctx) == (2, 8192)
    assert (told.cpuparams.n_threads, told.cpuparams_batch.n_threads) == (3, 3)
    assert (told.cache_ram_mib, told.endpoint_slots, told.ui) == (0, False, False)


def test_the_program_prints_its_port_and_nothing_else_and_ends_with_its_input(tmp_path: Path) -> None:
    (tmp_path / "xllamacpp.py").write_text(NOISY_RUNTIME)
    command = child_command(Path("/x.gguf"), alias="tiny", threads=1, slots=1, context_tokens=64)

    done = subprocess.run(
        command,
        env=os.environ | {KEY_VARIABLE: "key", "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout == '{"port": 4711}\n'
    assert done.stderr == "a banner\nserving /x.gguf ['key']\n"
