import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_linear_algebra_runs_on_one_thread() -> None:
    code = (
        "import arena.__main__, numpy, psutil\nnumpy.linalg.inv(numpy.eye(500))\nprint(psutil.Process().num_threads())"
    )

    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "1\n"
