"""What a command ends with when something is raised that nobody expected."""

from argparse import Namespace

import pytest

from participant.commands.guard import run


def broken(_: Namespace) -> int:
    raise IndexError("tuple index out of range")


def test_a_fault_of_ours_keeps_its_traceback_and_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(broken, Namespace()) == 3
    told = capsys.readouterr().err
    assert 'raise IndexError("tuple index out of range")' in told
    assert told.endswith("participant: a fault of this program: IndexError: tuple index out of range\n")
