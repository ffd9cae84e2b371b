"""The program of a child process that draws one chart: the order on standard input, the file on standard output."""

import json
import os
import sys

from leaderboard.chart_files import as_png, as_svg


def draw(order: bytes) -> bytes:
    """The file that is ordered: JSON with a chart's `spec`, its `caption` and the `format`, svg or png."""
    wanted = json.loads(order)
    spec, caption = wanted["spec"], wanted["caption"]
    return as_png(spec, caption=caption) if wanted["format"] == "png" else as_svg(spec, caption=caption).encode()


if __name__ == "__main__":
    os.nice(10)  # whoever waits for an answer of the server comes first
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read()))
