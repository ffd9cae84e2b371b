"""The program of one child process: serves one GGUF file on loopback until its standard input ends.

Run by its path, so that it loads nothing of the arena. It reads the key from the environment (arguments are visible to
every user of the machine), prints one line of JSON, `{"port": 12345}`, when it answers, and nothing else.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import IO
from urllib.parse import urlsplit

KEY_VARIABLE = "ARENA_EMBEDDED_KEY"
RUNTIME = "xllamacpp"
_ERRORS_ONLY = 1


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of the program, as `serve` wants them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("gguf")
    parser.add_argument("--alias", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--context-tokens", type=int, required=True)
    return parser.parse_args(words)


def serve(arguments: argparse.Namespace, *, api_key: str, runtime: ModuleType, ready: IO[str], hold: IO[bytes]) -> None:
    """Start the server of `runtime`, tell its port on `ready`, and end when `hold` does."""
    server = runtime.Server(_parameters(arguments, api_key, runtime))
    print(json.dumps({"port": urlsplit(server.listening_address).port}), file=ready, flush=True)
    hold.read()
    del server  # the last reference: it stops listening


def _parameters(arguments: argparse.Namespace, api_key: str, runtime: ModuleType) -> object:
    parameters = runtime.CommonParams()
    parameters.model.path = arguments.gguf
    parameters.model_alias = {arguments.alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [api_key]
    parameters.n_parallel = arguments.slots
    parameters.n_ctx = arguments.context_tokens * arguments.slots  # it divides the window among the slots
    parameters.cpuparams.n_threads = arguments.threads
    parameters.cpuparams_batch.n_threads = arguments.threads
    parameters.cache_ram_mib = 0  # by default up to 8 GB of old prompts are kept
    parameters.ui = False
    parameters.endpoint_slots = False  # it would show the prompts
    parameters.verbosity = _ERRORS_ONLY  # the log must not grow with every prompt
    return parameters


def main() -> None:
    """Keep the standard output for the ready line alone: what the runtime prints goes to the log with its errors."""
    ready = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    serve(
        parse(sys.argv[1:]),
        api_key=os.environ.pop(KEY_VARIABLE),
        runtime=importlib.import_module(RUNTIME),
        ready=ready,
        hold=sys.stdin.buffer,
    )


if __name__ == "__main__":
    main()
