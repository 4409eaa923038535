"""What bench/ingest.py starts beside itself: a provider that speaks FIX with messages made beforehand, then an echo.

It says its two ports in its first line; after the messages, when each was sent (steady ns) by its instant, as JSON.
"""

import json
import socket
import sys
import time

from msgspec import Struct

from bench.ingest_market import SPOT, Asked, contracts_of, scrips_of
from participant.core.market import Tick
from participant.core.scrip import Contract
from participant.wire.fix import marketdata
from participant.wire.fix.codec import Body, Header, encode
from participant.wire.fix.events import Received
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Limits, Moment, Profile
from participant.wire.fix.session import Session

PROFILE = Profile("VENUE", "", is_initiator=False, kept=frozenset(), limits=Limits(sending_time_s=0))
CHUNK = 65_536
STEP_NS = 2_000  # of market time between two messages that are sent as fast as they are taken
LIMIT_S = 120.0


class Made(Struct):
    """Bytes to be sent, and the instant (ns UTC) that they end."""

    data: bytes
    at: int


def stamped(at: int, n: int, contracts: list[Contract]) -> Tick:
    """The n-th change: one contract's quote, whose middle stays where it is within a few ticks."""
    contract = contracts[n % len(contracts)]
    up = 500 * (n // len(contracts) % 7)
    return Tick(contract.key, 1_000_000 + up, 1_010_000 + up, 75 * (1 + n % 40), 150, 0, at)


def changes(asked: Asked, at: int, first: int) -> list[Made]:
    """Messages of one contract each; after every `mark_every` the spots and a mark, which end the instant."""
    contracts, scrips = contracts_of(asked), scrips_of(asked)
    step = 1_000_000_000 // asked.rate if asked.rate else STEP_NS
    made, seq = list[Made](), first
    for n in range(asked.messages):
        at += step
        bodies: list[Body] = [*marketdata.increments([stamped(at, n, contracts)])]
        is_end = (n + 1) % asked.mark_every == 0
        if is_end:
            spots = [Tick(scrip, 0, 0, 0, 0, SPOT + 100 * (n % 50), at) for scrip in scrips]
            bodies = [*bodies, *(marketdata.increments(spots) if (n + 1) % asked.spot_every == 0 else ())]
            bodies.append(marketdata.mark(at, is_last=n + 1 == asked.messages))
        frames = [encode(Header("VENUE", "DESK", seq + i, at), body) for i, body in enumerate(bodies)]
        made.append(Made(b"".join(frames), at if is_end else 0))
        seq += len(frames)
    return made


def logged_on(connection: socket.socket, asked: Asked, at: int) -> None:
    """Answer the Logon and the request: everything as it stands, and a mark."""
    session, now, is_asked = Session(PROFILE, lambda _: MemoryNumbers()), Moment(0, at), False
    session.connect(now)
    while not is_asked:
        requests = [
            event.frame.message().get(262)
            for event in session.receive(connection.recv(CHUNK), now)
            if isinstance(event, Received) and event.frame.msg_type == marketdata.REQUEST
        ]
        is_asked = bool(requests)
        for body in whole(requests[-1], asked, at) if is_asked else ():
            session.send(body, now)
        while data := session.take(now):
            connection.sendall(data)


def whole(request_id: str, asked: Asked, at: int) -> list[Body]:
    """The market as it stands before the first change."""
    spots = [Tick(scrip, 0, 0, 0, 0, SPOT, at) for scrip in scrips_of(asked)]
    ticks = [*spots, *(stamped(at, n, [one]) for n, one in enumerate(contracts_of(asked)))]
    return [*(marketdata.full(request_id, tick) for tick in ticks), marketdata.mark(at, is_last=False)]


def sent(connection: socket.socket, made: list[Made], asked: Asked) -> dict[int, int]:
    """Send it all: as fast as it is taken in large pieces, or each message at its time. When, by instant."""
    if not asked.rate:
        whole = b"".join(one.data for one in made)
        for at in range(0, len(whole), CHUNK):
            connection.sendall(whole[at : at + CHUNK])
        return {}
    times, began, apart = dict[int, int](), time.monotonic_ns(), 1_000_000_000 // asked.rate
    for n, one in enumerate(made):
        left_ns = began + n * apart - time.monotonic_ns()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)
        times[one.at] = time.monotonic_ns()
        connection.sendall(one.data)
    return times


def echo(listener: socket.socket) -> None:
    """Send back whatever comes."""
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(CHUNK):
            connection.sendall(data)


def main() -> None:
    """Serve one desk and one who wants its words back."""
    asked = Asked(**json.loads(sys.argv[1]))
    first = 1 + len(contracts_of(asked)) + len(scrips_of(asked)) + 2  # Logon, 35=W each, the mark
    with socket.create_server(("127.0.0.1", 0)) as fix, socket.create_server(("127.0.0.1", 0)) as plain:
        fix.settimeout(LIMIT_S)
        plain.settimeout(LIMIT_S)
        at = time.time_ns() + asked.lead_ns
        made = changes(asked, at, first)
        print(json.dumps([fix.getsockname()[1], plain.getsockname()[1]]), flush=True)
        connection, _ = fix.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            logged_on(connection, asked, at)
            sys.stdin.readline()  # the desk has its snapshot
            times = sent(connection, made, asked)
            sys.stdin.readline()  # and all that came after it
        print(json.dumps(times), flush=True)
        echo(plain)


if __name__ == "__main__":
    main()
