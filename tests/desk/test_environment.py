"""No process of a running desk holds a secret that it is not there for: read from the kernel, not from our words."""

from pathlib import Path

from tests.desk.runs import MADE, PROCESSES, Desk

SECRETS = {
    "PARTICIPANT_OPENALGO_API_KEY": "canary-of-the-broker",
    "PARTICIPANT_OPENALGO_PROFILE": "paper",
    "PARTICIPANT_NOTIFY_WEBHOOK": "json://127.0.0.1:9/canary-of-a-channel",
    "CLOUD_SECRET_ACCESS_KEY": "canary-of-the-cloud",
}


def inherited(pid: int) -> str:
    """The environment that a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes().decode()


def test_a_brain_worker_holds_no_secret_and_no_process_holds_one_that_it_is_not_there_for(tmp_path: Path) -> None:
    with Desk(tmp_path / "home", *MADE, also=SECRETS) as desk:
        desk.until_decided(1)  # a brain has worked: it is the command that it was started as
        pids = desk.until("every process runs", lambda: p if len(p := desk.pids()) == len(PROCESSES) + 1 else None)
        told = {name: inherited(pid) for name, pid in pids.items()}
        ours = inherited(desk.process.pid)
    assert ours.count("canary-of-") == 3, "there is something to inherit"
    assert set(told) == {*PROCESSES, "brain"}
    canaries = ("of-a-channel", "of-the-broker", "of-the-cloud")
    held = {name: [c for c in canaries if c in text] for name, text in told.items()}
    assert held.pop("gateway") == ["of-the-broker"]
    assert held.pop("desk") == ["of-a-channel", "of-the-broker"]
    assert set(map(tuple, held.values())) == {()}, held
    assert "PATH=" in told["brain"]
