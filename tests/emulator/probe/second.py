"""`python -m emulator.probe.second COMMAND…`: puts MiniStack, another emulator, through the probes, and says what differs.

Its command is started on a free port of 127.0.0.1 and stopped at the end.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress

from emulator.probe.__main__ import compare
from emulator.probe.keys import Keys
from emulator.probe.run import lacking, run

START_SECONDS = 30.0


def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        # No containers: databases and functions that want them are not asked for.
        own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "DOCKER_HOST": "unix:///nowhere", "TMPDIR": folder}
        other = subprocess.Popen(sys.argv[1:], env=os.environ | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, other)
            records = run(url, Keys("digits"), at_once=1, wrong=False)
            compare(lacking(records), set(records))
        finally:
            other.terminate()
            other.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/_ministack/health").close()
            return
        time.sleep(0.2)
    raise SystemExit("the other emulator did not start")


if __name__ == "__main__":
    main()
