"""Notices as text for the person at the terminal."""

from typing import TextIO

from participant.core.notices import Delivery, Notice


class ConsoleNotifier:
    """Writes one block a notice to `stream`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._deliveries: list[Delivery] = []

    def send(self, notice: Notice) -> None:
        """Write it at once."""
        self._deliveries.append(Delivery(notice.notice_id, self._write(notice)))

    def _write(self, notice: Notice) -> str:
        try:
            # A terminal without a rupee sign shows a question mark; the ticket matters more.
            letters = getattr(self._stream, "encoding", None) or "utf-8"
            self._stream.write(_block(notice).encode(letters, "replace").decode(letters))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return f"the console does not take it: {error}"
        return ""

    def delivered(self) -> list[Delivery]:
        """What was written, or why not, since the last call."""
        ended, self._deliveries = self._deliveries, []
        return ended

    def close(self) -> None:
        """The stream is not ours to close."""


def _block(notice: Notice) -> str:
    lines = ["", notice.title, *(f"    {line}" for line in notice.body.splitlines())]
    return "".join(f"{_plain(line)}\n" for line in lines)


def _plain(line: str) -> str:
    """A broker's words may hold control codes; none may reach the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
