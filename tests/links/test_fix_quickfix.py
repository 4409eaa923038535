"""A real QuickFIX engine as the other side, in both roles: nothing lost, nothing twice, whatever is cut in the middle.

PARTICIPANT_REFRESHES=100000 makes the run of docs/assurance.md; a test run sends fewer.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.system import SystemClock
from participant.links.feed_link import LinkLost
from participant.links.fix_journal import FixJournal
from participant.links.fix_link import Address, FixLink, accepted, connected
from participant.links.tls import Tls
from participant.wire.fix.codec import Body, body
from participant.wire.fix.events import Event, LoggedOn, Over, Received
from participant.wire.fix.profile import Profile
from tests.links.certificates import Authority

pytest.importorskip("quickfix", reason="the QuickFIX engine has no wheel for this machine")

CLOCK = SystemClock()
COUNT = int(os.environ.get("PARTICIPANT_REFRESHES", "3000"))
ATTEMPTS = 3
LIMIT_S = 60 + COUNT // 100
DESK = Profile("DESK", "QUICKFIX", is_initiator=True, heartbeat_s=2)
REQUEST = body("V", [(262, "1"), (263, "1"), (264, "1"), (265, "1"), (267, "1"), (269, "0"), (146, "1"), (55, "NIFTY")])


class Engine:
    """The engine's process, and what it says."""

    def __init__(self, role: str, port: int, folder: Path, version: str = "FIX.4.4") -> None:
        command = [sys.executable, "-m", "tests.links.quickfix_peer", role, str(port), str(COUNT), str(folder), version]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said: list[str] = []
        self.until("ready")

    def until(self, word: str) -> None:
        out: IO[str] | None = self._process.stdout
        assert out
        while word not in self.said:
            line = out.readline()
            assert line, self.said
            self.said += line.split(maxsplit=1) if line.startswith(word) else [line.strip()]

    def stop(self) -> list[str]:
        """Let it end; all that it said."""
        out, _ = self._process.communicate("\n", timeout=LIMIT_S)
        return [*self.said, *out.split("\n")]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def engines() -> Iterator[list[Engine]]:
    started: list[Engine] = []
    yield started
    for engine in started:
        engine.kill()


def refresh(number: int) -> Body:
    entry = [(279, "1"), (269, "0"), (278, str(number)), (55, "NIFTY"), (270, "123.45"), (271, "75")]
    return body("X", [(268, "1"), *entry])


def numbers(told: list[Event]) -> list[int]:
    """The refreshes that were received."""
    frames = [event.frame for event in told if isinstance(event, Received)]
    assert all(frame.msg_type == "X" for frame in frames), frames
    return [int(frame.message().get(278)) for frame in frames]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def take(link: FixLink, got: list[int], until: int) -> None:
    """Refreshes until there are so many; the first Logon is followed by the request."""
    deadline = time.monotonic() + LIMIT_S
    while len(got) < until:
        assert time.monotonic() < deadline, len(got)
        told = link.read()
        assert not any(isinstance(event, Over) for event in told), told
        if not got and any(isinstance(event, LoggedOn) for event in told):
            link.send(REQUEST)
        got += numbers(told)


def expect_calm(said: list[str]) -> None:
    assert not [line for line in said if line.startswith(("wrong", "odd", "rejected"))], said


@pytest.mark.parametrize("version", ["FIX.4.4", "FIX.4.2"])
def test_the_engine_sends_and_we_lose_the_connection_in_the_middle(
    tmp_path: Path, version: str, engines: list[Engine]
) -> None:
    port, got = free_port(), list[int]()
    engines.append(Engine("acceptor", port, tmp_path, version))
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK", is_durable=False)
    profile, address = replace(DESK, version=version), Address("127.0.0.1", port)
    link = connected(address, profile, journal.claim, CLOCK.now)
    take(link, got, COUNT // 2)
    link.session.settle()
    link.drop()
    engines[0].until("logout")
    with connected(address, profile, journal.claim, CLOCK.now) as link:
        take(link, got, COUNT)
    assert got == list(range(1, COUNT + 1))
    expect_calm(engines[0].stop())


@pytest.mark.parametrize("version", ["FIX.4.4", "FIX.4.2"])
def test_we_send_and_the_engine_loses_the_connection_in_the_middle(
    tmp_path: Path, version: str, engines: list[Engine]
) -> None:
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK", is_durable=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT_S)
        engines.append(Engine("initiator", listener.getsockname()[1], tmp_path, version))
        profile = replace(DESK, target="", is_initiator=False, version=version)
        link = accepted(listener, profile, journal.claim, CLOCK.now)
        while not any(isinstance(event, Received) and event.frame.msg_type == "V" for event in link.read()):
            pass  # the engine asks, or its process ends and the link with it
        give(link, range(1, COUNT // 2 + 1))
        link.drop()
        with logged_on(lambda: accepted(listener, profile, journal.claim, CLOCK.now)) as link:
            give(link, range(COUNT // 2 + 1, COUNT + 1))
            until_all(link, engines[0])
    said = engines[0].stop()
    expect_calm(said)
    assert said.count("logon") == 2


def logged_on(accept: Callable[[], FixLink]) -> FixLink:
    """The next link on which the engine logs on: it gives up a connection that it waited on for too long."""
    for _ in range(ATTEMPTS):
        link, told = accept(), list[Event]()
        try:
            while not any(isinstance(event, LoggedOn) for event in told):
                told += link.read()
                assert not any(isinstance(event, Over) for event in told), told
        except LinkLost:
            link.drop()
        else:
            return link
    raise AssertionError(f"the engine ended {ATTEMPTS} connections before it logged on")


def give(link: FixLink, some: range) -> None:
    for number in some:
        assert link.send(refresh(number))
        if number % 100 == 0:
            link.read(0)


def until_all(link: FixLink, engine: Engine) -> None:
    """Talk on until the engine has them all."""
    import threading

    waits = threading.Thread(target=engine.until, args=("all",))
    waits.start()
    while waits.is_alive():
        link.read()
    waits.join()


def test_the_engine_and_we_agree_by_the_numbers_that_logons_tell(tmp_path: Path, engines: list[Engine]) -> None:
    """Ours tells NextExpectedMsgSeqNum; an engine that does not know of it asks as ever."""
    port, got = free_port(), list[int]()
    engines.append(Engine("acceptor", port, tmp_path))
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK", is_durable=False)
    profile, address = replace(DESK, tells_expected=True), Address("127.0.0.1", port)
    with connected(address, profile, journal.claim, CLOCK.now) as link:
        take(link, got, COUNT // 3)
    with connected(address, profile, journal.claim, CLOCK.now) as link:
        take(link, got, COUNT)
    assert got == list(range(1, COUNT + 1))
    expect_calm(engines[0].stop())


# --- under TLS, each side showing its certificate ---------------------------------------------------------------------


def secured(folder: Path) -> Tls:
    """What both sides need in this folder; ours."""
    authority = Authority(folder)
    authority.sign("engine")
    certificate, key = authority.sign("desk")
    return Tls(authorities=authority.path, certificate=certificate, key=key, asks_client=True)


def test_the_engine_is_an_acceptor_under_tls(tmp_path: Path, engines: list[Engine]) -> None:
    tls, port, got = secured(tmp_path), free_port(), list[int]()
    engines.append(Engine("acceptor", port, tmp_path))
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK", is_durable=False)
    with connected(Address("127.0.0.1", port, tls), DESK, journal.claim, CLOCK.now) as link:
        take(link, got, COUNT)
    assert got == list(range(1, COUNT + 1))
    expect_calm(engines[0].stop())


def test_the_engine_is_an_initiator_under_tls(tmp_path: Path, engines: list[Engine]) -> None:
    tls, profile = secured(tmp_path), replace(DESK, target="", is_initiator=False)
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK", is_durable=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT_S)
        engines.append(Engine("initiator", listener.getsockname()[1], tmp_path))
        with accepted(listener, profile, journal.claim, CLOCK.now, tls) as link:
            while not any(isinstance(event, Received) for event in link.read()):
                pass
            give(link, range(1, COUNT + 1))
            until_all(link, engines[0])
    expect_calm(engines[0].stop())
