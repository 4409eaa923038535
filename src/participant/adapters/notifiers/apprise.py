"""Channels to people through apprise: Slack, SMS, push, e-mail, voice, Telegram, webhook. One address, one thread.

An address holds secrets: it is never repeated, and of what a service says only its figures are told.
"""

import logging
import queue
import re
import threading
from collections.abc import Callable

from participant.core.notices import Delivery, Notice

WAITING_MAX = 20
STATUS = re.compile(r"error=(\d+)")
# What the library says of a connection that failed, and how we say it: the first that fits.
CAUSES = (
    (("timed out", "timeout"), "no answer in time"),
    (("refused",), "connection refused"),
    (("name or service", "getaddrinfo", "resolve", "name resolution", "nodename"), "its name cannot be resolved"),
    (("certificate", "ssl"), "its certificate is not trusted"),
)
Deliver = Callable[[Notice], str]


class AppriseNotifier:
    """Delivers through one address in a thread of its own, so that a slow service holds up nobody."""

    def __init__(self, address: str, timeout_s: float) -> None:
        """`address` is one of apprise's URLs; one that it does not understand fails each delivery with that reason."""
        self._waiting: queue.Queue[Notice | None] = queue.Queue(WAITING_MAX)
        self._ended: queue.Queue[Delivery] = queue.Queue()
        self._thread = threading.Thread(target=self._work, args=(address, timeout_s), daemon=True)
        self._thread.start()

    def send(self, notice: Notice) -> None:
        """Hand it to the thread; where too many wait it fails at once."""
        try:
            self._waiting.put_nowait(notice)
        except queue.Full:
            self._ended.put(Delivery(notice.notice_id, f"{WAITING_MAX} messages wait for this channel already"))

    def delivered(self) -> list[Delivery]:
        """What was delivered or failed since the last call."""
        return [self._ended.get_nowait() for _ in range(self._ended.qsize())]

    def close(self) -> None:
        """Ends once what is under way has its answer; nobody waits for it."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return

    def _work(self, address: str, timeout_s: float) -> None:
        deliver = _guarded(address, timeout_s)
        while (notice := self._waiting.get()) is not None:
            self._ended.put(Delivery(notice.notice_id, _tried(deliver, notice)))


def _guarded(address: str, timeout_s: float) -> Deliver:
    try:
        return _channel(address, timeout_s)
    except Exception as fault:  # noqa: BLE001 - its faults may be of any kind; each delivery then says that there is no channel
        said = f"the channel cannot be made: {type(fault).__name__}"
        return lambda _: said


def _tried(deliver: Deliver, notice: Notice) -> str:
    try:
        return deliver(notice)
    except Exception as fault:  # noqa: BLE001 - a foreign library's fault must not end the channel; its words stay here
        return f"the channel failed: {type(fault).__name__}"


def _channel(address: str, timeout_s: float) -> Deliver:
    """How to deliver through an address. The library is imported here: most runs have no channel and need none."""
    import apprise

    # What it logs may hold numbers and tokens: it reaches our callback and nothing else.
    logger = logging.getLogger("apprise")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    asset = apprise.AppriseAsset(app_id="participant", image_url_logo="", image_url_mask="")
    service = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if service is None:
        return lambda _: "its address is not one that apprise understands"
    service.socket_connect_timeout = service.socket_read_timeout = timeout_s
    channel = apprise.Apprise(asset=asset)
    channel.add(service)

    def deliver(notice: Notice) -> str:
        said: list[str] = []
        result = channel.notify(
            body=notice.body,
            title=notice.title,
            body_format=apprise.NotifyFormat.TEXT,
            log_callback=lambda entry, _: said.append(entry.message),
            log_level=logging.DEBUG,
        )
        return "" if result else reason_of(said)

    return deliver


def reason_of(said: list[str]) -> str:
    """Why a delivery failed, from what the library logged, without a word of the address or of the service's answer."""
    text = " ".join(line for line in said if "Payload" not in line)  # our own words prove nothing
    statuses = STATUS.findall(text)
    if statuses:
        return f"the service answered with error {statuses[-1]}"
    words = text.lower()
    return next((how for marks, how in CAUSES if any(mark in words for mark in marks)), "the service did not take it")
