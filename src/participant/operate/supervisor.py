"""Keeps the desk's processes alive: starts each as a command, starts it again when it dies, up to a limit."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from participant.operate.environment import environment

PATIENCE_S = 5.0  # what a child has to write down as it ends fits in


class TooManyRestarts(Exception):
    """A process died again and again: which, how it ended, and where its log is."""


class Child(Struct):
    """One supervised process."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0


class Supervisor:
    """Runs every command as a child of its own; a crash of one stops no other."""

    def __init__(self, commands: Mapping[str, Sequence[str]], logs: Path, restarts_max: int) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.children = [Child(name, command, logs / f"{name}.log") for name, command in commands.items()]
        self.logs, self.restarts_max = logs, restarts_max

    def adopt(self, name: str, command: Sequence[str], process: subprocess.Popen[bytes]) -> None:
        """Take care of a process that runs already; `command` starts it again."""
        self.children.append(Child(name, command, self.logs / f"{name}.log", process))

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            if child.process is None:
                self._start(child)

    def tend(self) -> list[str]:
        """Start again what has died; returns a sentence for each."""
        told = []
        for child in self.children:
            code = child.process.poll() if child.process else 0
            if code is None:
                continue
            child.restarts += 1
            if child.restarts > self.restarts_max:
                said = child.log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
                raise TooManyRestarts(
                    f"{child.name} ended {child.restarts} times, last with status {code}: "
                    f"{said.removeprefix('participant: ')}; its log is {child.log}"
                )
            self._start(child)
            told.append(f"{child.name} ended with status {code} and was started again")
        return told

    def stop(self, patience_s: float = PATIENCE_S) -> None:
        """End every child: asked first, killed after `patience_s`."""
        running = [c.process for c in self.children if c.process and c.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + patience_s
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids, by name."""
        return {c.name: c.process.pid for c in self.children if c.process}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each was started again."""
        return {c.name: c.restarts for c in self.children}

    def _start(self, child: Child) -> None:
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(
                list(child.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(child.name, os.environ),
            )
