"""Runs scripts with boto3 for the tests: a line of JSON in, a line of JSON out.

Importing boto3 and reading AWS's models takes most of a short script's time. It is done once here; each script
then has a process of its own, which begins as this one is, so that none sees what another has left behind.
"""

import io
import json
import os
import re
import socket
import sys
import traceback
from contextlib import redirect_stdout

import boto3
import botocore.loaders

_resolve = socket.getaddrinfo
_models = {}
_load = botocore.loaders.JSONFileLoader.load_file


def _load_once(loader, path):
    if path not in _models:
        _models[path] = _load(loader, path)
    return _models[path]


def without_host_prefix(host, *more, **named):
    """S3 Control puts the account in front of the host, and no name resolver knows the result."""
    return _resolve(re.sub(r"^[0-9]{12}[.]", "", host), *more, **named)


def run(order):
    """What a script printed, or how it ended instead; and the models that it read."""
    known = set(_models)
    os.environ.update(order["env"])
    printed = io.StringIO()
    answer = {}
    try:
        with redirect_stdout(printed):
            exec(order["script"], {"boto3": boto3, "json": json})
        answer["printed"] = printed.getvalue()
    except BaseException:
        answer["error"] = traceback.format_exc()
    return answer, [path for path in _models if path not in known]


def apart(order):
    """The same in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            json.dump(run(order), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        answer = told.read()
    os.waitpid(child, 0)
    if not answer:
        return {"error": "the script's process ended without an answer"}
    answer, models = json.loads(answer)
    for path in models:
        _load_once(botocore.loaders.JSONFileLoader(), path)
    return answer


def main():
    botocore.loaders.JSONFileLoader.load_file = _load_once
    socket.getaddrinfo = without_host_prefix
    for line in sys.stdin:
        print(json.dumps(apart(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
