"""Brain jobs in warm worker processes of this machine, one job a process at a time, killed hard at the deadline."""

from participant.links.pool import WorkerPool


class ProcessCompute(WorkerPool):
    """Each process runs many jobs, one after the other (`serve_stdio`): fastest, and what a job leaves behind stays.

    One that hangs at the deadline, dies or needs more memory than it may have is replaced.
    """
