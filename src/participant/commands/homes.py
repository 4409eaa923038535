"""The home folder of a run."""

from pathlib import Path

from participant.commands.errors import Refused


def prepare(home: Path) -> Path:
    """The home folder, made if need be and proven writable."""
    try:
        for folder in (home, home / "decisions", home / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
    except OSError as fault:
        raise Refused(f"home {home} cannot be written: {fault.strerror}; choose another with --home") from fault
    return home.resolve()
