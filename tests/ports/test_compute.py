"""The Compute port's promise, held by every adapter; then what the worker processes promise besides."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from participant.adapters.compute.inline import InlineCompute
from participant.adapters.compute.process import ProcessCompute
from participant.core.messages import Job, JobResult
from participant.links.frames import DONE, ERROR, FRAME_MAX_BYTES, HEAD, JOB, FrameBroken, cut, frame, read_frame, serve
from participant.ports import Compute
from tests.source import SRC

LIMIT_S = 30.0

# What the workers and the inline adapter do with a job: its body is a word and perhaps more.
WORK = """
import os, sys, time

def work(body):
    word, _, rest = body.partition(b" ")
    if word == b"raise":
        raise LookupError(rest.decode())
    if word == b"pid":
        return str(os.getpid()).encode()
    if word == b"print":
        print("a strategy that prints")
        sys.stdout.flush()
    if word == b"die":
        os._exit(int(rest))
    if word == b"hang":
        while True:
            pass
    if word == b"garble":
        os.write(int(rest), b"this is no frame")
    if word == b"environment":
        return " ".join(sorted(os.environ)).encode()
    return word.upper() + rest
"""
WORKER = f"""{WORK}
from participant.links.frames import serve_stdio
serve_stdio(work)
"""
scope: dict[str, Callable[[bytes], bytes]] = {}
exec(WORK, scope)
ENV = {"PYTHONPATH": str(SRC)}


def workers(count: int, code: str = WORKER) -> ProcessCompute:
    return ProcessCompute([sys.executable, "-c", code], count, ENV)


ADAPTERS: dict[str, Callable[[], Compute]] = {
    "inline": lambda: InlineCompute(scope["work"]),
    "one process": lambda: workers(1),
    "three processes": lambda: workers(3),
}


@pytest.fixture(params=ADAPTERS)
def compute(request: pytest.FixtureRequest) -> Iterator[Compute]:
    made = ADAPTERS[request.param]()
    yield made
    made.close()


@pytest.fixture
def one() -> Iterator[ProcessCompute]:
    made = workers(1)
    yield made
    made.close()


def ended(compute: Compute, count: int) -> dict[str, JobResult]:
    """The next `count` results; fails where one comes twice or they do not come within the limit."""
    found: list[JobResult] = []
    until = time.monotonic() + LIMIT_S
    while len(found) < count and time.monotonic() < until:
        found += compute.results(1.0)
    assert len(found) == count
    assert len({result.id for result in found}) == count
    return {result.id: result for result in found}


def job(name: str, body: bytes, timeout_s: float = LIMIT_S) -> Job:
    return Job(name, body, timeout_s)


# --- every compute ----------------------------------------------------------------------------------------------------


def test_where_nothing_was_submitted_nothing_ends(compute: Compute) -> None:
    assert compute.results(0.0) == []


def test_a_job_gives_its_bytes_once(compute: Compute) -> None:
    compute.submit(job("a", b"echo \x00\xff"))
    assert ended(compute, 1) == {"a": JobResult("a", "done", b"ECHO\x00\xff")}
    assert compute.results(0.0) == []


def test_many_jobs_give_one_result_each(compute: Compute) -> None:
    for n in range(50):
        compute.submit(job(str(n), b"echo %d" % n))
    assert {name: result.body for name, result in ended(compute, 50).items()} == {
        str(n): b"ECHO%d" % n for n in range(50)
    }


def test_a_job_that_raises_is_an_error_with_its_text_and_the_next_one_runs(compute: Compute) -> None:
    compute.submit(job("bad", b"raise no such strike"))
    compute.submit(job("good", b"echo"))
    results = ended(compute, 2)
    assert results["bad"] == JobResult("bad", "error", reason="LookupError: no such strike")
    assert results["good"].outcome == "done"


def test_a_job_submitted_twice_before_its_result_is_fetched_gives_one_result(compute: Compute) -> None:
    compute.submit(job("a", b"echo"))
    compute.submit(job("a", b"echo"))
    assert list(ended(compute, 1)) == ["a"]
    compute.submit(job("b", b"echo"))
    assert list(ended(compute, 1)) == ["b"]


def test_a_job_whose_result_was_fetched_can_be_submitted_again(compute: Compute) -> None:
    compute.submit(job("a", b"raise once"))
    assert ended(compute, 1)["a"].outcome == "error"
    compute.submit(job("a", b"echo"))
    assert ended(compute, 1)["a"].outcome == "done"


def test_a_large_job_goes_through_whole(compute: Compute) -> None:
    compute.submit(job("large", b"echo " + b"x" * 3_000_000))
    assert ended(compute, 1)["large"].body == b"ECHO" + b"x" * 3_000_000


def test_what_a_job_prints_is_no_part_of_its_answer(compute: Compute) -> None:
    compute.submit(job("a", b"print"))
    assert ended(compute, 1)["a"].body == b"PRINT"


def test_a_job_over_the_limit_of_size_is_an_error_and_the_next_one_runs(one: ProcessCompute) -> None:
    one.submit(job("huge", b"x" * (FRAME_MAX_BYTES + 1)))
    one.submit(job("good", b"echo"))
    results = ended(one, 2)
    assert (results["huge"].outcome, results["good"].outcome) == ("error", "done")


# --- processes --------------------------------------------------------------------------------------------------------


def test_a_job_runs_in_another_process_that_stays_warm(one: ProcessCompute) -> None:
    pids = set()
    for n in range(3):
        one.submit(job(str(n), b"pid"))
        pids.add(int(ended(one, 1)[str(n)].body))
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_a_hung_job_is_killed_at_its_deadline_and_the_next_one_gets_a_fresh_process(one: ProcessCompute) -> None:
    one.submit(job("pid", b"pid"))
    before = int(ended(one, 1)["pid"].body)
    started = time.monotonic()
    one.submit(job("hung", b"hang", timeout_s=0.3))
    one.submit(job("next", b"pid"))
    results = ended(one, 2)
    assert time.monotonic() - started >= 0.3
    assert results["hung"] == JobResult("hung", "timeout", reason="its time was over")
    assert int(results["next"].body) != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_the_time_of_a_job_runs_while_it_waits_for_a_worker(one: ProcessCompute) -> None:
    one.submit(job("hung", b"hang", timeout_s=0.6))
    one.submit(job("waits", b"echo", timeout_s=0.2))
    assert ended(one, 1)["waits"].outcome == "timeout"
    assert ended(one, 1)["hung"].outcome == "timeout"


def test_the_deadline_holds_for_a_worker_that_reads_nothing() -> None:
    """The pipe fills, and writing to it must not hang us."""
    deaf = workers(1, "import time\ntime.sleep(600)")
    deaf.submit(job("large", b"x" * 3_000_000, timeout_s=0.2))
    assert ended(deaf, 1)["large"].outcome == "timeout"
    deaf.close()


def test_results_waits_no_longer_than_it_may(one: ProcessCompute) -> None:
    one.submit(job("hung", b"hang"))
    before, used = time.monotonic(), time.process_time()
    assert one.results(0.3) == []
    assert time.monotonic() - before >= 0.3
    assert time.process_time() - used < 0.15, "it spins"


def test_results_comes_back_as_soon_as_a_deadline_has_passed(one: ProcessCompute) -> None:
    one.submit(job("hung", b"hang", timeout_s=0.1))
    one.submit(job("hangs on", b"hang"))
    before = time.monotonic()
    assert [result.id for result in one.results(20.0)] == ["hung"]
    assert time.monotonic() - before < 10.0


def test_the_death_of_a_worker_is_the_jobs_error_and_the_next_job_runs(one: ProcessCompute) -> None:
    one.submit(job("dies", b"die 3"))
    one.submit(job("next", b"echo"))
    results = ended(one, 2)
    assert results["dies"].outcome == "error"
    assert "the worker died" in results["dies"].reason
    assert results["next"].outcome == "done"


def test_a_worker_killed_from_outside_in_the_middle_is_an_error(one: ProcessCompute) -> None:
    one.submit(job("pid", b"pid"))
    pid = int(ended(one, 1)["pid"].body)
    one.submit(job("hung", b"hang"))
    os.kill(pid, signal.SIGKILL)
    assert ended(one, 1)["hung"].outcome == "error"


def test_a_worker_that_died_while_idle_costs_no_job(one: ProcessCompute) -> None:
    one.submit(job("pid", b"pid"))
    pid = int(ended(one, 1)["pid"].body)
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + LIMIT_S
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.01)
    one.submit(job("next", b"echo"))
    assert ended(one, 1)["next"].outcome == "done"


def test_a_garbled_answer_is_an_error_and_the_next_job_runs() -> None:
    garbling = workers(1, WORKER.replace("serve_stdio(work)", "out = os.dup(1); assert out == 3; serve_stdio(work)"))
    garbling.submit(job("bad", b"garble 3"))
    garbling.submit(job("good", b"echo"))
    results = ended(garbling, 2)
    assert results["bad"].outcome == "error"
    assert "garbled" in results["bad"].reason
    assert results["good"].outcome == "done"
    garbling.close()


def test_a_command_that_cannot_run_ends_each_job_with_an_error() -> None:
    broken = workers(2, "raise SystemExit(9)")
    for n in range(3):
        broken.submit(job(str(n), b"echo"))
    assert {result.outcome for result in ended(broken, 3).values()} == {"error"}
    broken.close()


def test_workers_inherit_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_TOKEN", "secret")
    monkeypatch.setenv("PYTHONPATH", str(SRC))
    for env in (None, ENV):
        compute = ProcessCompute([sys.executable, "-c", WORKER], 1, env)
        compute.submit(job("a", b"environment"))
        names = ended(compute, 1)["a"].body.decode().split()
        assert set(names) <= {"PATH", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE"}
        assert "PYTHONPATH" in names
        compute.close()


def test_close_ends_every_worker_at_work_or_not() -> None:
    compute = workers(2)
    for n in range(2):
        compute.submit(job(str(n), b"pid"))
    pids = {int(result.body) for result in ended(compute, 2).values()}
    compute.submit(job("hung", b"hang"))
    compute.close()
    assert [pid for pid in pids if is_running(pid)] == []
    assert compute.results(0.0) == []


@pytest.mark.parametrize("work", [b"", frame(JOB, b"hang")], ids=["idle", "in a hung job"])
def test_a_worker_ends_when_the_desk_is_gone(work: bytes) -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(frame(JOB, b"echo 1") + work)
    worker.stdin.flush()
    answer = frame(DONE, b"ECHO1")
    assert worker.stdout.read(len(answer)) == answer
    assert worker.communicate(timeout=LIMIT_S)[0] == b""
    assert worker.returncode == 0


def is_running(pid: int) -> bool:
    """Whether a process of this id lives; one that ended and was not yet waited for does not."""
    stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(stat.strip()) and not stat.startswith("Z")


# --- frames -----------------------------------------------------------------------------------------------------------


def test_a_frame_is_cut_only_when_it_is_whole() -> None:
    whole = frame(DONE, b"answer") + frame(ERROR, b"")
    buffer = bytearray()
    found = []
    for byte in whole:
        buffer.append(byte)
        found.append(cut(buffer))
    assert [one for one in found if one is not None] == [(DONE, b"answer"), (ERROR, b"")]
    assert found.index((DONE, b"answer")) == HEAD.size + len(b"answer") - 1
    assert buffer == b""


@pytest.mark.parametrize("head", [b"x\0\0\0\0", b"j\xff\xff\xff\xff", b"HTTP/"])
def test_what_does_not_begin_as_a_frame_is_refused_before_it_is_read(head: bytes) -> None:
    with pytest.raises(FrameBroken, match="no frame begins with"):
        cut(bytearray(head))
    with pytest.raises(FrameBroken, match="no frame begins with"):
        read_frame(io.BytesIO(head))


def test_a_stream_that_ends_between_frames_ends_and_within_one_is_broken() -> None:
    assert read_frame(io.BytesIO(b"")) is None
    for cut_at in (1, HEAD.size, HEAD.size + 2):
        with pytest.raises(FrameBroken, match="ended within"):
            read_frame(io.BytesIO(frame(JOB, b"body")[:cut_at]))


def test_serving_answers_each_job_in_order_and_goes_on_after_an_exception() -> None:
    asked = io.BytesIO(frame(JOB, b"a") + frame(JOB, b"") + frame(JOB, b"b"))
    answered = io.BytesIO()
    serve(asked, answered, lambda body: body * (2 // len(body)))
    answered.seek(0)
    assert read_frame(answered) == (DONE, b"aa")
    error = read_frame(answered)
    assert error is not None
    assert error[0] == ERROR
    assert error[1].startswith(b"ZeroDivisionError: ")
    assert read_frame(answered) == (DONE, b"bb")
    assert read_frame(answered) is None
