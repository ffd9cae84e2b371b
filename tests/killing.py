"""A process that is killed in the middle of its work."""

import subprocess
import sys
from collections.abc import Sequence
from os import pathsep
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lines_until_killed(
    script: Path, *arguments: object, after: int, told: str = "", begins: str | None = None
) -> Sequence[Sequence[str]]:
    """The words of every whole line that a Python script wrote before `kill -9` struck it, behind line `after`.

    `told` is its standard input. `begins` is the line that says that it is ready, and is not counted.
    """
    process = subprocess.Popen(
        [sys.executable, script, *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}{pathsep}{ROOT / 'tests'}", "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            process.stdin.write(told.encode())
            process.stdin.close()
            assert begins is None or process.stdout.readline().decode() == f"{begins}\n"
            lines = [line for _, line in zip(range(after), process.stdout, strict=False)]
        finally:
            process.kill()
        lines += process.stdout.readlines()
    assert process.returncode == -9, "it was killed while it worked"
    return [line.decode().split() for line in lines if line.endswith(b"\n")]
