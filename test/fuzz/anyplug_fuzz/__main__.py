"""The long run: python -m anyplug_fuzz, in the folder test/fuzz; npm run fuzz."""

import argparse
import sys
import time

from .corpus import keep
from .run import run, seeded


def main() -> int:
    """Runs, prints what is found, keeps it in the corpus; returns 1 if there was something."""
    arguments = argparse.ArgumentParser(prog="npm run fuzz --", description=__doc__)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 10**9, help="default: the time")
    arguments.add_argument("--inputs", type=int, default=300_000)
    arguments.add_argument("--most", type=int, default=20, help="findings after which to stop")
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.inputs} inputs", flush=True)
    began = time.monotonic()

    def progress(done: int) -> None:
        if done % 10_000 == 0:
            print(f"{done} inputs in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    found = 0
    for finding in run(seeded(options.seed, options.inputs), progress):
        found += 1
        print(f"{finding}\n    kept as {keep(finding.message, finding.data)}", flush=True)
        if found >= options.most:
            break
    print(f"{found} findings")
    return 0 if found == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
