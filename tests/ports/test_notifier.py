"""The Notifier port's promise, held by every adapter; then what the console shows."""

import io
from collections.abc import Callable
from contextlib import suppress

import pytest
from msgspec.structs import replace

from participant.adapters.notifiers.console import ConsoleNotifier
from participant.adapters.notifiers.memory import MemoryNotifier
from participant.core.messages import Ticket
from participant.ports import Notifier

TICKET = Ticket(
    ticket_id="t1",
    at=1_795_405_500_000_000_000,
    scrip="NIFTY",
    title="order not proven",
    detail="Sell 75 NIFTY-20261229-25000CE at ₹120.50 was sent once and not answered.\nLook for tag p-12 in the book.",
    order_id="o9",
)


class MemoryRow:
    """A notifier in memory, and what it delivered."""

    def __init__(self) -> None:
        self.notifier = MemoryNotifier()

    def delivered(self, word: str) -> int:
        return sum(word in str(ticket) for ticket in self.notifier.tickets)


class ConsoleRow:
    """A console, and what it shows."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.notifier = ConsoleNotifier(self.stream)

    def delivered(self, word: str) -> int:
        return self.stream.getvalue().count(word)


Adapter = MemoryRow | ConsoleRow
ADAPTERS: dict[str, Callable[[], Adapter]] = {"memory": MemoryRow, "console": ConsoleRow}


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]()


# --- every notifier ---------------------------------------------------------------------------------------------------


def test_a_ticket_is_delivered_once_with_all_that_a_person_needs(adapter: Adapter) -> None:
    notifier: Notifier = adapter.notifier
    assert notifier.send(TICKET) == ""
    for word in ("t1", "NIFTY-20261229-25000CE", "order not proven", "₹120.50", "Look for tag p-12", "o9"):
        assert adapter.delivered(word) == 1, word


def test_each_send_delivers(adapter: Adapter) -> None:
    assert adapter.notifier.send(TICKET) == ""
    assert adapter.notifier.send(replace(TICKET, title="resolved", is_closed=True)) == ""
    assert adapter.delivered("order not proven") == 1
    assert adapter.delivered("resolved") == 1


# --- console ----------------------------------------------------------------------------------------------------------


def test_the_console_shows_a_block_in_indian_time() -> None:
    stream = io.StringIO()
    ConsoleNotifier(stream).send(TICKET)
    assert stream.getvalue() == (
        "\nTICKET t1 open · 23 Nov 2026 09:15:00 IST\n"
        "  NIFTY: order not proven · order o9\n"
        "    Sell 75 NIFTY-20261229-25000CE at ₹120.50 was sent once and not answered.\n"
        "    Look for tag p-12 in the book.\n"
    )


def test_control_codes_in_a_brokers_words_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    ConsoleNotifier(stream).send(replace(TICKET, title="\x1b[2Jcleared", detail="bell \a\r\nrest"))
    assert "\x1b" not in stream.getvalue()
    assert "\a" not in stream.getvalue()
    assert "?[2Jcleared" in stream.getvalue()


def test_a_console_that_knows_no_rupee_shows_the_rest() -> None:
    shown = io.BytesIO()
    terminal = io.TextIOWrapper(shown, encoding="ascii")
    assert ConsoleNotifier(terminal).send(TICKET) == ""
    assert b"Sell 75 NIFTY-20261229-25000CE at ?120.50" in shown.getvalue()
    terminal.close()


def test_a_console_that_is_closed_or_full_says_why() -> None:
    closed = io.StringIO()
    closed.close()
    said = [ConsoleNotifier(closed).send(TICKET)]
    # Closing such a file fails once more, which is no matter here.
    with suppress(OSError), open("/dev/full", "w", encoding="utf-8") as full:
        said.append(ConsoleNotifier(full).send(TICKET))
    assert said == [
        "the console does not take it: I/O operation on closed file",
        "the console does not take it: [Errno 28] No space left on device",
    ]
