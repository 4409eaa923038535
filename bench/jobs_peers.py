"""What bench/jobs.py runs in the environment of Ray: for each line of input, a payload, one line of rates as JSON."""

import json
import sys
import time

import ray

ONE_BY_ONE, MANY = 300, 2_000


def work(body: bytes) -> bytes:
    """What a job of bench/jobs.py does."""
    given = json.loads(body)
    return json.dumps({"id": given["id"], "sum": sum(given["numbers"])}).encode()


@ray.remote
def task(body: bytes) -> bytes:
    return work(body)


@ray.remote
class Actor:
    def work(self, body: bytes) -> bytes:
        return work(body)


def rates(call, body: bytes) -> tuple[float, float]:
    """Tasks a second, each awaited before the next, and all submitted at once."""
    began = time.perf_counter()
    for _ in range(ONE_BY_ONE):
        ray.get(call(body))
    singly = ONE_BY_ONE / (time.perf_counter() - began)
    began = time.perf_counter()
    ray.get([call(body) for _ in range(MANY)])
    return singly, MANY / (time.perf_counter() - began)


def main() -> None:
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    actor = Actor.remote()
    ray.get([task.remote(b'{"id": "", "numbers": []}') for _ in range(50)])
    for line in sys.stdin:
        body, found = line.strip().encode(), {}
        for name, call in (("task", task.remote), ("actor", actor.work.remote)):
            found[f"{name}, one at a time"], found[f"{name}, pipelined"] = rates(call, body)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
