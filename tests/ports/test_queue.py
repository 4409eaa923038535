"""The Queue port's promise, held by every adapter; then what the SQLite queue promises besides."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.queues.sqlite import QueueSettings, SqliteQueue
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.messages import Message, QueueDepth, Write
from participant.links.doorbell import Doorbell
from participant.ports import Queue, StoreBroken
from tests.source import SRC

LONG_S = 60.0
SHORT_S = 0.05


class MemoryRow:
    """Queues in memory, and the clock that drives them."""

    def __init__(self) -> None:
        self.at = 1_000.0
        self.queue = self.open()

    def open(self, visibility_s: float = LONG_S, receives_max: int = 5) -> MemoryQueue:
        self.queue = MemoryQueue(lambda: self.at, visibility_s, receives_max)
        return self.queue

    def reopen(self) -> MemoryQueue:
        self.queue.restart()
        return self.queue

    def pass_time(self, seconds: float) -> None:
        self.at += seconds

    def close(self) -> None:
        pass


class SqliteRow:
    """Queues in one SQLite file, in real time."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = QueueSettings()
        self.open_things = ExitStack()

    def open(self, visibility_s: float = LONG_S, receives_max: int = 5) -> SqliteQueue:
        self.settings = QueueSettings(visibility_s, receives_max, is_durable=False)
        return self.reopen()

    def reopen(self, name: str = "market", consumer: str = "dispatcher", bell: str = "dispatcher") -> SqliteQueue:
        doorbell = Doorbell(self.home, bell)
        self.open_things.callback(doorbell.close)
        queue = SqliteQueue(self.home / "market.sqlite", name, consumer, doorbell, self.settings)
        self.open_things.callback(queue.close)
        return queue

    def pass_time(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            time.sleep(left_s)

    def close(self) -> None:
        self.open_things.close()


Adapter = MemoryRow | SqliteRow
ADAPTERS: dict[str, Callable[[Path], Adapter]] = {"memory": lambda _: MemoryRow(), "sqlite": SqliteRow}


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Adapter]:
    row = ADAPTERS[request.param](tmp_path)
    yield row
    row.close()


@pytest.fixture
def files(tmp_path: Path) -> Iterator[SqliteRow]:
    row = SqliteRow(tmp_path)
    yield row
    row.close()


def message(name: str, key: str = "NIFTY") -> Message:
    return Message(name, key, f"body of {name}".encode())


def put(queue: Queue, *names: str) -> int:
    """Each name is an id; its letters are its key: `N1` is the first of N."""
    return queue.put([message(name, name.rstrip("0123456789")) for name in names])


def take(queue: Queue, limit: int = 100) -> list[str]:
    return [taken.id for taken in queue.take(limit, 0.0)]


# --- every queue ------------------------------------------------------------------------------------------------------


def test_an_empty_queue_gives_nothing(adapter: Adapter) -> None:
    queue = adapter.open()
    assert queue.take(10, 0.0) == []
    assert queue.depth() == QueueDepth(waiting=0, taken=0, buried=0)


def test_what_is_put_comes_out_whole_with_its_receives_counted(adapter: Adapter) -> None:
    queue = adapter.open()
    assert queue.put([Message("a", "NIFTY", b"\x00\xff body")]) == 1
    assert queue.take(1, 0.0) == [Message("a", "NIFTY", b"\x00\xff body", receives=1)]


def test_messages_of_many_keys_come_in_the_order_of_putting(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "B1", "N2")
    put(queue, "A1", "B2")
    assert take(queue) == ["N1", "B1", "N2", "A1", "B2"]


def test_a_take_gives_no_more_than_its_limit(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "B1", "A1")
    assert take(queue, 2) == ["N1", "B1"]
    assert take(queue, 2) == ["A1"]


def test_an_id_is_put_once_for_ever(adapter: Adapter) -> None:
    queue = adapter.open()
    assert put(queue, "N1", "N2") == 2
    assert put(queue, "N2", "N3", "N3") == 1
    assert take(queue) == ["N1", "N2", "N3"]
    queue.done(["N1"])
    queue.bury(["N2"], "no")
    assert put(queue, "N1", "N2", "N3") == 0
    assert take(queue) == []


def test_a_put_of_nothing_changes_nothing(adapter: Adapter) -> None:
    queue = adapter.open()
    assert queue.put([]) == 0
    queue.done([])
    queue.back([], 0.0)
    queue.bury([], "no")
    assert queue.depth() == QueueDepth(waiting=0, taken=0, buried=0)


def test_what_is_taken_holds_back_its_key_and_no_other(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "N2", "B1")
    assert take(queue, 1) == ["N1"]
    assert take(queue) == ["B1"]
    queue.done(["N1"])
    assert take(queue) == ["N2"]


def test_what_is_done_never_comes_again(adapter: Adapter) -> None:
    queue = adapter.open(visibility_s=SHORT_S)
    put(queue, "N1", "N2")
    assert take(queue) == ["N1", "N2"]
    queue.done(["N1", "N2", "unheard of"])
    queue.back(["N1"], 0.0)
    adapter.pass_time(SHORT_S)
    assert take(queue) == []
    assert queue.depth() == QueueDepth(waiting=0, taken=0, buried=0)


def test_what_is_not_done_in_the_visibility_time_comes_again_before_its_like(adapter: Adapter) -> None:
    queue = adapter.open(visibility_s=SHORT_S)
    put(queue, "N1", "N2")
    assert take(queue, 1) == ["N1"]
    adapter.pass_time(SHORT_S)
    assert queue.depth() == QueueDepth(waiting=2, taken=0, buried=0)
    assert [(m.id, m.receives) for m in queue.take(2, 0.0)] == [("N1", 2), ("N2", 1)]


def test_what_is_given_back_comes_again_at_once_and_in_its_place(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "N2")
    assert take(queue, 1) == ["N1"]
    queue.back(["N1"], 0.0)
    assert take(queue) == ["N1", "N2"]


def test_what_is_given_back_with_a_delay_holds_back_its_key_until_then(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "N2", "B1")
    assert take(queue, 1) == ["N1"]
    delay_s = 0.3
    queue.back(["N1"], delay_s)
    assert queue.depth() == QueueDepth(waiting=3, taken=0, buried=0)
    assert take(queue) == ["B1"]
    adapter.pass_time(delay_s)
    assert take(queue) == ["N1", "N2"]


def test_what_was_never_taken_cannot_be_given_back_with_a_delay(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1")
    queue.back(["N1"], LONG_S)
    assert take(queue) == ["N1"]


def test_what_is_buried_is_a_dead_letter_with_its_reason_and_frees_its_key(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "N2")
    assert take(queue, 1) == ["N1"]
    queue.bury(["N1", "unheard of"], "cannot be read")
    assert queue.depth() == QueueDepth(waiting=1, taken=0, buried=1)
    assert [(letter.id, letter.body, reason) for letter, reason in queue.dead_letters()] == [
        ("N1", b"body of N1", "cannot be read")
    ]
    assert take(queue) == ["N2"]


def test_a_dead_letter_is_not_brought_back_by_done_or_back(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1")
    take(queue)
    queue.bury(["N1"], "no")
    queue.done(["N1"])
    queue.back(["N1"], 0.0)
    assert take(queue) == []
    assert queue.depth().buried == 1


def test_a_message_taken_too_often_is_buried_by_itself_and_frees_its_key(adapter: Adapter) -> None:
    queue = adapter.open(receives_max=2)
    put(queue, "N1", "N2")
    for _ in range(2):
        assert take(queue, 1) == ["N1"]
        queue.back(["N1"], 0.0)
    assert take(queue, 1) == ["N2"]
    assert [(letter.id, reason) for letter, reason in queue.dead_letters()] == [("N1", "taken 2 times without an end")]
    assert queue.depth() == QueueDepth(waiting=0, taken=1, buried=1)


def test_depth_counts_what_waits_is_taken_and_is_buried(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "A1", "B1", "C1", "D1", "E1", "F1")
    assert take(queue, 4) == ["A1", "B1", "C1", "D1"]
    queue.done(["A1"])
    queue.bury(["B1"], "no")
    assert queue.depth() == QueueDepth(waiting=2, taken=2, buried=1)


def test_a_consumer_that_starts_again_gets_back_at_once_what_it_had_taken(adapter: Adapter) -> None:
    queue = adapter.open()
    put(queue, "N1", "N2", "B1")
    assert take(queue, 2) == ["N1", "N2"]
    again = adapter.reopen()
    assert [(m.id, m.receives) for m in again.take(9, 0.0)] == [("N1", 2), ("N2", 2), ("B1", 1)]


# --- SQLite: several processes, queues and consumers on one file ------------------------------------------------------


def test_queues_of_one_file_know_nothing_of_each_other(files: SqliteRow) -> None:
    market, orders = files.open(), files.reopen("orders", "gateway", "gateway")
    put(market, "N1")
    put(orders, "N1", "N2")
    assert take(market) == ["N1"]
    assert take(orders) == ["N1", "N2"]
    market.done(["N1"])
    assert orders.depth().taken == 2


def test_two_consumers_of_a_queue_never_hold_the_same_message_or_key(files: SqliteRow) -> None:
    first = files.open()
    second = files.reopen(consumer="another")
    put(first, "N1", "N2", "B1")
    assert take(first, 1) == ["N1"]
    assert take(second) == ["B1"]
    second.back(["N1"], 0.0)  # it is not his to give back
    assert take(second) == []


def test_opening_under_another_name_takes_nothing_from_a_living_consumer(files: SqliteRow) -> None:
    queue = files.open()
    put(queue, "N1")
    assert take(queue) == ["N1"]
    assert files.reopen(consumer="view").depth() == QueueDepth(waiting=0, taken=1, buried=0)
    assert take(queue) == []


def test_after_a_new_start_of_the_machine_nothing_is_hidden(files: SqliteRow, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = files.open()
    put(queue, "N1", "B1")
    assert take(queue) == ["N1", "B1"]
    queue.back(["B1"], LONG_S)
    boot = files.home / "boot_id"
    boot.write_text("another start\n")
    monkeypatch.setattr("participant.adapters.queues.sqlite.BOOT_ID", boot)
    assert take(files.reopen(consumer="another")) == ["N1", "B1"]


def test_a_take_waits_for_the_first_message_and_is_woken_by_the_put(files: SqliteRow) -> None:
    queue = files.open()
    at: list[float] = []

    def put_soon() -> None:
        bell = Doorbell(files.home, "dispatcher")
        producer = SqliteQueue(files.home / "market.sqlite", "market", "ingest", bell)
        time.sleep(0.1)  # most likely the take waits by now; where it does not, it finds the message at once
        at.append(time.monotonic())
        put(producer, "N1")
        producer.close()
        bell.close()

    thread = threading.Thread(target=put_soon)
    thread.start()
    taken = queue.take(1, 20.0)
    thread.join()
    woken_after_s = time.monotonic() - at[0]
    assert [m.id for m in taken] == ["N1"]
    assert woken_after_s < 5.0, "the bell did not wake it; its time was nearly over"


def test_a_take_ends_when_its_time_is_over_and_not_before(files: SqliteRow) -> None:
    queue = files.open()
    before = time.monotonic()
    used = time.process_time()
    assert queue.take(1, 0.3) == []
    assert time.monotonic() - before >= 0.3
    assert time.process_time() - used < 0.15, "it spins"


def test_a_waiting_take_sees_a_message_whose_visibility_time_ends(files: SqliteRow) -> None:
    queue = files.open(visibility_s=0.2)
    put(queue, "N1")
    assert take(queue) == ["N1"]
    queue.take(1, 0.0)
    before = time.monotonic()
    found: list[Message] = []
    while not found and time.monotonic() - before < 20.0:
        found = queue.take(1, 20.0)
    assert [(m.id, m.receives) for m in found] == [("N1", 2)]
    assert time.monotonic() - before < 10.0


def test_one_bell_wakes_a_consumer_for_several_queues(files: SqliteRow) -> None:
    """A stage takes from one queue, and is rung for another: its take ends early, so that it can look there."""
    market = files.open()
    commands = files.reopen("commands", "desk", "dispatcher")
    assert market.take(1, 0.01) == []
    put(commands, "stop1")
    before = time.monotonic()
    assert market.take(1, 20.0) == []
    assert time.monotonic() - before < 10.0


def test_a_second_listener_of_a_bell_waits_without_it_and_never_too_long(tmp_path: Path) -> None:
    first, second = Doorbell(tmp_path, "desk"), Doorbell(tmp_path, "desk")
    assert first.listen()
    assert not second.listen()
    assert not second.wait(0.01)
    second.ring()
    assert first.wait(10.0)
    first.close()
    assert second.listen(), "the bell of a dead process is free"
    second.close()


def test_rings_that_nobody_hears_or_that_pile_up_do_no_harm(tmp_path: Path) -> None:
    bell, other_home = Doorbell(tmp_path, "desk"), Doorbell(tmp_path / "other", "desk")
    bell.ring()
    assert bell.listen()
    for _ in range(1_000):
        bell.ring()
    other_home.ring()
    assert bell.wait(10.0)
    assert not bell.wait(0.0), "many rings are one"
    bell.close()
    other_home.close()


def test_a_queue_and_a_store_share_a_file(files: SqliteRow) -> None:
    queue = files.open()
    store = SqliteStore(files.home / "market.sqlite", is_durable=False)
    assert store.commit([Write("snapshots", "NIFTY", b"1", 0)])
    put(queue, "N1")
    assert store.get("snapshots", "NIFTY") is not None
    assert take(queue) == ["N1"]
    store.close()


def test_of_a_done_message_only_the_body_goes(files: SqliteRow) -> None:
    queue = files.open()
    put(queue, "N1", "N2")
    take(queue)
    queue.done(["N1"])
    reader = sqlite3.connect(files.home / "market.sqlite")
    assert reader.execute("SELECT id, body FROM messages").fetchall() == [("N1", None), ("N2", b"body of N2")]
    reader.close()


def test_a_broken_file_is_told_in_one_line(files: SqliteRow) -> None:
    (files.home / "market.sqlite").write_bytes(b"this is no database " * 100)
    with pytest.raises(StoreBroken, match=r"market\.sqlite: file is not a database: .*move it away"):
        files.open()


CHILD = """
import sys
from pathlib import Path
from participant.adapters.queues.sqlite import QueueSettings, SqliteQueue
from participant.links.doorbell import Doorbell
from participant.core.messages import Message
home = Path(sys.argv[1])
queue = SqliteQueue(home / "market.sqlite", "market", "ingest", Doorbell(home, "dispatcher"), QueueSettings())
for batch in range(1_000_000):
    queue.put([Message(f"{batch}-{n}", f"K{n % 3}", b"x" * 3_000) for n in range(10)])
    print(batch, flush=True)
"""

CONSUMER = (
    CHILD.replace('"ingest"', '"dispatcher"').partition("for batch")[0]
    + """
print(len(queue.take(50, 5.0)), flush=True)
while True:
    queue.take(0, 5.0)
"""
)


def start(code: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(SRC)},
    )


def kill(child: subprocess.Popen[str]) -> str:
    """Kill -9; returns what it had still said."""
    assert child.stdout is not None
    child.send_signal(signal.SIGKILL)
    said = child.stdout.read()
    child.wait(30)
    child.stdout.close()
    return said


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_puts_killed_in_the_middle_are_whole_and_none_that_was_answered_is_lost(
    files: SqliteRow, acknowledged: int
) -> None:
    child = start(CHILD, files.home)
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(acknowledged)]
    said += kill(child).splitlines()
    answered = max(int(line) for line in said)
    found = take(files.open(), 100_000)
    assert len(found) % 10 == 0, "a batch is half written"
    assert set(found) >= {f"{batch}-{n}" for batch in range(answered + 1) for n in range(10)}


def test_a_consumer_killed_with_messages_in_hand_gets_them_again_after_its_restart(files: SqliteRow) -> None:
    queue = files.reopen(consumer="ingest")
    queue.put([message(str(n), f"K{n % 7}") for n in range(50)])
    child = start(CONSUMER, files.home)
    assert child.stdout is not None
    assert child.stdout.readline() == "50\n"
    kill(child)
    assert queue.depth() == QueueDepth(waiting=0, taken=50, buried=0)
    again = files.reopen()
    assert [(m.id, m.receives) for m in again.take(100, 0.0)] == [(str(n), 2) for n in range(50)]


def test_a_file_that_many_processes_make_at_once_is_whole(tmp_path: Path) -> None:
    code = CHILD.replace("range(1_000_000)", "range(3)").replace('f"{batch}-', 'f"{sys.argv[2]}-{batch}-')
    command = [sys.executable, "-c", code, str(tmp_path)]
    env = os.environ | {"PYTHONPATH": str(SRC)}
    children = [subprocess.Popen([*command, str(n)], stdout=subprocess.DEVNULL, env=env) for n in range(6)]
    assert [child.wait(60) for child in children] == [0] * 6
    row = SqliteRow(tmp_path)
    assert len(take(row.open(), 1_000)) == 6 * 3 * 10
    row.close()


def test_a_bell_may_ring_others_along(tmp_path: Path) -> None:
    bell, other = Doorbell(tmp_path, "market", "breaker"), Doorbell(tmp_path, "breaker")
    for ear in (bell, other):
        assert ear.listen()
    bell.ring()
    assert bell.wait(1.0)
    assert other.wait(1.0)
    other.ring()
    assert other.wait(1.0)
    assert not bell.wait(0.0), "and is not rung by them"
    for ear in (bell, other):
        ear.close()
