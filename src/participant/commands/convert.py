"""`participant convert`: FIX messages out of a log or a stream, as one line of JSON each."""

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

from participant.commands.bar import bar
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.core.wording import counted
from participant.wire.fix.reader import Portion, Reader, read
from participant.wire.fix.reader import Refused as Refusal
from participant.wire.json import encode

CHUNK_BYTES = 262_144  # with what was left over, all of the input that is held
HEAD_BYTES = 160  # of a refused message, in the side file
REASONS_MAX = 1_000  # kinds of refusal that are counted one by one
REASONS_SHOWN = 5


class Converted(Struct, rename="camel"):
    """What a run has done so far. `skipped` bytes were of no message: prefixes, ends of lines, and what was refused."""

    messages: int = 0
    refused: int = 0
    bytes: int = 0
    skipped: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = {}


def convert(args: Namespace) -> int:
    """Convert all of the input; status 1 where a message was refused."""
    began = time.monotonic()
    try:
        with _input(args.file) as source, _output(args.out) as out, _output(args.rejects) as rejects:
            done = _run(source, out or sys.stdout.buffer, rejects, args)
            if not done.messages and not done.refused:
                what = f"none of its {done.bytes} bytes begin 8=FIX...9= with SOH, | or ^A"
                raise Refused(f"convert: no message in {args.file}: {what}")
    except BrokenPipeError:  # who reads our lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as fault:
        what = f"{fault.filename or args.file}: {fault.strerror}"
        raise Refused(f"convert: {what}; name files that can be read and written") from fault
    done.seconds = round(time.monotonic() - began, 3)
    if args.json or not args.quiet:
        sys.stderr.write((encode(done).decode() if args.json else _summary(done, args)) + "\n")
    return NEEDS_A_PERSON if done.refused else DONE


def _run(source: BinaryIO, out: IO[bytes], rejects: IO[bytes] | None, args: Namespace) -> Converted:
    reader = Reader(args.decimals, not args.drop_other)
    done, reasons = Converted(), Counter[str]()
    with _bar(args) as advance:
        for data, portion in _portions(source, reader):
            out.write(portion.lines)
            for one in portion.refused:
                reasons[one.reason if one.reason in reasons or len(reasons) < REASONS_MAX else "other reasons"] += 1
            if rejects is not None:
                rejects.writelines(_side_line(one, data, done.bytes) for one in portion.refused)
            done.messages += portion.messages
            done.refused += len(portion.refused)
            done.skipped += portion.skipped
            done.bytes += portion.used
            advance(portion.used)
        out.flush()
    done.reasons = dict(reasons.most_common())
    return done


def _side_line(one: Refusal, data: bytes, before: int) -> bytes:
    head = data[one.offset : one.offset + HEAD_BYTES].decode("latin-1")
    return encode({"offset": before + one.offset, "byte": one.byte, "reason": one.reason, "head": head}) + b"\n"


def _portions(source: BinaryIO, reader: Reader) -> Iterator[tuple[bytes, Portion]]:
    """The input in pieces, each with what was left of the one before, and what was found there."""
    held, is_last = b"", False
    while not is_last:
        more = source.read(CHUNK_BYTES)
        is_last = not more
        held += more
        portion = read(reader, held, is_last)
        yield held, portion
        held = held[portion.used :]


@contextlib.contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    """The file of this name, or what is piped in; unbuffered, so that a stream is converted as it comes."""
    with open(0 if name == "-" else name, "rb", buffering=0, closefd=name != "-") as file:
        yield file


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes] | None]:
    """A file that is there under its name once it is whole."""
    if path is None:
        yield None
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _bar(args: Namespace) -> contextlib.AbstractContextManager[Callable[[float], None]]:
    """No bar where our lines go to the same terminal."""
    if args.out is None and sys.stdout.isatty():
        return contextlib.nullcontext(lambda _: None)
    return bar(args, "converting", None if args.file == "-" else Path(args.file).stat().st_size)


def _summary(done: Converted, args: Namespace) -> str:
    rate = done.messages / done.seconds if done.seconds else 0
    lines = [
        f"{counted(done.messages, 'message')} in {done.bytes:,} bytes and {done.seconds:.2f} s ({rate:,.0f} a second); "
        f"{counted(done.skipped, 'byte')} of no message, {counted(done.refused, 'message')} refused"
    ]
    shown = sorted(done.reasons.items(), key=lambda item: -item[1])[:REASONS_SHOWN]
    lines += [f"  {count:,}: {reason}" for reason, count in shown]
    if done.refused:
        lines.append(f"each with its place and reason: {args.rejects or 'say --rejects FILE'}")
    return "\n".join(lines)
