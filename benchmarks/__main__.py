"""Run all benchmarks, or those named: ``python -m benchmarks [decide] [table] [store] [stores] [http] [import]``."""

from __future__ import annotations

import importlib
import platform
import sys

NAMES = ("decide", "table", "store", "stores", "http", "import")


def main() -> None:
    """Print each report with its aims."""
    chosen = sys.argv[1:] or NAMES
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        sys.exit(f"unknown benchmark {unknown[0]!r}; known are: {', '.join(NAMES)}")
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    for name in chosen:
        for report in importlib.import_module(f"benchmarks.bench_{name}").reports():
            print(f"\n{report}", flush=True)


if __name__ == "__main__":
    main()
