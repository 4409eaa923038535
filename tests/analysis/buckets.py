"""A bucket on a local port: as much of S3's protocol as reading needs, over the files of a folder."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LIST = (
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>{}'
    "</ListBucketResult>"
)
ENTRY = "<Contents><Key>{}</Key><Size>{}</Size><LastModified>2026-11-26T10:00:00.000Z</LastModified></Contents>"


class Bucket(ThreadingHTTPServer):
    """Serves `folder` as the bucket `desk`."""

    folder: Path


class Objects(BaseHTTPRequestHandler):
    """Lists, heads, and gets whole or by a span of bytes."""

    protocol_version = "HTTP/1.1"
    server: Bucket

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        key, asked = url.path.removeprefix("/desk").lstrip("/"), parse_qs(url.query)
        file = self.server.folder / key
        if "list-type" in asked:
            self._say(200, self._listed(asked.get("prefix", [""])[0]))
        elif key and file.is_file():
            self._object(file.read_bytes())
        else:
            self._say(404 if key else 200, b"")

    def _listed(self, begins: str) -> bytes:
        files = sorted(f for f in self.server.folder.rglob("*") if f.is_file())
        keys = {str(f.relative_to(self.server.folder)): f.stat().st_size for f in files}
        return LIST.format("".join(ENTRY.format(*one) for one in keys.items() if one[0].startswith(begins))).encode()

    def _object(self, body: bytes) -> None:
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if span is None:
            self._say(200, body)
            return
        first, last = int(span[1]), min(int(span[2]), len(body) - 1)
        self._say(206, body[first : last + 1], ("Content-Range", f"bytes {first}-{last}/{len(body)}"))

    def _say(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), ("Content-Type", "application/xml"), *headers):
            self.send_header(name, value)
        self.send_header("Last-Modified", "Thu, 26 Nov 2026 10:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Nothing."""


@contextmanager
def bucket(folder: Path) -> Iterator[str]:
    """The address of `decisions` in the bucket that serves the folder while this lasts."""
    server = Bucket(("127.0.0.1", 0), Objects)
    server.folder = folder
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        where = f"endpoint_override=127.0.0.1%3A{server.server_port}&scheme=http&region=local"
        yield f"s3://key:secret@desk/decisions?{where}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
