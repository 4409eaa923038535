"""The Compute port's promise, held by every adapter; then what the worker processes promise besides."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from participant.adapters.compute.inline import InlineCompute
from participant.adapters.compute.process import ProcessCompute
from participant.adapters.compute.zygote import ZygoteCompute
from participant.core.market import SECOND
from participant.core.messages import Job, JobResult
from participant.links.frames import (
    DONE,
    ERROR,
    FRAME_MAX_BYTES,
    HEAD,
    JOB,
    LATE,
    FrameBroken,
    cut,
    frame,
    job_frame,
    read_frame,
)
from participant.links.pool import PoolRule, WorkerPool
from participant.links.work import NO_MEMORY, in_time, serve
from participant.links.workers import HANDED_MAX
from participant.ports import Compute
from tests.source import SRC

LIMIT_S = 30.0
FAR = 1 << 62  # a deadline (ns) that never comes

# What the workers and the inline adapter do with a job: its body is a word and perhaps more.
WORK = """
import os, re, sys, time

seen = []

def wait(*_):
    time.sleep(600)

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
    if word == b"touch":
        open(rest, "w").close()
    if word == b"take":
        bytearray(int(rest) << 20)
    if word == b"fill":
        return b"%d" % len([bytes(1_000_000) for _ in range(int(rest))])
    if word == b"hold":
        open(rest, "w").close()
        re.match("(a+)+$", "a" * 60 + "b")  # one operation without end, no other thread runs, no memory
    if word == b"remember":
        seen.append(body)
        return b"%d" % len(seen)
    if word == b"await":
        while not os.path.exists(rest):
            time.sleep(0.005)
    if word == b"once":
        if os.path.exists(rest):
            time.sleep(600)
        open(rest, "w").close()
    if word == b"files":
        return b"0 1 2" + b" one more" * (len(os.listdir("/proc/self/fd")) - 4)
    if word == b"family":
        child = os.fork()
        if child == 0:
            time.sleep(600)
        with open(rest, "w") as note:
            note.write(f"{os.getpid()} {child}")
        time.sleep(600)
    if word == b"environment":
        return " ".join(sorted(os.environ)).encode()
    return word.upper() + rest
"""
WORKER = f"""{WORK}
from participant.links.work import serve_stdio
serve_stdio(work, 256)
"""
FORKER = f"""{WORK}
from participant.links.forks import serve_forking
serve_forking(work, 256)
"""
scope: dict[str, Callable[[bytes], bytes]] = {}
exec(WORK, scope)
ENV = {"PYTHONPATH": str(SRC)}


def workers(count: int, code: str = WORKER, jobs_max: int = 5_000) -> ProcessCompute:
    return ProcessCompute([sys.executable, "-c", code], PoolRule(count, jobs_max), ENV)


def zygotes(count: int, code: str = FORKER, jobs_max: int = 5_000) -> ZygoteCompute:
    return ZygoteCompute([sys.executable, "-c", code], PoolRule(count, jobs_max), ENV)


ADAPTERS: dict[str, Callable[[], Compute]] = {
    "inline": lambda: InlineCompute(scope["work"]),
    "one process": lambda: workers(1),
    "three processes": lambda: workers(3),
    "one zygote": lambda: zygotes(1),
    "two zygotes": lambda: zygotes(2),
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


@pytest.fixture(params=["a worker", "a zygote"])
def single(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    """One process, of either kind."""
    made = workers(1) if request.param == "a worker" else zygotes(1)
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
        compute = ProcessCompute([sys.executable, "-c", WORKER], PoolRule(1, 10), env)
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


@pytest.mark.parametrize("work", [b"", job_frame(FAR, b"hang")], ids=["idle", "in a hung job"])
def test_a_worker_ends_when_the_desk_is_gone(work: bytes) -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(job_frame(FAR, b"echo 1") + work)
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
    said = served([job_frame(FAR, body) for body in (b"a", b"", b"b")], lambda body: body * (2 // len(body)))
    assert [kind for kind, _ in said] == [DONE, ERROR, DONE]
    assert said[0] == (DONE, b"aa")
    assert said[1][1].startswith(b"ZeroDivisionError: ")
    assert said[2] == (DONE, b"bb")


def test_a_job_without_a_deadline_is_no_job() -> None:
    with pytest.raises(FrameBroken, match="has no deadline"):
        served([frame(JOB, b"short")], bytes.upper)


# --- the deadline at every point --------------------------------------------------------------------------------------


def served(frames: list[bytes], handle: Callable[[bytes], bytes], *times: int) -> list[tuple[bytes, bytes]]:
    """What a worker answers to these frames, with a clock that shows these times (ns) and then the last for ever."""
    shown = list(times) or [0]
    read, write = io.BytesIO(b"".join(frames)), io.BytesIO()

    def clock() -> int:
        return shown.pop(0) if len(shown) > 1 else shown[0]

    serve(read, write, lambda deadline_ns, body: in_time(handle, body, deadline_ns, clock))
    write.seek(0)
    return list(iter(lambda: read_frame(write), None))


def never(body: bytes) -> bytes:
    raise AssertionError(f"a job was started after its deadline: {body!r}")


def test_a_job_whose_deadline_is_over_is_never_started(compute: Compute) -> None:
    """At submit: its time is over as it is handed over; in every kind of process nothing of it runs."""
    compute.submit(job("over", b"raise it was started", timeout_s=0.0))
    compute.submit(job("long over", b"raise it was started", timeout_s=-5.0))
    compute.submit(job("next", b"echo"))
    results = ended(compute, 3)
    assert results["over"] == JobResult("over", "timeout", reason="its time was over")
    assert results["long over"] == JobResult("long over", "timeout", reason="its time was over")
    assert results["next"].outcome == "done"


def test_a_worker_starts_no_job_whose_deadline_has_passed_on_the_way() -> None:
    """At start: the job was handed over in time, and waited in the pipe."""
    assert served([job_frame(10, b"a")], never, 10) == [(LATE, b"")]
    assert served([job_frame(10, b"a")], bytes.upper, 9) == [(DONE, b"A")]


def test_a_worker_keeps_the_answer_of_a_job_that_took_too_long_to_itself() -> None:
    """Before emit: begun in time and ended after the deadline, with an answer or with an error."""
    assert served([job_frame(10, b"a")], bytes.upper, 9, 10) == [(LATE, b"")]
    assert served([job_frame(10, b"a")], lambda _: b"" * (1 // 0), 9, 10) == [(LATE, b"")]
    assert served([job_frame(10, b"a")], bytes.upper, 8, 9) == [(DONE, b"A")]


def test_in_our_own_process_what_comes_late_does_not_count() -> None:
    times = iter([0, 0, 5_000_000_000, 5_000_000_000, 5_000_000_000, 15_000_000_000])
    compute = InlineCompute(bytes.upper, lambda: next(times))
    compute.submit(job("in time", b"a", timeout_s=10.0))
    compute.submit(job("late", b"a", timeout_s=10.0))
    assert [(r.id, r.outcome) for r in compute.results(0.0)] == [("in time", "done"), ("late", "timeout")]


def test_what_waited_behind_a_hang_until_its_own_deadline_is_not_started(single: WorkerPool, tmp_path: Path) -> None:
    trace = tmp_path / "it was started"
    single.submit(job("hung", b"hang", timeout_s=0.4))
    single.submit(job("waits", b"touch %s" % bytes(trace), timeout_s=0.4))
    assert {name: result.outcome for name, result in ended(single, 2).items()} == dict.fromkeys(
        ("hung", "waits"), "timeout"
    )
    assert not trace.exists()


# --- memory -----------------------------------------------------------------------------------------------------------


def test_a_job_over_its_memory_is_an_error_that_says_so_and_the_next_one_runs(single: WorkerPool) -> None:
    for name, body in (("one block", b"take 400"), ("many blocks", b"fill 400")):
        single.submit(job(name, body))
        single.submit(job(f"after {name}", b"take 20"))
        results = ended(single, 2)
        assert results[name] == JobResult(name, "error", reason=NO_MEMORY.decode())
        assert results[f"after {name}"].outcome == "done"


def test_a_worker_that_ran_out_of_memory_is_replaced(one: ProcessCompute) -> None:
    before = pid_of(one)
    one.submit(job("large", b"take 400"))
    assert ended(one, 1)["large"].outcome == "error"
    assert pid_of(one) != before


def test_an_input_that_does_not_fit_into_memory_is_an_error_that_says_so() -> None:
    small = workers(1, WORKER.replace("256", "32"))
    small.submit(job("large", b"echo " + b"x" * (60 << 20)))
    small.submit(job("next", b"echo"))
    results = ended(small, 2)
    assert results["large"] == JobResult("large", "error", reason=NO_MEMORY.decode())
    assert results["next"].outcome == "done"
    small.close()


def test_what_a_worker_leaks_does_not_add_up_for_it_is_replaced_while_nothing_is_to_be_done() -> None:
    compute = workers(1, jobs_max=3)
    pids = [pid_of(compute) for _ in range(9)]
    assert [len(set(pids[i : i + 3])) for i in (0, 3, 6)] == [1, 1, 1]
    assert len(set(pids)) == 3
    compute.close()


def test_the_kernel_ends_a_job_that_holds_the_interpreter_when_nobody_is_left_to_kill_it(tmp_path: Path) -> None:
    """No thread of the worker's own can run: it is the limit on the processor's time that ends it."""
    trace = tmp_path / "it holds"
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    assert worker.stdin is not None
    worker.stdin.write(job_frame(time.monotonic_ns() + SECOND, b"hold %s" % bytes(trace)))
    worker.stdin.flush()
    until(trace.exists)
    worker.communicate(timeout=LIMIT_S)
    assert worker.returncode == -signal.SIGXCPU


# --- more than one job handed to a worker -----------------------------------------------------------------------------


def test_what_was_handed_to_a_worker_that_dies_runs_elsewhere_and_only_the_first_is_to_blame(
    one: ProcessCompute,
) -> None:
    one.submit(job("dies", b"die 3"))
    for n in range(2 * HANDED_MAX):
        one.submit(job(str(n), b"echo %d" % n))
    results = ended(one, 2 * HANDED_MAX + 1)
    assert results.pop("dies").outcome == "error"
    assert {name: result.body for name, result in results.items()} == {
        str(n): b"ECHO%d" % n for n in range(2 * HANDED_MAX)
    }


def test_an_idle_worker_takes_over_what_waits_behind_a_job_that_takes_long(tmp_path: Path) -> None:
    """The slow worker runs its copy after all; one result comes all the same, and later jobs get their own."""
    compute, gate = workers(2), tmp_path / "open"
    compute.submit(job("slow", b"await %s" % bytes(gate)))
    compute.submit(job("other", b"echo 0"))
    compute.submit(job("behind", b"echo 1"))
    slow, early = compute._workers[0], {result.id: result.body for result in compute.results(0.0)}
    assert [held.id for held in slow.handed] == ["slow", "behind"]
    found = early | {name: result.body for name, result in ended(compute, 2 - len(early)).items()}
    assert found == {"other": b"ECHO0", "behind": b"ECHO1"}
    gate.touch()
    assert ended(compute, 1)["slow"].outcome == "done"
    for n in range(40):
        compute.submit(job(str(n), b"echo %d" % n))
    assert all(result.body == b"ECHO%d" % int(name) for name, result in ended(compute, 40).items())
    assert slow.process.poll() is None
    compute.close()


def test_a_copy_that_hangs_costs_its_worker_and_no_result(tmp_path: Path) -> None:
    """Taken over by another, and done there; the first worker then hangs in its copy and is replaced."""
    compute, gate = workers(2), tmp_path / "open"
    compute.submit(job("slow", b"await %s" % bytes(gate)))
    compute.submit(job("other", b"echo 0"))
    compute.submit(job("behind", b"once %s" % bytes(tmp_path / "it ran"), timeout_s=1.0))
    early = {result.id for result in compute.results(0.0)}
    assert early | set(ended(compute, 2 - len(early))) == {"other", "behind"}
    before = compute._workers[0].process.pid
    gate.touch()
    compute.submit(job("long", b"await %s" % bytes(tmp_path / "later")))
    assert set(ended(compute, 1)) == {"slow"}
    until(lambda: not compute.results(0.05) and compute._workers[0].process.pid != before)
    (tmp_path / "later").touch()
    assert ended(compute, 1)["long"].outcome == "done"
    compute.close()


# --- zygotes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def zygote() -> Iterator[ZygoteCompute]:
    made = zygotes(1)
    yield made
    made.close()


def test_every_job_has_a_fresh_process_and_its_zygote_stays(zygote: ZygoteCompute) -> None:
    stays = zygote._workers[0].process.pid
    pids = {pid_of(zygote) for _ in range(5)}
    assert len(pids) == 5
    assert stays not in pids
    assert zygote._workers[0].process.pid == stays
    assert [pid for pid in pids if exists(pid)] == [], "each was waited for"


def test_what_a_job_leaves_in_memory_no_other_job_meets(zygote: ZygoteCompute) -> None:
    said = []
    for n in range(3):
        zygote.submit(job(str(n), b"remember"))
        said.append(ended(zygote, 1)[str(n)].body)
    assert said == [b"1", b"1", b"1"]


def test_a_hung_job_is_killed_by_its_zygote_with_what_it_started(zygote: ZygoteCompute, tmp_path: Path) -> None:
    stays, note = zygote._workers[0].process.pid, tmp_path / "pids"
    zygote.submit(job("hung", b"family %s" % bytes(note), timeout_s=1.0))
    assert ended(zygote, 1)["hung"] == JobResult("hung", "timeout", reason="its time was over")
    pids = [int(pid) for pid in note.read_text().split()]
    assert len(pids) == 2
    until_gone(*pids)
    zygote.submit(job("next", b"echo"))
    assert ended(zygote, 1)["next"].outcome == "done"
    assert zygote._workers[0].process.pid == stays


def test_a_zygote_that_does_not_keep_the_deadline_is_killed_with_its_child(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    deaf = zygotes(
        1,
        FORKER.replace(
            "serve_forking(work", "import participant.links.forks as f\nf._heard = wait\nf.serve_forking(work"
        ),
    )
    deaf.submit(job("hung", b"family %s" % bytes(note), timeout_s=1.0))
    assert ended(deaf, 1)["hung"].outcome == "timeout"
    child, grandchild = (int(pid) for pid in note.read_text().split())
    until_gone(child)
    deaf.close()
    os.kill(grandchild, signal.SIGKILL)  # the kernel ends the child alone; what a job forks is nobody's then


def test_a_job_has_no_pipe_of_its_zygote(zygote: ZygoteCompute) -> None:
    zygote.submit(job("a", b"files"))
    assert ended(zygote, 1)["a"].body == b"0 1 2 one more"


def test_a_zygote_with_two_threads_does_not_fork() -> None:
    busy = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    command, pipe = [sys.executable, "-c", busy + FORKER], subprocess.PIPE
    said = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=ENV, check=False)
    assert b"RuntimeError: a zygote must have one thread" in said.stderr


def test_a_zygote_ends_with_the_desk_and_takes_the_job_along(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    process = subprocess.Popen([sys.executable, "-c", FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    assert process.stdin is not None
    process.stdin.write(job_frame(FAR, b"family %s" % bytes(note)))
    process.stdin.flush()
    until(lambda: note.exists() and len(note.read_text().split()) == 2)
    assert process.communicate(timeout=LIMIT_S)[0] == b""
    assert process.returncode == 0
    until_gone(*[int(pid) for pid in note.read_text().split()])


def test_a_zygote_whose_answer_nobody_reads_any_more_ends_in_peace() -> None:
    process = subprocess.Popen([sys.executable, "-c", FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.write(job_frame(FAR, b"echo"))
    process.stdin.flush()
    assert process.wait(LIMIT_S) == 0
    process.communicate()


def pid_of(compute: WorkerPool) -> int:
    """The process that runs the next job."""
    compute.submit(job("pid", b"pid"))
    return int(ended(compute, 1)["pid"].body)


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def until_gone(*pids: int) -> None:
    until(lambda: not any(is_running(pid) for pid in pids))
