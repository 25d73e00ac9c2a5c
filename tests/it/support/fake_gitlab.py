"""Stands for GitLab's notes API in tests. Prints its port; writes what is written to it as lines of
the file that it is given, and ends with its parent."""

import json
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

ME, SOMEBODY = 7, 8
MARK = "<!-- evenkeel -->"


def note(number):
    """150 notes: a forged one on the first page, ours on the second."""
    author, body = SOMEBODY, f"note {number}"
    if number == 3:
        body = MARK + "\nforged"
    if number == 5:
        author, body = ME, "ours, of another kind"
    if number == 140:
        author, body = ME, MARK + "\nour plan"
    return {"id": number, "author": {"id": author}, "body": body}


class Handler(BaseHTTPRequestHandler):
    """The three calls that the script makes."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.headers["PRIVATE-TOKEN"] != "token":
            return self.answer(401, {})
        if url.path == "/user":
            return self.answer(200, {"id": ME})
        size, page = int(query["per_page"]), int(query["page"])
        count = {"1": 150, "2": 4, "3": 100}[url.path.split("/")[4]]
        notes = [note(number) for number in range(count)]
        return self.answer(200, notes[size * (page - 1) : size * page])

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = urllib.parse.parse_qs(self.rfile.read(length).decode())["body"][0]
        with open(sys.argv[1], "a", encoding="utf-8") as log:
            log.write(json.dumps([self.command, self.path, body]) + "\n")
        self.answer(200, {})

    do_PUT = do_POST

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
