"""What the adapters on an order's way catch: each clause that the ports' suites do not reach is reached here."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.venue import VenueClock
from participant.adapters.compute.process import ProcessCompute
from participant.core.messages import Job, JobResult
from participant.links import http_link
from participant.links.frames import DEADLINE, HEAD
from participant.links.pool import PoolRule
from participant.ports import BrokerDown, StoreBroken
from participant.wire.json import encode
from participant.wire.venue import ClockRow
from tests.source import SRC

WITHIN_S = 10.0
PIPE_BYTES = 65_536  # what a pipe of Linux holds
Reply = Callable[[str], tuple[int, bytes]]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


@contextmanager
def server(reply: Reply) -> Iterator[str]:
    """A web server on loopback whose answers (status, body) depend on the path asked for."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = reply(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}"
        finally:
            served.shutdown()
            thread.join()


# --- the broker over HTTP ---------------------------------------------------------------------------------------------


def good(data: bytes) -> bytes:
    return b'{"status":"success","data":' + data + b"}"


@contextmanager
def broker(reply: Reply, timeout_s: float = 1.0) -> Iterator[HttpBroker]:
    with server(reply) as url:
        made = HttpBroker(url, timeout_s)
        try:
            yield made
        finally:
            made.close()


def test_a_session_without_its_update_stream_is_not_good() -> None:
    told = pytest.raises(BrokerDown, match="the update stream of http")
    with broker(lambda _: (200, good(b'{"user":"x"}')), timeout_s=0.2) as made, told:
        made.login()


def test_a_quote_that_is_none_is_no_quote_and_no_missing_one() -> None:
    row = b'[{"bid":"abc","ask":"1","bid_quantity":1,"ask_quantity":1,"exchange_at":1}]'
    with broker(lambda _: (200, good(row))) as made, pytest.raises(BrokerDown, match="abc"):
        made.quote("X")


def test_an_answer_that_is_too_long_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_link, "BODY_MAX_BYTES", 100)
    with broker(lambda _: (200, b" " * 1_000)) as made, pytest.raises(BrokerDown, match="the answer was too long"):
        made.orders()


# --- the venue's clock ------------------------------------------------------------------------------------------------

ROW = encode(ClockRow("2026-11-25", 5, 0.0, "lockstep"))


def test_the_clock_asks_again_while_the_venue_stumbles() -> None:
    answers = [(503, b""), (200, b"garbage"), (200, ROW)]
    with server(lambda _: answers.pop(0)) as url:
        clock = VenueClock(url)
        assert clock.now() == 5
        clock.close()
    assert answers == []


@pytest.mark.parametrize(("status", "told"), [(503, "answered 503"), (200, "Malformed")])
def test_a_venue_that_does_not_recover_is_told_of(status: int, told: str) -> None:
    with server(lambda _: (status, b"garbage")) as url:
        clock = VenueClock(url, patience_s=0.0)
        with pytest.raises(ConnectionError, match=f"the venue at {url}/clock {told}.*; is it running"):
            clock.now()
        clock.close()


def test_a_venue_that_refuses_is_not_asked_again() -> None:
    asked: list[str] = []

    def reply(path: str) -> tuple[int, bytes]:
        asked.append(path)
        return 404, b"no such page"

    with server(reply) as url:
        clock = VenueClock(url)
        with pytest.raises(ValueError, match="refuses: no such page"):
            clock.now()
        clock.close()
    assert asked == ["/clock"]


# --- brain workers ----------------------------------------------------------------------------------------------------


@contextmanager
def worker(code: str) -> Iterator[ProcessCompute]:
    made = ProcessCompute([sys.executable, "-c", code], PoolRule(1, 1_000), {"PYTHONPATH": str(SRC)})
    try:
        yield made
    finally:
        made.close()


def ended(compute: ProcessCompute) -> JobResult:
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        for result in compute.results(0.5):
            return result
    raise AssertionError("no job ended")


EARLY = """
import os, sys, time
from participant.links.frames import DONE, read_frame, write_frame
write_frame(sys.stdout.buffer, DONE, b"early")
while not os.path.exists(sys.argv[1]):
    time.sleep(0.005)
read_frame(sys.stdin.buffer)
write_frame(sys.stdout.buffer, DONE, read_frame(sys.stdin.buffer)[1][8:])
"""


def test_a_worker_whose_pipe_is_still_full_gets_the_next_job_when_there_is_room(tmp_path: Path) -> None:
    """It answers before it has read the first job, which fills the pipe; nothing of the second is lost."""
    whole = b"x" * (PIPE_BYTES - HEAD.size - DEADLINE.size)
    command = [sys.executable, "-c", EARLY, str(tmp_path / "read now")]
    compute = ProcessCompute(command, PoolRule(1, 1_000), {"PYTHONPATH": str(SRC)})
    try:
        compute.submit(Job("a", whole, WITHIN_S))
        assert ended(compute) == JobResult("a", "done", b"early")
        compute.submit(Job("b", b"the second", WITHIN_S))
        assert compute.results(0.05) == []
        (tmp_path / "read now").touch()
        assert ended(compute) == JobResult("b", "done", b"the second")
    finally:
        compute.close()


def test_a_worker_that_has_shut_its_ear_is_told_by_its_death() -> None:
    code = "import os, sys, time; os.close(0); os.write(1, b''); time.sleep(0.3); os._exit(3)"
    with worker(code) as compute:
        process = compute._workers[0].process
        assert process.stdin is not None
        until(lambda: is_shut(process.pid))
        compute.submit(Job("a", b"x", WITHIN_S))
        assert ended(compute) == JobResult("a", "error", reason="the worker died (exit status 3)")


def is_shut(pid: int) -> bool:
    return not Path(f"/proc/{pid}/fd/0").exists()


def test_a_worker_that_somebody_else_has_ended_and_waited_for_is_no_trouble_at_the_end() -> None:
    with worker("import time; time.sleep(300)") as compute:
        pid = compute._workers[0].process.pid
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        compute.close()
    assert not Path(f"/proc/{pid}").exists()


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "2026-11-25.jsonl").mkdir()
    archive = JsonlArchive(tmp_path)
    with pytest.raises(StoreBroken, match="decision log"):
        archive.read("2026-11-25")
    with pytest.raises(StoreBroken, match="decision log"):
        archive.count("2026-11-25")


UNSIGNED = """
import resource, sys
from pathlib import Path
from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.leases.file import FileLease
from participant.ports import StoreBroken
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
lease = FileLease(Path(sys.argv[1]), VirtualClock(0))
try:
    lease.take("a desk")
except StoreBroken as broken:
    print(broken, lease.is_held())
"""


def test_a_lease_that_the_disk_does_not_take_is_told_and_not_held(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UNSIGNED, str(tmp_path)]
    env = {"PYTHONPATH": str(SRC)}
    said = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.startswith(f"lease {tmp_path}/desk.lock: File too large: ")
    assert said.endswith("False\n")
