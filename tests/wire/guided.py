"""Fuzzing that follows coverage: an input that reaches a new branch of `participant.wire` is kept and bent further.

    python -m tests.wire.guided [--seconds N] [TARGET ...]

Each target has a process of its own, in which libFuzzer (by Atheris) makes the inputs. An input that breaks what must
hold (`guided_targets`) is left in a file that is named, and the command ends with status 1, as it does where a target
has not ended in time: that one is stopped, and the next begins.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.source import ROOT

LONGEST = 4_096  # bytes of an input
MEMORY_MB = 1_024  # of the process; with all that is imported it needs a fourth of it
PATIENCE_S = 120  # to import and to end


def run(target: str, seconds: int, keep: Path) -> str:
    """What came of a target: its inputs and branches. Raises AssertionError with what broke."""
    words = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY_MB}", "-timeout=10"]
    words += ["-seed=1", f"-artifact_prefix={keep}/broken-"]
    command = [sys.executable, "-m", "tests.wire.guided", "--inside", target, *words]
    most = seconds + PATIENCE_S
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=most, check=False
        )
    except subprocess.TimeoutExpired as late:  # the process is gone; a machine under load may be all that it was
        last = (late.stderr or b"").splitlines()[-1:]
        raise AssertionError(
            f"{target}: not ended in time: {seconds} s asked, {most:g} s allowed; last {last}"
        ) from late
    assert not done.returncode, f"{target}: {(done.stdout + done.stderr)[-3_000:]}"
    branches = re.findall(r"cov: (\d+)", done.stderr)
    inputs = re.findall(r"Done (\d+) runs", done.stderr)
    assert branches, done.stderr[-3_000:]
    assert inputs, done.stderr[-3_000:]
    return f"{target}: {int(inputs[-1]):,} inputs, {int(branches[-1]):,} branches reached"


def inside(target: str, words: list[str], planted: Callable[[bytes], None] | None = None) -> None:
    """Be the process that fuzzes this target, or what a test has planted in its place."""
    import atheris

    with atheris.instrument_imports(include=["participant.wire"]):
        from tests.wire import guided_targets as of
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(of.sound(target)):
            Path(corpus, f"{number}").write_bytes(data)
        atheris.Setup([sys.argv[0], *words, corpus], of.begin(planted or of.targets()[target]))
        atheris.Fuzz()


def main() -> int:
    """Fuzz the targets that are named, or all, one after the other."""
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
        return 0
    from tests.wire.guided_targets import targets

    parser = argparse.ArgumentParser("tests.wire.guided", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()), help="where a broken input is left")
    parser.add_argument("target", nargs="*", help=", ".join(targets()))
    asked = parser.parse_args()
    failed = 0
    for target in asked.target or targets():
        try:
            said = run(target, asked.seconds, asked.keep)
        except AssertionError as broken:
            said, failed = str(broken), 1
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
