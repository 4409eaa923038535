"""`participant convert`: FIX messages out of a log, a stream or a session, as one line of JSON each."""

import contextlib
import os
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from msgspec import Struct

from participant.adapters.queues.sqlite import SqliteQueue
from participant.commands.bar import bar
from participant.commands.convert_socket import Heard
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.core.ids import digest
from participant.core.messages import Message
from participant.core.wording import counted
from participant.links.doorbell import Doorbell
from participant.ports import StoreBroken
from participant.wire.fix.reader import Portion, Reader, read
from participant.wire.fix.reader import Refused as Refusal
from participant.wire.json import encode

CHUNK_BYTES = 262_144  # with what was left over, all of the input that is held
HEAD_BYTES = 160  # of a refused message, in the side file
REASONS_MAX = 1_000  # kinds of refusal that are counted one by one
REASONS_SHOWN = 5
QUEUE = "fix"


class Converted(Struct, rename="camel"):
    """What a run has done so far. `skipped` bytes were of no message: prefixes, ends of lines, and what was refused.

    `queued` lines were new on the queue; `ended` is how a session did.
    """

    messages: int = 0
    refused: int = 0
    bytes: int = 0
    skipped: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = {}
    queued: int = 0
    ended: str = ""


def convert(args: Namespace) -> int:
    """Convert all of the input; status 1 where a message was refused."""
    began = time.monotonic()
    try:
        with _input(args) as source, _outputs(args) as (out, rejects):
            done = _run(source, out or sys.stdout.buffer, rejects, args)
            if not done.messages and not done.refused and args.file:
                what = f"none of its {done.bytes} bytes begin 8=FIX...9= with SOH, | or ^A"
                raise Refused(f"convert: no message in {args.file}: {what}")
    except BrokenPipeError:  # who reads our lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except StoreBroken as fault:
        raise Refused(f"convert: {fault}") from fault
    except OSError as fault:
        what = f"{fault.filename or args.file}: {fault.strerror}"
        raise Refused(f"convert: {what}; name files that can be read and written") from fault
    done.seconds = round(time.monotonic() - began, 3)
    if args.json or not args.quiet:
        sys.stderr.write((encode(done).decode() if args.json else _summary(done, args)) + "\n")
    return NEEDS_A_PERSON if done.refused else DONE


def _run(source: BinaryIO | None, out: IO[bytes], rejects: IO[bytes] | None, args: Namespace) -> Converted:
    reader = Reader(args.decimals, not args.drop_other)
    done, reasons = Converted(), Counter[str]()
    heard = Heard(args, reader) if source is None else None
    with _bar(args) as advance, _queue(args) as put:
        for data, portion in heard or _portions(source, reader):
            out.write(portion.lines)
            if heard:
                out.flush()  # whoever reads a session's lines waits for them
            for one in portion.refused:
                reasons[one.reason if one.reason in reasons or len(reasons) < REASONS_MAX else "other reasons"] += 1
            if rejects is not None:
                rejects.writelines(_side_line(one, data, done.bytes) for one in portion.refused)
            done.queued += put(portion.lines)
            done.messages += portion.messages
            done.refused += len(portion.refused)
            done.skipped += portion.skipped
            done.bytes += portion.used
            advance(portion.used)
        out.flush()
    done.reasons, done.ended = dict(reasons.most_common()), heard.ended if heard else ""
    return done


@contextlib.contextmanager
def _queue(args: Namespace) -> Iterator[Callable[[bytes], int]]:
    """What puts lines on the queue of `--queue`: each under the digest of itself, so that none is there twice."""
    if args.queue is None:
        yield lambda _: 0
        return
    with (
        contextlib.closing(Doorbell(args.queue.parent, QUEUE)) as bell,
        contextlib.closing(SqliteQueue(args.queue, QUEUE, "convert", bell)) as queue,
    ):
        yield lambda lines: _put(queue, lines, args)


def _put(queue: SqliteQueue, lines: bytes, args: Namespace) -> int:
    """How many of the lines were new. Raises Refused where more would wait than may: up to there they are put."""
    left = [Message(digest(line.decode()), QUEUE, line) for line in lines.splitlines()]
    new = room = 0
    while left:
        if room <= 0 and (room := args.queue_max - queue.depth().waiting) <= 0:
            mend = "let somebody take them, or say --queue-max N; "
            kept = f"what the session said so far is in {args.out or 'the output'}, and does not come again"
            mend += "said again, nothing is put twice" if args.file else kept
            waiting = args.queue_max - room
            raise Refused(f"convert: {waiting:,} of at most {args.queue_max:,} lines wait in {args.queue}; {mend}")
        put = queue.put(left[:room])  # those that were put before need no room
        del left[:room]
        new, room = new + put, room - put
    return new


def _side_line(one: Refusal, data: bytes, before: int) -> bytes:
    head = data[one.offset : one.offset + HEAD_BYTES].decode("latin-1")
    return encode({"offset": before + one.offset, "byte": one.byte, "reason": one.reason, "head": head}) + b"\n"


def _portions(source: BinaryIO | None, reader: Reader) -> Iterator[tuple[bytes, Portion]]:
    """The input in pieces, each with what was left of the one before, and what was found there."""
    held, is_last = b"", source is None
    while source is not None and not is_last:
        more = source.read(CHUNK_BYTES)
        is_last = not more
        held += more
        portion = read(reader, held, is_last)
        yield held, portion
        held = held[portion.used :]


@contextlib.contextmanager
def _input(args: Namespace) -> Iterator[BinaryIO | None]:
    """The file of this name, or what is piped in; unbuffered, so that a stream is converted as it comes.

    None of a session.
    """
    name = args.file
    if sum(map(bool, (name, args.connect, args.listen))) != 1:
        raise Refused("convert: name one of FILE, - (what is piped in), --connect HOST:PORT, --listen HOST:PORT")
    if not name:
        yield None
        return
    with open(0 if name == "-" else name, "rb", buffering=0, closefd=name != "-") as file:
        yield file


@contextlib.contextmanager
def _outputs(args: Namespace) -> Iterator[tuple[IO[bytes] | None, IO[bytes] | None]]:
    """The lines and the refusals. Those of a session are kept whatever ends it: they do not come again."""
    keeps = not args.file
    _keep_apart(args)
    with _output(args.out, keeps=keeps) as out, _output(args.rejects, keeps=keeps) as rejects:
        yield out, rejects


def _keep_apart(args: Namespace) -> None:
    """Raises Refused where one file would be written over another that is needed, the log itself above all."""
    named = {"FILE": args.file and Path(args.file), "--out": args.out, "--rejects": args.rejects, "--queue": args.queue}
    whose: dict[Path, str] = {}
    for name, path in named.items():
        if path and (other := whose.setdefault(path.resolve(), name)) != name:
            raise Refused(f"convert: {path} is both {other} and {name}: give each a name of its own")


@contextlib.contextmanager
def _output(path: Path | None, *, keeps: bool) -> Iterator[IO[bytes] | None]:
    """A file that is there under its name once it is whole; or, where it `keeps`, with all that was written."""
    if path is None:
        yield None
        return
    if path.exists() and not path.is_file():  # a pipe or a device, /dev/null above all, is not to be replaced
        with path.open("wb") as file:
            yield file
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        if keeps and part.exists() and part.stat().st_size:
            part.replace(path)
        part.unlink(missing_ok=True)


def _bar(args: Namespace) -> contextlib.AbstractContextManager[Callable[[float], None]]:
    """No bar where our lines go to the same terminal."""
    if args.out is None and sys.stdout.isatty():
        return contextlib.nullcontext(lambda _: None)
    return bar(args, "converting", None if args.file in {"-", None} else Path(args.file).stat().st_size)


def _summary(done: Converted, args: Namespace) -> str:
    rate = done.messages / done.seconds if done.seconds else 0
    lines = [
        f"{counted(done.messages, 'message')} in {done.bytes:,} bytes and {done.seconds:.2f} s ({rate:,.0f} a second); "
        f"{counted(done.skipped, 'byte')} of no message, {counted(done.refused, 'message')} refused"
    ]
    reasons = sorted(done.reasons.items(), key=lambda item: -item[1])
    lines += [f"{counted(done.queued, 'line')} new in {args.queue}"] if args.queue else []
    lines += [f"the session ended: {done.ended}"] if done.ended else []
    lines += [f"  {count:,}: {reason}" for reason, count in reasons[:REASONS_SHOWN]]
    if more := reasons[REASONS_SHOWN:]:
        lines.append(f"  {sum(count for _, count in more):,}: {counted(len(more), 'more reason')}, which --json tells")
    if done.refused:
        lines.append(f"each with its place and reason: {args.rejects or 'say --rejects FILE'}")
    return "\n".join(lines)
