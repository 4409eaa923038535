"""Local servers that speak the APIs of the channels: Slack, Twilio, ntfy, Telegram, a webhook, SMTP."""

import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "slack": (200, b"ok"),
    "twilio": (201, b'{"sid":"SM1","status":"queued"}'),
    "ntfy": (200, b'{"id":"x","event":"message"}'),
    "telegram": (200, b'{"ok":true,"result":{"message_id":1}}'),
    "json": (200, b""),
}


class Service(ThreadingHTTPServer):
    """Answers as the service does, or with `status`; `is_silent` takes the request and says nothing."""

    daemon_threads = True

    def __init__(self, good: tuple[int, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.good = good
        self.status = 0
        self.is_silent = False
        self.over = threading.Event()
        self.got: list[tuple[str, str]] = []


class _Answers(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.headers.get("content-type", "").startswith("application/x-www-form"):
            body = str({k: v[0] for k, v in urllib.parse.parse_qs(body).items()})
        self.server.got.append((self.path, body))
        if self.server.is_silent:
            self.server.over.wait(10.0)
            return
        status, answer = (self.server.status, b"{}") if self.server.status else self.server.good
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Mail(socketserver.ThreadingTCPServer):
    """An SMTP server that takes one mail a connection, or answers with `status`, or says nothing."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, _: object = None) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.status = 0
        self.is_silent = False
        self.over = threading.Event()
        self.got: list[tuple[str, str]] = []


class _Smtp(socketserver.StreamRequestHandler):
    server: Mail

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        if self.server.is_silent:
            self.server.over.wait(10.0)
            return
        self.say("220 here")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"MAIL" and self.server.status:
                self.say(f"{self.server.status} not now")
            elif word == b"DATA":
                self.say("354 go on")
                self.server.got.append(("mail", self.mail()))
                self.say("250 taken")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 well")

    def mail(self) -> str:
        lines = []
        for line in self.rfile:
            if line.strip() == b".":
                break
            lines.append(line.decode())
        return "".join(lines)


@contextmanager
def served(made: Any) -> Iterator[Any]:
    """The server, running on loopback."""
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        made.shutdown()
        made.server_close()
        thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
