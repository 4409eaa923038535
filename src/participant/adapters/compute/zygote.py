"""Brain jobs each in a fresh process, forked from a warm one that never runs a job itself."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from participant.links.pool import PoolRule, WorkerPool

GRACE_S = 0.1


class ZygoteCompute(WorkerPool):
    """Each process is a zygote (`serve_forking`), which kills a job at its deadline and stays warm.

    No job meets anything of another. A zygote that does not keep the deadline itself is killed GRACE_S after it.
    """

    def __init__(self, command: Sequence[str], rule: PoolRule, env: Mapping[str, str] | None = None) -> None:
        super().__init__(command, replace(rule, grace_s=GRACE_S), env)
