"""The Notifier port's promise, held by every adapter; then the console, and each channel against a local server."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram
from apprise.plugins.twilio import NotifyTwilio
from msgspec.structs import replace

from participant.adapters.notifiers import apprise as channels
from participant.adapters.notifiers.apprise import AppriseNotifier
from participant.adapters.notifiers.console import ConsoleNotifier
from participant.adapters.notifiers.memory import MemoryNotifier
from participant.core.notices import Delivery, Notice
from participant.ports import Notifier
from tests.ports.services import GOOD, Mail, Service, free_port, served

WITHIN_S = 10.0
NOTICE = Notice("t1/push/all/1", "Ticket t1: order not proven", "Sell 75 of it at ₹120.50.\nLook for tag p-12.")


def told(notifier: Notifier, count: int = 1) -> list[Delivery]:
    """What became of so many notices, as soon as it is known."""
    end, found = time.monotonic() + WITHIN_S, list[Delivery]()
    while len(found) < count:
        assert time.monotonic() < end, "no answer came"
        found += notifier.delivered()
        time.sleep(0.005)
    return found


class MemoryRow:
    """A notifier in memory, and what it delivered."""

    def __init__(self, stack: ExitStack) -> None:
        self.notifier = MemoryNotifier()

    def delivered(self, word: str) -> int:
        return sum(word in str(notice) for notice in self.notifier.notices)


class ConsoleRow:
    """A console, and what it shows."""

    def __init__(self, stack: ExitStack) -> None:
        self.stream = io.StringIO()
        self.notifier = ConsoleNotifier(self.stream)

    def delivered(self, word: str) -> int:
        return self.stream.getvalue().count(word)


class AppriseRow:
    """A webhook, and what its server got."""

    def __init__(self, stack: ExitStack) -> None:
        self.server = stack.enter_context(served(Service(GOOD["json"])))
        self.notifier = AppriseNotifier(f"json://127.0.0.1:{self.server.server_address[1]}/hook", 5.0)
        stack.callback(self.notifier.close)

    def delivered(self, word: str) -> int:
        letters = word.encode("ascii", "backslashreplace").decode()
        return sum(letters in body for _, body in self.server.got)


Adapter = MemoryRow | ConsoleRow | AppriseRow
ADAPTERS: dict[str, Callable[[ExitStack], Adapter]] = {
    "memory": MemoryRow, "console": ConsoleRow, "apprise": AppriseRow,
}  # fmt: skip


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    with ExitStack() as stack:
        yield ADAPTERS[request.param](stack)


# --- every notifier ---------------------------------------------------------------------------------------------------


def test_a_notice_is_delivered_once_with_all_that_it_says(adapter: Adapter) -> None:
    notifier: Notifier = adapter.notifier
    notifier.send(NOTICE)
    assert told(notifier) == [Delivery("t1/push/all/1", "")]
    for word in ("Ticket t1", "order not proven", "₹120.50", "Look for tag p-12"):
        assert adapter.delivered(word) == 1, word


def test_each_send_delivers_and_is_told_of_once(adapter: Adapter) -> None:
    for name in ("a", "b", "c"):
        adapter.notifier.send(replace(NOTICE, notice_id=name, body=f"body {name}"))
    assert [d.notice_id for d in told(adapter.notifier, 3)] == ["a", "b", "c"]
    assert adapter.notifier.delivered() == []
    assert adapter.delivered("body b") == 1


def test_before_anything_is_sent_nothing_was_delivered(adapter: Adapter) -> None:
    assert adapter.notifier.delivered() == []
    adapter.notifier.close()


# --- console ----------------------------------------------------------------------------------------------------------


def test_the_console_shows_a_block() -> None:
    stream = io.StringIO()
    ConsoleNotifier(stream).send(NOTICE)
    assert stream.getvalue() == (
        "\nTicket t1: order not proven\n    Sell 75 of it at ₹120.50.\n    Look for tag p-12.\n"
    )


def test_control_codes_in_a_brokers_words_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    ConsoleNotifier(stream).send(replace(NOTICE, title="\x1b[2Jcleared", body="bell \a\r\nrest"))
    assert "\x1b" not in stream.getvalue()
    assert "\a" not in stream.getvalue()
    assert "?[2Jcleared" in stream.getvalue()


def test_a_console_that_knows_no_rupee_shows_the_rest() -> None:
    shown = io.BytesIO()
    terminal = io.TextIOWrapper(shown, encoding="ascii")
    notifier = ConsoleNotifier(terminal)
    notifier.send(NOTICE)
    assert told(notifier)[0].failure == ""
    assert b"Sell 75 of it at ?120.50" in shown.getvalue()
    terminal.close()


def test_a_console_that_is_closed_or_full_says_why() -> None:
    closed = io.StringIO()
    closed.close()
    notifier = ConsoleNotifier(closed)
    notifier.send(NOTICE)
    said = told(notifier)
    # Closing such a file fails once more, which is no matter here.
    with suppress(OSError), open("/dev/full", "w", encoding="utf-8") as full:
        notifier = ConsoleNotifier(full)
        notifier.send(NOTICE)
        said += told(notifier)
    assert [d.failure for d in said] == [
        "the console does not take it: I/O operation on closed file",
        "the console does not take it: [Errno 28] No space left on device",
    ]


# --- each channel, against a server that speaks its API ---------------------------------------------------------------

SID, TOKEN = "AC" + "a1" * 16, "b2" * 16
SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
BOT = "123456789:abcdefg_hijklmnop"
PHONES = "15551230000/15551230001"
# channel -> its kind of server, its address (host and port to be filled in), where it posts, and what of the message
CHANNELS = {
    "slack": ("slack", f"slack://{SLACK}/", f"/services/{SLACK}", '"text": "Sell 75 of it'),
    "sms": ("twilio", f"twilio://{SID}:{TOKEN}@{PHONES}", f"/Accounts/{SID}/Messages.json", "'To': '+15551230001'"),
    "voice": (
        "twilio", f"twilio://{SID}:{TOKEN}@{PHONES}?method=call", f"/Accounts/{SID}/Calls.json", "<Say>Sell 75 of it",
    ),
    "push": ("ntfy", "ntfy://%s/desk", "/", '"topic": "desk"'),
    "email": ("mail", "mailto://%s?from=desk@example.com&to=asha@example.com&mode=insecure", "mail", "Look for tag"),
    "telegram": ("telegram", f"tgram://{BOT}/12315544", f"/bot{BOT}/sendMessage", '"chat_id": 12315544'),
    "webhook": ("json", "json://%s/hook", "/hook", '"title": "Ticket t1'),
}  # fmt: skip
SECRETS = (TOKEN, SLACK.split("/")[2], BOT, "15551230001", "asha@")


def point_at(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """The services with one address for all the world are to be found at `host`."""
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{host}/services")
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", f"http://{host}/Accounts/{{sid}}/Messages.json")
    monkeypatch.setattr(NotifyTwilio, "notify_call_url", f"http://{host}/Accounts/{{sid}}/Calls.json")
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://{host}/bot")


def address(name: str, host: str) -> str:
    url = CHANNELS[name][1]
    return url % host if "%s" in url else url


def tried(name: str, host: str, timeout_s: float = 10.0) -> str:
    """What becomes of a notice on this channel."""
    notifier = AppriseNotifier(address(name, host), timeout_s)
    notifier.send(NOTICE)
    failure = told(notifier)[0].failure
    notifier.close()
    return failure


def server_of(name: str) -> Any:
    kind = CHANNELS[name][0]
    return Mail() if kind == "mail" else Service(GOOD[kind])


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_delivers_what_its_service_expects(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(server_of(name)) as server:
        host = f"127.0.0.1:{server.server_address[1]}"
        point_at(monkeypatch, host)
        assert tried(name, host) == ""
        ((path, body),) = server.got
    assert path == CHANNELS[name][2]
    assert CHANNELS[name][3] in body


@pytest.mark.parametrize("name", CHANNELS)
@pytest.mark.parametrize("status", [429, 500])
def test_a_service_that_refuses_is_reported_with_its_figure_and_without_a_secret(
    name: str, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(server_of(name)) as server:
        server.status = status
        host = f"127.0.0.1:{server.server_address[1]}"
        point_at(monkeypatch, host)
        failure = tried(name, host)
    expected = "the service did not take it" if name == "email" else f"the service answered with error {status}"
    assert failure == expected
    said = "".join(capfd.readouterr()) + failure
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize("name", CHANNELS)
def test_a_service_that_says_nothing_is_given_up_in_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(server_of(name)) as server:
        server.is_silent = True
        host = f"127.0.0.1:{server.server_address[1]}"
        point_at(monkeypatch, host)
        assert tried(name, host, timeout_s=0.3) == "no answer in time"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_service_that_is_not_there_is_reported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = f"127.0.0.1:{free_port()}"
    point_at(monkeypatch, host)
    assert tried(name, host) == "connection refused"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_service_whose_name_is_not_known_is_reported(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, "no-such-service.invalid")
    assert tried(name, "no-such-service.invalid") == "its name cannot be resolved"
    assert not [secret for secret in SECRETS if secret in "".join(capfd.readouterr())]


def test_an_address_that_is_none_fails_each_delivery_and_is_not_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    notifier = AppriseNotifier("twilio://s3cr3t", 1.0)
    notifier.send(NOTICE)
    assert told(notifier) == [Delivery(NOTICE.notice_id, "its address is not one that apprise understands")]
    assert "s3cr3t" not in "".join(capfd.readouterr())


def test_the_sender_never_waits_and_what_is_too_much_fails_at_once() -> None:
    with served(Service(GOOD["json"])) as server:
        server.is_silent = True
        notifier = AppriseNotifier(f"json://127.0.0.1:{server.server_address[1]}/hook", 5.0)
        began = time.monotonic()
        for number in range(channels.WAITING_MAX + 5):
            notifier.send(replace(NOTICE, notice_id=str(number)))
        notifier.close()
        assert time.monotonic() - began < 1.0
        assert told(notifier)[0].failure == f"{channels.WAITING_MAX} messages wait for this channel already"
        server.is_silent = False


def test_a_fault_of_the_library_ends_no_channel() -> None:
    def broken(_: Notice) -> str:
        raise KeyError("a secret")

    assert channels._tried(broken, NOTICE) == "the channel failed: KeyError"
