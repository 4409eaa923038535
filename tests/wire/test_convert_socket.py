"""`participant convert` on a FIX session: over real sockets, as initiator and as acceptor, and onto a queue."""

import contextlib
import json
import socket
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from participant.adapters.queues.sqlite import SqliteQueue
from participant.cli import main
from participant.commands.convert import _outputs
from participant.links.doorbell import Doorbell
from participant.links.feed_link import LinkLost
from participant.links.fix_link import Address, FixLink, accepted, connected
from participant.wire.fix.codec import body
from participant.wire.fix.events import LoggedOn, Over, Received
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Limits, Profile
from tests.wire.fix_messages import message

HOST, LIMIT_S, UTC = "127.0.0.1", 20.0, 1_796_000_000_000_000_000
ENTRY = [(262, "1"), (268, "1"), (279, "0"), (269, "0"), (55, "NIFTY"), (270, "1.05")]


def acceptor() -> Profile:
    return Profile("VENUE", "", is_initiator=False, limits=Limits(sending_time_s=0))


class Venue:
    """Serves one session: says three changes once it is asked, and logs out; `asked` are the requests."""

    def __init__(self, is_cut: bool = False) -> None:
        self.is_cut, self.asked = is_cut, list[str]()
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(LIMIT_S)
        self.address = f"{HOST}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._served)

    def __enter__(self) -> "Venue":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(LIMIT_S)
        self._listener.close()

    def _served(self) -> None:
        with contextlib.suppress(OSError, LinkLost):  # who converts may leave before the end
            self._serve()

    def _serve(self) -> None:
        link = accepted(self._listener, acceptor(), lambda _: MemoryNumbers(), lambda: UTC)
        try:
            is_over = False
            while not self.asked and not is_over:
                events = link.read()
                is_over = any(isinstance(event, Over) for event in events)
                self.asked += [e.frame.message().get(262) for e in events if isinstance(e, Received)]
            for number in range(3 if self.asked else 0):
                link.send(body("X", [*ENTRY[:-1], (270, f"{number}.05")]))
            link.send(body("B", [(148, "news")]))
        finally:
            link.drop() if self.is_cut else link.close("the day is over")


def lines(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_session_that_is_connected_to_is_converted_as_it_comes(capfd: pytest.CaptureFixture[str]) -> None:
    with Venue() as venue:
        assert main(["convert", "--connect", venue.address, "--ask"]) == 0
    said = capfd.readouterr()
    assert venue.asked == ["1"]
    assert [line["kind"] for line in lines(said.out)] == ["increment"] * 3 + ["other"]
    assert [line["entries"][0]["price"] for line in lines(said.out)[:3]] == [500, 10_500, 20_500]
    assert "the session ended: the day is over" in said.err


def test_what_came_before_a_connection_was_lost_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "day.jsonl"
    with Venue(is_cut=True) as venue:
        assert main(["convert", "--connect", venue.address, "--ask", "--out", str(out), "--json"]) == 0
    assert len(lines(out.read_text(encoding="utf-8"))) == 4
    assert "connection" in json.loads(capfd.readouterr().err)["ended"].lower()


def test_who_connects_to_a_listener_is_converted(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    provider = threading.Thread(target=provide, args=(port,))
    provider.start()
    assert main(["convert", "--listen", f"{HOST}:{port}", "--names", "US:THEM", "--seconds", "20"]) == 0
    provider.join(LIMIT_S)
    assert [line["entries"][0]["symbol"] for line in lines(capfd.readouterr().out)] == ["NIFTY"]


def provide(port: int) -> None:
    """Log on, say one change, log out."""
    them = Profile("THEM", "US", True, resets=True, limits=Limits(sending_time_s=0))
    link = reached(lambda: connected(Address(HOST, port), them, lambda _: MemoryNumbers(), lambda: UTC))
    with link:
        while not any(isinstance(event, LoggedOn | Over) for event in link.read()):
            pass
        link.send(body("X", ENTRY))


def reached(connect: Callable[[], FixLink]) -> FixLink:
    """A link to who begins to listen any moment now."""
    pause, limit = threading.Event(), 400
    for _ in range(limit):
        try:
            return connect()
        except (OSError, LinkLost):
            pause.wait(0.05)
    raise AssertionError("nobody listens")


def test_the_time_of_a_session_may_be_limited(capfd: pytest.CaptureFixture[str]) -> None:
    with Venue() as venue:
        assert main(["convert", "--connect", venue.address, "--seconds", "1", "--quiet"]) == 0
    assert venue.asked == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name one of FILE"),
        (["a.log", "--connect", "h:1"], "name one of FILE"),
        (["--connect", "nowhere"], "write 127.0.0.1:9001"),
        (["--connect", "h:1", "--names", "DESK"], "write DESK:VENUE"),
        (["--listen", f"{HOST}:0", "--seconds", "1"], "no session with"),
    ],
)
def test_what_cannot_be_converted_is_said_in_a_line(
    words: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["convert", *words])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 2
    assert status == 2
    assert said in capfd.readouterr().err


def test_where_nobody_is_or_the_names_are_others_it_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    assert main(["convert", "--connect", f"{HOST}:{port}"]) == 2
    assert "see that the counterpart is there" in capfd.readouterr().err


# --- the queue --------------------------------------------------------------------------------------------------------


def test_lines_go_to_a_queue_in_order_and_none_twice(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log, file = tmp_path / "day.log", tmp_path / "fix.sqlite"
    log.write_bytes(message("snapshot") + message("execution") + message("snapshot"))
    assert main(["convert", str(log), "--queue", str(file)]) == 0
    said = capfd.readouterr()
    assert f"2 lines new in {file}" in said.err
    assert main(["convert", str(log), "--queue", str(file), "--json"]) == 0
    assert json.loads(capfd.readouterr().err)["queued"] == 0
    with queue_of(file) as queue:
        taken = queue.take(10, 0.0)
        assert [one.body for one in taken] == [line.encode() for line in said.out.splitlines()[:2]]
        queue.done([one.id for one in taken])


@contextlib.contextmanager
def queue_of(file: Path) -> Iterator[SqliteQueue]:
    with (
        contextlib.closing(Doorbell(file.parent, "fix")) as bell,
        contextlib.closing(SqliteQueue(file, "fix", "me", bell)) as queue,
    ):
        yield queue


def test_a_queue_that_nobody_takes_from_is_not_filled_without_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log, file = tmp_path / "day.log", tmp_path / "fix.sqlite"
    log.write_bytes(message("snapshot") + message("execution"))
    assert main(["convert", str(log), "--queue", str(file), "--queue-max", "1"]) == 2
    assert "1 of at most 1 lines wait" in (told := capfd.readouterr().err)
    assert "let somebody take them" in told
    with queue_of(file) as queue:  # one of the two, which came together
        queue.done([one.id for one in queue.take(10, 0.0)])
    assert main(["convert", str(log), "--queue", str(file), "--queue-max", "1"]) == 0  # the first needs no room again
    assert "1 line new in" in capfd.readouterr().err
    log.write_bytes(message("reject"))
    assert main(["convert", str(log), "--queue", str(file), "--queue-max", "1"]) == 2
    with queue_of(file) as queue:
        assert queue.depth().waiting == 1
    assert not list(tmp_path.glob("*.part"))
    (tmp_path / "bad").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    assert main(["convert", str(log), "--queue", str(tmp_path / "bad")]) == 2
    assert "is no SQLite database" in capfd.readouterr().err


def test_what_a_session_said_before_the_queue_was_full_is_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log, queue, out = tmp_path / "day.log", str(tmp_path / "fix.sqlite"), tmp_path / "out.jsonl"
    log.write_bytes(message("snapshot") + message("execution"))
    assert main(["convert", str(log), "--queue", queue]) == 0
    full = ["--queue", queue, "--queue-max", "1", "--out", str(out)]
    assert main(["convert", str(log), *full]) == 2
    assert not out.exists()
    assert "said again, nothing is put twice" in capfd.readouterr().err
    with Venue() as venue:
        assert main(["convert", "--connect", venue.address, "--ask", *full]) == 2
    assert lines(out.read_text(encoding="utf-8"))[0]["kind"] == "increment"
    said = capfd.readouterr().err
    assert f"is in {out}, and does not come again" in said
    assert "said again" not in said
    kept = out.read_bytes()
    assert main(["convert", "--connect", "127.0.0.1:1", *full]) == 2  # a session that never stood has nothing to keep
    assert out.read_bytes() == kept
    assert not list(tmp_path.glob("*.part"))


def stopped_while_written(args: Namespace) -> None:
    with _outputs(args) as files:
        for file in files:
            assert file
            file.write(b"{}\n")
        raise KeyboardInterrupt


def test_ctrl_c_while_a_line_is_written_keeps_those_of_a_session_and_none_of_a_file(tmp_path: Path) -> None:
    for name, is_kept in (("", True), ("day.log", False)):
        out, rejects = tmp_path / f"{is_kept}.jsonl", tmp_path / f"{is_kept}.rejects"
        args = Namespace(file=name, out=out, rejects=rejects, queue=None)
        with pytest.raises(KeyboardInterrupt):
            stopped_while_written(args)
        assert (args.out.exists(), args.rejects.exists()) == (is_kept, is_kept)
    assert not list(tmp_path.glob("*.part"))
