"""Tickets as text for the person at the terminal, in Indian time."""

import datetime
from typing import TextIO

from participant.core.messages import Ticket

KOLKATA = datetime.timezone(datetime.timedelta(hours=5, minutes=30), "IST")
SECOND = 1_000_000_000


class ConsoleNotifier:
    """Writes one block a ticket to `stream`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, ticket: Ticket) -> str:
        """Deliver once; returns an empty string when it was written, else why not."""
        try:
            # A terminal without a rupee sign shows a question mark; the ticket matters more.
            letters = getattr(self._stream, "encoding", None) or "utf-8"
            self._stream.write(_block(ticket).encode(letters, "replace").decode(letters))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return f"the console does not take it: {error}"
        return ""


def _block(ticket: Ticket) -> str:
    at = datetime.datetime.fromtimestamp(ticket.at // SECOND, KOLKATA)
    order = f" · order {ticket.order_id}" if ticket.order_id else ""
    lines = [
        f"TICKET {ticket.ticket_id} {'closed' if ticket.is_closed else 'open'} · {at:%d %b %Y %H:%M:%S %Z}",
        f"  {ticket.scrip}: {ticket.title}{order}",
        *(f"    {line}" for line in ticket.detail.splitlines()),
    ]
    return "".join(f"{_plain(line)}\n" for line in ["", *lines])


def _plain(line: str) -> str:
    """A broker's words may hold control codes; none may reach the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
