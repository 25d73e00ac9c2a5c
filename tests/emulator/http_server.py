"""The HTTP side: werkzeug's threaded server with real keep-alive.

werkzeug closes the connection after each answer. Here the whole request is read first and the whole answer is
written at once, so a connection can be used again, as AWS's own endpoints allow.
"""

import io
import sys
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, DechunkedInput, ThreadedWSGIServer

from emulator.answers import DropConnection, HangConnection

NO_BODY_STATUS = {204, 304}


def make_server(host: str, port: int, app: Any) -> BaseWSGIServer:
    return ThreadedWSGIServer(host, port, app, handler=KeepAliveHandler)


class KeepAliveHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.environ = environ = self.make_environ()
        body = self.read_body()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            answer = self.server.app(environ)
        except DropConnection:
            self.close_connection = True
            return
        except HangConnection:
            self.close_connection = True
            # Returns when the client gives up and closes its side.
            self.connection.recv(1)
            return
        self.send(answer.status, answer.headers, answer.body, environ["REQUEST_METHOD"] == "HEAD")

    def read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return DechunkedInput(self.rfile).read()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else b""

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes, head: bool) -> None:
        self.send_response(status)
        names = set()
        for name, value in headers:
            if name.lower() in ("connection", "transfer-encoding", "date", "server"):
                continue
            if name.lower() == "content-length" and not head:
                continue
            names.add(name.lower())
            self.send_header(name, value)
        if status not in NO_BODY_STATUS and not (head and "content-length" in names):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        # One write for head and body: two would wait for each other's acknowledgement.
        self._headers_buffer.append(b"\r\n")
        if not head and status not in NO_BODY_STATUS:
            self._headers_buffer.append(body)
        self.wfile.write(b"".join(self._headers_buffer))
        self._headers_buffer = []

    def version_string(self) -> str:
        return "evenkeel-emulator"

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            sys.stderr.write(f"emulator: {message % args if args else message}\n")

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Quiet: the call log has what a test wants to know."""
