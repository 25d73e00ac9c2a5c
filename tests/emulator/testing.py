"""For the emulator's own tests: one server for all of them, and boto3 clients for an account that nobody else uses."""

import atexit
import functools
import itertools
import json
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_accounts = itertools.count(600000000000)


@functools.cache
def endpoint() -> str:
    """The address of the one server; started at the first call, ended with this process."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "server.py"), "--port", "0", "--die-with-parent"],
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.terminate)
    return process.stdout.readline().strip().removeprefix("listening on ")


@functools.cache
def client(service: str, account: str, region: str = "us-east-1", **more: Any) -> Any:
    """A client with a key of the account, made once; `more` goes to botocore's Config."""
    config = Config(
        retries={"total_max_attempts": 1},
        parameter_validation=False,
        s3={"addressing_style": "path"},
        **more,
    )
    made = boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint(),
        aws_access_key_id=f"AKIA{account}TEST",
        aws_secret_access_key="secret",
        config=config,
    )
    made.meta.events.register("before-send", resolve)
    return made


def resolve(request: Any, **_: Any) -> None:
    """Sends `111122223333.127.0.0.1` to 127.0.0.1 and leaves the name in the Host header, as evenkeel does."""
    parts = urlsplit(request.url)
    if parts.hostname != "127.0.0.1":
        request.headers["Host"] = parts.netloc
        request.url = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()


def control(method: str, path: str, body: Any = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(endpoint() + "/_evenkeel/" + path, data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class AccountTest(unittest.TestCase):
    """Each test has its own, empty account."""

    maxDiff = None

    def setUp(self) -> None:
        self.account = str(next(_accounts))

    def client(self, service: str, region: str = "us-east-1", **more: Any) -> Any:
        return client(service, self.account, region, **more)

    def calls(self) -> list[str]:
        """What was called in this account, such as `iam:GetRole`, in order."""
        return [f"{c['service']}:{c['operation']}" for c in control("GET", f"calls?account={self.account}")]

    def fails(self, code: str, call: Any, **arguments: Any) -> ClientError:
        """The call fails with this error code."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, str(caught.exception))
        return caught.exception
