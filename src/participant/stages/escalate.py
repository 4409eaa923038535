"""Tickets to people: each is told once it stands in the books, and again until it was delivered."""

from msgspec import Struct

from participant.core.messages import Ticket, Write
from participant.ports import Notifier, Store
from participant.wire.json import decode, encode


class Told(Struct, frozen=True):
    """How often a ticket was tried on a channel, and what came of the last try."""

    tries: int
    failure: str


class Escalate:
    """Sends every open ticket through the notifier, at most `tries_max` times until one try is delivered."""

    def __init__(self, books: Store, notifier: Notifier, tries_max: int = 50) -> None:
        """Begins with whatever tickets stand in the books."""
        self.books, self.notifier, self.tries_max = books, notifier, tries_max

    def step(self) -> bool:
        """Tell what has not been told; False when there was nothing to tell."""
        done = False
        for row in self.books.rows("tickets"):
            ticket = decode(row.value, Ticket)
            told = self.books.get("told", ticket.ticket_id)
            before = decode(told.value, Told) if told else Told(0, "not tried yet")
            if ticket.is_closed or not before.failure or before.tries >= self.tries_max:
                continue
            after = Told(before.tries + 1, self.notifier.send(ticket))
            self.books.commit([Write("told", ticket.ticket_id, encode(after))])
            done = True
        return done
