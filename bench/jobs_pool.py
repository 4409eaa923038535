"""Small jobs through a pool of workers, a hang at its deadline, and the same work beside Ray's."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from participant.adapters.compute.process import ProcessCompute
from participant.adapters.compute.zygote import ZygoteCompute
from participant.core.decision import DecisionInput
from participant.core.messages import Job
from participant.links.pool import PoolRule, WorkerPool
from participant.wire.json import encode

ROOT = Path(__file__).resolve().parents[1]
RAY = "ray==2.60.0"
LIMIT_S = 60.0
FLIGHT = 1_000  # jobs submitted and not fetched, where they are pipelined
# About 1 KB in; what a job does with it stands in jobs_peers.py as well, for Ray.
PAYLOAD = json.dumps({"id": "a" * 200, "numbers": list(range(1_000, 1_140))}).encode()
SMALL = """
import json
def work(body):
    given = json.loads(body)
    return json.dumps({"id": given["id"], "sum": sum(given["numbers"])}).encode()
"""
# The real brain, but for a word that hangs it.
BRAIN = """
from participant.config import load_rules
from participant.stages import decide
rules = load_rules()
assert rules.content_hash
def work(body):
    while body == b"hang":
        pass
    return decide.run(body, rules)
"""
SERVE = {
    "workers": "from participant.links.work import serve_stdio as serve\nserve(work, 512)",
    "zygote": "from participant.links.forks import serve_forking as serve\nserve(work, 512)",
}
KINDS: dict[str, type[WorkerPool]] = {"workers": ProcessCompute, "zygote": ZygoteCompute}


def pool(kind: str, work: str, count: int = 1) -> Any:
    """Processes of a kind that have answered once."""
    command = [sys.executable, "-c", f"{work}\n{SERVE[kind]}"]
    made = KINDS[kind](command, PoolRule(count, 10**9), {"PYTHONPATH": str(ROOT / "src")})
    for n in range(count * 8):
        made.submit(Job(f"warm {n}", PAYLOAD, LIMIT_S))
    fetched(made, count * 8)
    return made


def fetched(compute: Any, count: int) -> list[Any]:
    """The next results; at least so many."""
    found: list[Any] = []
    while len(found) < count:
        found += compute.results(1.0)
    return found


# --- pipes ------------------------------------------------------------------------------------------------------------


def one_by_one(compute: Any, count: int) -> float:
    """Jobs a second where each is awaited before the next."""
    began = time.perf_counter()
    for n in range(count):
        compute.submit(Job(str(n), PAYLOAD, LIMIT_S))
        fetched(compute, 1)
    return count / (time.perf_counter() - began)


def pipelined(compute: Any, count: int) -> float:
    """Jobs a second where up to FLIGHT are under way."""
    began, done, sent = time.perf_counter(), 0, 0
    while done < count:
        while sent < count and sent - done < FLIGHT:
            compute.submit(Job(str(sent), PAYLOAD, LIMIT_S))
            sent += 1
        done += len(compute.results(1.0))
    return count / (time.perf_counter() - began)


def measure_pipes(rounds: int) -> list[dict[str, Any]]:
    """Jobs of 1 KB: through one warm worker, through two, through one zygote; the median of the rounds and the best."""
    rows = []
    for kind, count, jobs in (("workers", 1, 5_000), ("workers", 2, 5_000), ("zygote", 1, 200)):
        compute = pool(kind, SMALL, count)
        singly = [one_by_one(compute, jobs) for _ in range(rounds)]
        many = [pipelined(compute, 4 * jobs) for _ in range(rounds)]
        compute.close()
        rows.append({"kind": kind, "processes": count, "singly": singly, "pipelined": many})
    return rows


def measure_hangs(given: DecisionInput, times: int = 20) -> list[dict[str, Any]]:
    """A hang of the brain at a deadline of 200 ms: when it is told, and when the next decision is there, after that."""
    rows, body, timeout_s = [], encode(given), 0.2
    for kind in KINDS:
        compute = pool(kind, BRAIN)
        told, replaced = [], []
        for n in range(times):
            due = time.perf_counter() + timeout_s
            compute.submit(Job(f"hang {n}", b"hang", timeout_s))
            (result,) = fetched(compute, 1)
            told.append(time.perf_counter() - due)
            if result.outcome != "timeout":
                raise SystemExit(f"a hang ended with {result}")
            compute.submit(Job(f"next {n}", body, LIMIT_S))
            (result,) = fetched(compute, 1)
            replaced.append(time.perf_counter() - due)
            if result.outcome != "done":
                raise SystemExit(f"the next job ended with {result}")
        compute.close()
        rows.append({"kind": kind, "told_s": told, "next_s": replaced})
    return rows


# --- beside Ray -------------------------------------------------------------------------------------------------------


def measure_ray(peers: Path, rounds: int) -> dict[str, Any]:
    """Round about: our pool and Ray's tasks and actor, two processes each, the same payload and work."""
    python = peers / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(peers)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", RAY], check=True)
    command = [str(python), "-W", "ignore", str(ROOT / "bench" / "jobs_peers.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as ray:
        assert ray.stdin is not None
        assert ray.stdout is not None
        ours = pool("workers", SMALL, 2)
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name, rate in (("ours, one at a time", one_by_one(ours, 4_000)), ("ours", pipelined(ours, 20_000))):
                found.setdefault(name, []).append(rate)
            ray.stdin.write(PAYLOAD.decode() + "\n")
            ray.stdin.flush()
            for name, rate in json.loads(ray.stdout.readline()).items():
                found.setdefault(name, []).append(rate)
        ours.close()
        ray.stdin.close()
        ray.wait(LIMIT_S)
    return found
