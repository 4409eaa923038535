"""A worker's life on its pipes, where the desk goes away in the middle of it."""

import subprocess
import sys

from participant.links.frames import job_frame
from tests.source import SRC

ECHO = "from participant.links.work import serve_stdio; serve_stdio(lambda body: body, 256)"


def test_a_worker_whose_answer_nobody_reads_any_more_ends_in_peace() -> None:
    pipe = subprocess.PIPE
    command, env = [sys.executable, "-c", ECHO], {"PYTHONPATH": str(SRC)}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, bufsize=0) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        worker.stdout.close()
        worker.stdin.write(job_frame(1 << 62, b"work"))
        assert worker.wait(30.0) == 0
        assert worker.stderr.read() == b""
