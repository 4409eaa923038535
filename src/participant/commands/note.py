"""`participant note import`: the broker's contract note beside what we booked, to the paisa."""

from argparse import Namespace
from pathlib import Path

from participant import app
from participant.adapters.clocks.system import SystemClock
from participant.commands.books import break_line
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.people import run_of
from participant.config import load_rules
from participant.core.ids import digest
from participant.operate.note import import_note
from participant.wire.note import BadNote, NoteMapping, parse_mapping, parse_note


def bring_in(args: Namespace) -> int:
    """Read a note, compare it, record it with its hash."""
    run = run_of(args.home)
    body = _bytes(args.file)
    try:
        mapping = parse_mapping(_bytes(args.mapping)) if args.mapping else NoteMapping()
        rows = parse_note(body, mapping)
        note, is_new = import_note(app.books(run), load_rules(), rows, digest(body.hex()), SystemClock().now())
    except BadNote as fault:
        raise Refused(f"note {args.file}: {fault}") from fault
    done = "compared and recorded" if is_new else "was imported before, nothing changes"
    text = [f"note of {note.day}, {note.rows} rows, hash {note.hash[:16]}: {done}"]
    text += [break_line(b) for b in note.breaks] or ["its charges are ours, to the paisa"]
    say(args, "\n".join(text), note)
    return NEEDS_A_PERSON if note.breaks else DONE


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise Refused(f"{file} cannot be read: {fault.strerror}") from fault
