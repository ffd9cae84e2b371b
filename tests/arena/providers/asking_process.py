"""Asks each address it is given with the default limits; prints a line each: what came of it, and its peak memory."""

import asyncio
import re
import sys
from pathlib import Path

from arena.providers import StreamLimits
from arena.providers.openai_chat import OpenAIChat
from tests.asking import outcome_of


async def main() -> None:
    provider = OpenAIChat()
    for url in sys.argv[1:]:
        outcome = await outcome_of(provider, url, limits=StreamLimits())
        said = outcome.fault.fault.value if outcome.fault else "ok"
        sys.stdout.write(f"{said} {peak_kilobytes()}\n")
    await provider.close()


def peak_kilobytes() -> int:
    # Not `getrusage`, which counts the parent's memory at the moment of the fork.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])


if __name__ == "__main__":
    asyncio.run(main())
