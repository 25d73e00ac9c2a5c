"""Starts the emulator: `python tests/emulator/server.py --port 0`.

Prints one line, `listening on http://127.0.0.1:PORT`, when it accepts connections, and nothing else on stdout.
"""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from emulator.application import Emulator  # noqa: E402
from emulator.http_server import make_server  # noqa: E402

PARENT_CHECK_SECONDS = 0.5


def main() -> None:
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    server = make_server(options.host, options.port, Emulator())
    if options.die_with_parent is not None:
        watch_parent(options.die_with_parent or os.getppid())
    print(f"listening on http://{options.host}:{server.port}", flush=True)
    server.serve_forever()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An AWS API for evenkeel's tests.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default: 0)")
    parser.add_argument(
        "--die-with-parent",
        nargs="?",
        type=int,
        const=0,
        metavar="PID",
        help="exit when the process that started this one (or PID) has ended",
    )
    return parser.parse_args()


def watch_parent(parent: int) -> None:
    """Ends this process within a second of the parent's end.

    The kernel's own parent-death signal is tied to the parent's thread, and a test runner's threads end long before
    it does, so the parent is polled instead.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    main()
