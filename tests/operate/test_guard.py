"""What a command ends with when something is raised that nobody expected."""

import importlib
import subprocess
import sys
from argparse import Namespace

import pytest

from participant.commands.guard import ENDS, run


def broken(_: Namespace) -> int:
    raise IndexError("tuple index out of range")


def test_a_fault_of_ours_keeps_its_traceback_and_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(broken, Namespace()) == 3
    told = capsys.readouterr().err
    assert 'raise IndexError("tuple index out of range")' in told
    assert told.endswith("participant: a fault of this program: IndexError: tuple index out of range\n")


@pytest.mark.parametrize("name", ENDS)
def test_what_a_person_can_mend_is_one_line_whoever_raises_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, _, kind = name.rpartition(".")
    special = type("Special", (getattr(importlib.import_module(module), kind),), {})

    def command(_: Namespace) -> int:
        raise special("see to it")

    assert run(command, Namespace()) == ENDS[name]
    assert capsys.readouterr().err == "participant: see to it\n"


def test_a_command_does_not_load_the_desk_to_know_its_faults() -> None:
    code = "import sys, participant.commands.guard; sys.exit(any('operate' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
