"""The breaker in a person's hand, over the command line, on a desk whose processes run, stand still or are dead."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from participant.adapters.stores.sqlite import SqliteStore
from participant.core.order import OVER, Order
from participant.wire.json import decode
from tests.desk.runs import DAY, SEED, Desk, Ended, environment, participant, until

# At this speed a minute of the market takes a second: the day would last six minutes, and each test ends it before.
FREE = ("--speed", "60", "--date", DAY, "--seed", str(SEED), "--symbols", "NIFTY", "--step", "60")
SEVERED_WITHIN_S = 5.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "home", *FREE) as running:
        running.until_first_order()
        # Stopped between an order and its answer, a gateway leaves it in doubt, and then nothing is quiet.
        running.until("what it has ordered is over", lambda: is_settled(running.home) or None)
        yield running
        for pid in running.pids().values():
            os.kill(pid, signal.SIGCONT)


def is_settled(home: Path) -> bool:
    """Whether every order in the books of this home has come to its end."""
    books = SqliteStore(home / "books.sqlite", is_durable=True)
    orders = [decode(row.value, Order) for row in books.rows("orders")]
    books.close()
    return bool(orders) and all(order.status in OVER for order in orders)


def rest_by_hand(url: str) -> None:
    """A person's own order rests at the broker, far from the market, with no tag of ours."""
    future = next(row["tradingsymbol"] for row in book(url) if row["tradingsymbol"].endswith("FUT"))
    asked = {"tag": "byhand", "tradingsymbol": future, "transaction_type": "BUY", "quantity": 65, "price": "20000.00"}
    httpx.post(f"{url}/orders", json=asked, timeout=10, trust_env=False).raise_for_status()
    assert status_of(url, "byhand") == "OPEN"


def book(url: str) -> list[dict[str, str]]:
    """The broker's orders of the day."""
    rows: list[dict[str, str]] = httpx.get(f"{url}/orders", timeout=10, trust_env=False).json()["data"]
    return rows


def status_of(url: str, tag: str) -> str:
    """What the broker's book shows of an order."""
    return next(row["status"] for row in book(url) if row["tag"] == tag)


def links(pid: int, url: str) -> int:
    """How many connections of this process to the broker stand."""
    port, established = f"{int(url.rpartition(':')[2]):04X}", "01"
    try:
        rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
        held = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    to_broker = [row[9] for row in rows if row[2].endswith(f":{port}") and row[3] == established]
    return sum(f"socket:[{inode}]" in held for inode in to_broker)


def test_a_halt_cancels_what_works_and_says_quiet_when_the_book_shows_it(desk: Desk) -> None:
    rest_by_hand(desk.venue_url)
    ended = participant(desk.home.parent, "halt", "--home", desk.home, "--reason", "a drill")
    assert (ended.status, ended.err) == (0, "")
    assert "breaker: OPEN asked for (a drill); it holds within a second" in ended.out
    assert "QUIET: two reads of the broker's book in a row show no working order (1 cancel asked for)" in ended.out
    assert status_of(desk.venue_url, "byhand") == "CANCELLED"


def test_a_halt_works_when_every_process_of_the_desk_stands_still(desk: Desk) -> None:
    rest_by_hand(desk.venue_url)
    for name, pid in desk.pids().items():
        if name != "venue":
            os.kill(pid, signal.SIGSTOP)
    ended = participant(desk.home.parent, "halt", "--home", desk.home, "--wait-s", "5")
    # One of them may have been stopped while it held the books, or between an order and its answer.
    assert (ended.status, "may be live" in ended.out) in {(0, False), (1, True)}
    assert ended.err == "" or ended.err.startswith("participant: it holds, but could not be logged: database")
    assert "QUIET" in ended.out
    assert status_of(desk.venue_url, "byhand") == "CANCELLED"
    for pid in desk.pids().values():
        os.kill(pid, signal.SIGCONT)
    books = SqliteStore(desk.home / "books.sqlite", is_durable=True)
    desk.until("the log has what was asked for", lambda: books.rows("halts") or None)
    books.close()


def test_a_halt_works_when_every_process_of_the_desk_is_dead(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "participant", "venue", "--home", str(tmp_path / "venue"), *FREE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), cwd=tmp_path) as venue:
        assert venue.stdout is not None
        ready = msgspec.json.decode(venue.stdout.readline())
        url = f"http://127.0.0.1:{ready['http']}"
        try:
            with Desk(tmp_path / "home", "--venue", url, "--date", DAY) as desk:
                desk.until("the broker has the first order", lambda: bool(book(url)) or None)
                os.killpg(desk.process.pid, signal.SIGKILL)
            rest_by_hand(url)
            httpx.post(
                f"{url}/faults", json={"broker": {"books_down": 1.0}}, timeout=10, trust_env=False
            ).raise_for_status()
            blind = participant(tmp_path, "halt", "--home", tmp_path / "home", "--wait-s", "2")
            httpx.post(f"{url}/faults", json={"broker": {}}, timeout=10, trust_env=False).raise_for_status()
            ended = participant(tmp_path, "halt", "--home", tmp_path / "home", "--wait-s", "5")
            became = status_of(url, "byhand")
        finally:
            venue.terminate()
    assert (blind.status, "NOT QUIET after 2 s" in blind.out) == (1, True), "a broker that is not ours may hold orders"
    assert (ended.err, became) == ("", "CANCELLED")
    # They may have died between an order and its answer.
    assert (ended.status, "may be live" in ended.out) in {(0, False), (1, True)}
    assert "QUIET" in ended.out


def test_severing_ends_every_connection_even_of_a_gateway_that_stands_still_until_a_person_resumes(desk: Desk) -> None:
    url, gateway = desk.venue_url, desk.pids()["gateway"]
    assert links(gateway, url) > 0, "requests kept alive, and the stream of order updates"
    os.kill(gateway, signal.SIGSTOP)
    began = time.monotonic()
    ended = participant(desk.home.parent, "halt", "--home", desk.home, "--sever")
    assert (ended.status, ended.err) == (0, "participant: severed: gateway, desk\n")
    until("no connection stands", lambda: links(gateway, url) == 0 or None, SEVERED_WITHIN_S)
    assert time.monotonic() - began <= SEVERED_WITHIN_S
    again = desk.until("another was started", lambda: pid if (pid := desk.pids().get("gateway")) != gateway else None)
    watched_until = time.monotonic() + 3.0
    while time.monotonic() < watched_until:
        assert links(again, url) == links(desk.pids()["desk"], url) == 0, "it waits for a person"
        time.sleep(0.1)
    assert participant(desk.home.parent, "resume", "--home", desk.home).status == 0
    desk.until("the gateway speaks to the broker again", lambda: links(desk.pids().get("gateway", 0), url) or None)


def test_at_a_home_at_rest_a_halt_holds_for_the_next_day(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    ended = participant(tmp_path, "halt", "--home", home)
    assert (ended.status, ended.err) == (0, "")
    assert "no desk runs here and its broker does not answer" in ended.out
