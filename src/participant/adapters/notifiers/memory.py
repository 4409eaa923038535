"""Tickets kept in the memory of one process: for simulations and tests."""

from participant.core.messages import Ticket


class MemoryNotifier:
    """Delivers to the list `tickets`."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []

    def send(self, ticket: Ticket) -> str:
        """Deliver once; it always arrives."""
        self.tickets.append(ticket)
        return ""
