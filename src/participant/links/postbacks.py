"""A small receiver of a broker's postbacks, on loopback: whoever wants them puts a web server with TLS before it."""

import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Generic, TypeVar

from participant.wire.json import Malformed

BODY_MAX_BYTES = 64 * 1024
POSTBACKS_MAX = 10_000
READ_MAX_S = 5.0
CLOSE_MAX_S = 5.0

T = TypeVar("T")


class Postbacks(Generic[T]):
    """What was posted and proven since it was last taken; `read` raises Malformed for what is not proven."""

    def __init__(self, port: int, read: Callable[[bytes], T]) -> None:
        heard: deque[T] = deque(maxlen=POSTBACKS_MAX)

        class Answers(BaseHTTPRequestHandler):
            timeout = READ_MAX_S

            def do_POST(self) -> None:
                """Take one postback, or say that it is none."""
                length = self.headers.get("content-length", "")
                is_whole = length.isascii() and length.isdecimal() and int(length) <= BODY_MAX_BYTES
                try:
                    heard.append(read(self.rfile.read(int(length)) if is_whole else b""))
                except (Malformed, OSError):
                    self.send_error(403)
                    return
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing of a postback is printed."""

        self._heard = heard
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="postbacks", daemon=True)
        self._thread.start()

    def take(self) -> list[T]:
        """What has come since the last call."""
        return [self._heard.popleft() for _ in range(len(self._heard))]

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(CLOSE_MAX_S)
