import subprocess
import sys
from pathlib import Path

import leaderboard


def test_the_door_lists_what_it_opens() -> None:
    missing = [name for name in leaderboard.__all__ if not hasattr(leaderboard, name)]

    assert missing == []
    assert sorted(leaderboard.__all__) == sorted(set(leaderboard.__all__))


def test_everything_public_at_the_door_is_listed() -> None:
    modules = {path.stem for path in Path(leaderboard.__file__).parent.glob("*")} - {"standings", "style_effects"}
    public = {name for name in vars(leaderboard) if not name.startswith("_")} - modules

    assert public == set(leaderboard.__all__)


def test_the_door_does_not_wait_for_pandas_and_altair() -> None:
    heavy = "import leaderboard, sys; print(sorted({'pandas', 'altair'} & set(sys.modules)))"

    seen = subprocess.run([sys.executable, "-c", heavy], check=True, capture_output=True, text=True)

    assert seen.stdout.strip() == "[]"
