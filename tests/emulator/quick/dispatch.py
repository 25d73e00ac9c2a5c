"""moto's handlers without Flask around them: the request, the route and the handler; what Flask adds nobody looks at."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from moto.backends import list_of_moto_modules
from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from emulator.answers import Answer
from emulator.signing import services_of


class FromServer(Request):
    """A request as moto has it when it does not stand in front of a client itself."""

    from_wsgi_server = True


class Moto(DomainDispatcherApplication):
    """moto's dispatcher; remembers which backend a host is for, as finding out lists a directory each time."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host is None:
            return None
        if host not in self._known:
            found = host if host in list_of_moto_modules() else None
            for backend, pattern in self.backend_url_patterns:
                found = found or (backend if pattern.match(f"http://{host}") else None)
            label = host.partition(".")[0]
            if found == "s3" and label != "s3" and services_of(label):
                # moto takes every name that begins with s3 for S3.
                found = None
            if found is None:
                raise NotImplementedError(f"moto has no service at {host}")
            self._known[host] = found
        return self._known[host]

    def answer(self, environ: dict[str, Any]) -> Answer:
        try:
            app = self.get_application(environ)
        except ModuleNotFoundError as error:
            raise NotImplementedError(f"moto needs {error.name} for this service, which is not installed") from error
        try:
            endpoint, _ = app.url_map.bind_to_environ(environ).match()
            request = FromServer(environ)
            made = app.view_functions[endpoint].callback(request, request.raw_url, dict(request.headers))
        except HTTPException as error:
            return _finished(error.get_response(environ), environ)
        except ClientError as error:
            made = 400, {}, error.response["Error"]["Message"]
        status, headers, content = made if len(made) == 3 else (200, {}, made)
        if isinstance(content, str):
            content = content.encode()
        if not isinstance(content, bytes) or not isinstance(status, int) or environ["REQUEST_METHOD"] == "HEAD":
            return _finished(_response(status, headers, content), environ)
        told = _headers(headers)
        if not any(name.lower() == "content-type" for name, _ in told):
            told.append(("Content-Type", "text/html; charset=utf-8"))
        return Answer(status, told, content)


def _headers(headers: Any) -> list[tuple[str, str]]:
    pairs: Iterable[tuple[str, Any]] = headers.items() if hasattr(headers, "items") else headers or []
    return [(name, str(value)) for name, value in pairs]


def _response(status: Any, headers: Any, content: Any) -> Response:
    response = Response(response=content, status=status, headers=headers)
    length = {name.lower(): value for name, value in _headers(headers)}.get("content-length")
    if length is not None:
        response.headers["Content-Length"] = length
    return response


def _finished(response: Any, environ: dict[str, Any]) -> Answer:
    chunks, status, headers = response.get_wsgi_response(environ)
    return Answer(int(status.split()[0]), list(headers), b"".join(chunks))
