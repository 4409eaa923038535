"""Tickets to people: told once, again until it was delivered, and not for ever."""

import pytest

from participant.adapters.notifiers.memory import MemoryNotifier
from participant.adapters.stores.memory import MemoryStore
from participant.core.messages import Ticket, Write
from participant.core.tickets import settled
from participant.stages.escalate import Escalate, Told
from participant.wire.json import decode, encode


class Deaf(MemoryNotifier):
    """Does not deliver its first `failures` tickets."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures, self.tries = failures, 0

    def send(self, ticket: Ticket) -> str:
        self.tries += 1
        return "no answer" if self.tries <= self.failures else super().send(ticket)


@pytest.fixture
def books() -> MemoryStore:
    return MemoryStore()


def opened(books: MemoryStore, *names: str) -> None:
    for name in names:
        books.commit([Write("tickets", name, encode(Ticket(name, 1, "NIFTY", "a title", "a detail")))])


def told(books: MemoryStore, name: str) -> Told:
    row = books.get("told", name)
    assert row is not None
    return decode(row.value, Told)


def test_a_ticket_is_told_once(books: MemoryStore) -> None:
    notifier = MemoryNotifier()
    opened(books, "a")
    assert Escalate(books, notifier).step()
    assert not Escalate(books, notifier).step(), "after a restart too"
    assert [t.ticket_id for t in notifier.tickets] == ["a"]
    assert told(books, "a") == Told(1, "")


def test_without_tickets_there_is_nothing_to_tell(books: MemoryStore) -> None:
    assert not Escalate(books, MemoryNotifier()).step()


def test_every_open_ticket_is_told(books: MemoryStore) -> None:
    notifier = MemoryNotifier()
    opened(books, "a", "b")
    stage = Escalate(books, notifier)
    stage.step()
    opened(books, "c")
    stage.step()
    assert [t.ticket_id for t in notifier.tickets] == ["a", "b", "c"]


def test_a_ticket_is_told_again_until_it_is_delivered(books: MemoryStore) -> None:
    notifier = Deaf(2)
    opened(books, "a")
    stage = Escalate(books, notifier)
    assert stage.step()
    assert told(books, "a") == Told(1, "no answer")
    assert [stage.step() for _ in range(3)] == [True, True, False]
    assert (len(notifier.tickets), notifier.tries, told(books, "a")) == (1, 3, Told(3, ""))


def test_it_is_tried_a_bounded_number_of_times(books: MemoryStore) -> None:
    notifier = Deaf(1000)
    opened(books, "a", "b")
    assert [Escalate(books, notifier, tries_max=3).step() for _ in range(5)] == [True, True, True, False, False]
    assert (notifier.tries, told(books, "a"), told(books, "b")) == (6, Told(3, "no answer"), Told(3, "no answer"))


def test_a_ticket_that_is_closed_before_it_was_told_is_not_told(books: MemoryStore) -> None:
    notifier = MemoryNotifier()
    ticket = settled(Ticket("a", 1, "NIFTY", "a title", "a detail"), "it was found")
    books.commit([Write("tickets", "a", encode(ticket))])
    assert not Escalate(books, notifier).step()
    assert notifier.tickets == []
