"""FIX sessions over real sockets, in the clear and under TLS: who is believed, and what a lost connection costs."""

import datetime
import socket
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.feeds import fix
from participant.adapters.feeds.fix import PROFILE, FixFeed, Line
from participant.core.market import Down, FeedEvent, Tick, Ticks
from participant.links.feed_link import LinkLost
from participant.links.fix_journal import FixJournal
from participant.links.fix_link import Address, FixLink, connected
from participant.links.tls import Tls, secured_server
from participant.wire.fix.codec import Body, body
from participant.wire.fix.events import LoggedOn, Over, Received
from participant.wire.fix.marketdata import full, mark
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Profile
from tests.links.certificates import Authority
from tests.links.fix_venue import LIMIT_S, UTC, EchoVenue, server, utc
from tests.wire.fix_pair import news, texts

DESK = Profile("DESK", "VENUE", is_initiator=True)


def linked(venue: EchoVenue, tls: Tls | None = None, journal: FixJournal | None = None) -> FixLink:
    claim = journal.claim if journal else lambda _: MemoryNumbers()
    return connected(Address("127.0.0.1", venue.port, tls), DESK, claim, utc)


def until(link: FixLink, count: int) -> list[str]:
    """The first so many headlines that come."""
    got: list[str] = []
    deadline = time.monotonic() + LIMIT_S
    while len(got) < count:
        assert time.monotonic() < deadline, got
        told = link.read()
        assert not any(isinstance(event, Over) for event in told), told
        got += texts(told)
    return got


def stands(link: FixLink) -> FixLink:
    deadline = time.monotonic() + LIMIT_S
    while not any(isinstance(event, LoggedOn) for event in link.read()):
        assert time.monotonic() < deadline
    return link


def test_a_link_logs_on_talks_and_logs_out() -> None:
    with EchoVenue() as venue:
        with linked(venue) as link:
            stands(link).send(news("a"))
            assert until(link, 1) == ["a"]
        assert venue.faults == []


def test_what_was_on_its_way_when_a_connection_fell_comes_again_once(tmp_path: Path) -> None:
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK")
    with EchoVenue() as venue:
        link = stands(linked(venue, journal=journal))
        for number in range(50):
            link.send(news(str(number)))
        got = until(link, 10)
        link.session.settle()
        link.drop()
        with linked(venue, journal=journal) as link:
            got += until(link, 50 - len(got))
    assert got == [str(number) for number in range(50)]


def dies(venue: EchoVenue, journal: FixJournal) -> None:
    """An owner who fails on what it was told."""
    with linked(venue, journal=journal) as link:
        stands(link).send(news("a"))
        assert until(link, 1) == ["a"]
        raise RuntimeError


def test_a_link_that_an_exception_leaves_has_dealt_with_nothing(tmp_path: Path) -> None:
    journal = FixJournal(tmp_path / "fix.sqlite", "DESK")
    with EchoVenue() as venue:
        with pytest.raises(RuntimeError):
            dies(venue, journal)
        with linked(venue, journal=journal) as link:
            assert until(link, 1) == ["a"]


def test_a_counterpart_that_goes_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = connected(Address("127.0.0.1", listener.getsockname()[1]), DESK, lambda _: MemoryNumbers(), utc)
        listener.accept()[0].close()
        with pytest.raises((LinkLost, ConnectionError)):
            stands(link)
        link.drop()


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_server_that_our_authority_signed_is_believed(authority: Authority) -> None:
    with EchoVenue(server(authority)) as venue, linked(venue, Tls(authorities=authority.path)) as link:
        stands(link).send(news("a"))
        assert until(link, 1) == ["a"]


def test_a_server_of_another_authority_name_or_time_is_not(authority: Authority, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with EchoVenue(server(authority)) as venue:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            linked(venue, Tls(authorities=Authority(other).path))
        with pytest.raises(OSError, match=r"IP address mismatch|Hostname mismatch"):
            linked(venue, Tls(authorities=authority.path, hostname="elsewhere.example"))
    old = authority.sign("venue", until=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    with (
        EchoVenue(Tls(certificate=old[0], key=old[1])) as venue,
        pytest.raises(OSError, match="certificate has expired"),
    ):
        linked(venue, Tls(authorities=authority.path))


def test_a_server_in_the_clear_is_no_server_under_tls(authority: Authority) -> None:
    with EchoVenue() as venue, pytest.raises(OSError, match=r"SSL|TLS|timed out|EOF|reset"):
        linked(venue, Tls(authorities=authority.path))


def test_the_name_may_be_another_than_the_addresss(authority: Authority) -> None:
    certificate, key = authority.sign("venue", host="fix.example")
    tls = Tls(certificate=certificate, key=key)
    with EchoVenue(tls) as venue, linked(venue, Tls(authorities=authority.path, hostname="fix.example")) as link:
        stands(link)


def test_who_is_not_to_be_verified_is_believed_for_tests(authority: Authority) -> None:
    with EchoVenue(server(authority)) as venue, linked(venue, Tls(is_verified=False)) as link:
        stands(link)


def stays(venue: EchoVenue, tls: Tls) -> None:
    """A link that stands, and is closed again."""
    with linked(venue, tls) as link:
        stands(link)


def test_a_server_may_ask_for_the_clients_certificate(authority: Authority) -> None:
    certificate, key = authority.sign("desk")
    shown = Tls(authorities=authority.path, certificate=certificate, key=key)
    with EchoVenue(server(authority, asks_client=True)) as venue:
        with linked(venue, shown) as link:
            stands(link)
        with pytest.raises((OSError, LinkLost)):  # TLS 1.3: only the first bytes after the handshake tell
            stays(venue, replace(shown, certificate=None, key=None))
    assert any("PEER_DID_NOT_RETURN_A_CERTIFICATE" in fault for fault in venue.faults)


def test_an_old_protocol_is_refused(authority: Authority) -> None:
    import ssl

    with EchoVenue(server(authority)) as venue, socket.create_connection(("127.0.0.1", venue.port)) as sock:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError, match=r"SSL|TLS"):
            context.wrap_socket(sock)


def test_a_server_needs_a_certificate() -> None:
    with socket.socket() as sock, pytest.raises(ValueError, match="certificate"):
        secured_server(sock, Tls())


# --- a feed -----------------------------------------------------------------------------------------------------------


def test_a_feed_with_a_journal_goes_on_under_tls_with_the_numbers_of_its_last_life(
    authority: Authority, tmp_path: Path
) -> None:
    memory = MemoryNumbers()
    patient = replace(PROFILE.limits, logon_s=20, logout_s=20)  # a busy machine is no matter of this test
    profile = replace(PROFILE, resets=False, heartbeat_s=30, limits=patient)
    line = Line(profile, Tls(authorities=authority.path), tmp_path / "fix.sqlite")
    with EchoVenue(server(authority), lambda _: memory) as venue:
        for last in (3, 6):  # a Logon and a request, then a Logout
            feed = FixFeed("one", ("127.0.0.1", venue.port), VirtualClock(UTC), line)
            wait_until(memory, last)
            feed.close()
            wait_until(memory, last + 1)
    assert venue.faults == []
    ours = FixJournal(line.journal or tmp_path, "DESK").claim("VENUE")
    assert ours
    heard, said = ours.numbers().next_in, ours.numbers().next_out
    assert said == memory.numbers().next_in
    assert 1 < heard <= memory.numbers().next_out  # what came after our Logout is not taken, and would come again
    assert [logon.seq for logon in venue.logons] == [1, 4]
    ours.close()


def test_a_feed_whose_journal_is_broken_says_so_and_tries_again(tmp_path: Path) -> None:
    journal = tmp_path / "fix.sqlite"
    journal.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with EchoVenue() as venue:
        feed = FixFeed("one", ("127.0.0.1", venue.port), VirtualClock(UTC), Line(journal=journal))
        (event,) = feed.poll(LIMIT_S)
        feed.close()
    assert isinstance(event, Down)
    assert "is no SQLite database" in event.reason


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (body("Y", [(262, "1"), (281, "0"), (58, "unknown symbol")]), "the provider refused a request: unknown symbol"),
        (body("j", [(372, "V"), (380, "3")]), "the provider refused a request: 35=j"),
        (body("W", [(262, "2"), (268, "x")]), "NoMDEntries says 'x', there are 0 of at most 200"),
    ],
)
def test_a_feed_says_what_a_provider_answered_that_is_no_market_data(answer: Body, said: str) -> None:
    with EchoVenue(answer=answer) as venue:
        feed = FixFeed("one", ("127.0.0.1", venue.port), VirtualClock(UTC))
        (event, *_) = feed.poll(LIMIT_S)
        feed.close()
    assert isinstance(event, Down)
    assert event.reason == said


def test_a_provider_whose_answers_cannot_be_read_is_not_asked_without_end() -> None:
    with EchoVenue(answer=body("UM", [(60, "never")])) as venue:
        feed = FixFeed("one", ("127.0.0.1", venue.port), VirtualClock(UTC))
        deadline = time.monotonic() + LIMIT_S
        while len(venue.logons) < 2:  # it begins anew, after a pause
            assert time.monotonic() < deadline
            time.sleep(0.01)
        feed.close()
    assert 4 <= feed.counts["malformed"] <= 12


def wait_until(memory: MemoryNumbers, next_in: int) -> None:
    deadline = time.monotonic() + LIMIT_S
    while memory.numbers().next_in < next_in:
        assert time.monotonic() < deadline
        time.sleep(0.01)


class SlowVenue(EchoVenue):
    """Answers a request with its instruments, one each time that its link was read, and with a mark at the end."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self._names = names

    def _echo(self, link: FixLink) -> None:
        left: list[Body] = []
        while not self._is_over.is_set():
            for event in link.read():
                if isinstance(event, Received) and event.frame.msg_type == "V":
                    asked = event.frame.message().get(262)
                    ticks = [Tick(name, 10_000, 10_100, 1, 1, 0, UTC) for name in self._names]
                    left = [*(full(asked, tick) for tick in ticks), mark(UTC, is_last=False)]
                if isinstance(event, Over):
                    return
            if left:
                link.send(left.pop(0))


def test_a_snapshot_may_last_while_ever_more_of_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for anew after five seconds, however much had come, again and again."""
    monkeypatch.setattr(fix, "SNAPSHOT_MAX_S", 0.7)
    names = [f"NIFTY-20261229-{strike}CE" for strike in range(1_000, 1_010)]  # in some 2 s
    with SlowVenue(names) as venue:
        feed = FixFeed("one", ("127.0.0.1", venue.port), VirtualClock(UTC))
        told: list[FeedEvent] = []
        deadline = time.monotonic() + LIMIT_S
        while not any(isinstance(event, Ticks) for event in told):
            assert time.monotonic() < deadline, told
            told += feed.poll(LIMIT_S)
        feed.close()
    (snapshot,) = (event for event in told if isinstance(event, Ticks))
    assert snapshot.is_snapshot
    assert [tick.contract for tick in snapshot.ticks] == names


def test_a_snapshot_that_never_comes_is_asked_for_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix, "SNAPSHOT_MAX_S", 0.1)
    with EchoVenue(answer=news("nothing")) as venue:
        feed = FixFeed("one", ("127.0.0.1", venue.port), VirtualClock(UTC))
        (event, *_) = feed.poll(LIMIT_S)
        deadline = time.monotonic() + LIMIT_S
        while len(venue.logons) < 2:  # it was asked without end on the first connection
            assert time.monotonic() < deadline
            time.sleep(0.01)
        feed.close()
    assert isinstance(event, Down)
    assert event.reason == "nothing new of the snapshot came for 0.1 s"
