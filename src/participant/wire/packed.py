"""Text out of a file that may be packed with gzip, whole or not at all, and bounded in size."""

import gzip
import io
import zlib

from participant.wire.json import Malformed

GZIP = b"\x1f\x8b"


def text_of(body: bytes, bytes_max: int) -> str:
    """The text (UTF-8) of a file; raises Malformed where it is cut off, damaged, no text, or over `bytes_max` bytes."""
    try:
        if body.startswith(GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                body = packed.read(bytes_max + 1)
        if len(body) > bytes_max:
            raise Malformed(f"over {bytes_max:,} bytes: this cannot be it")
        return body.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as broken:
        raise Malformed(f"cut off or damaged ({broken}): fetch it again") from None
