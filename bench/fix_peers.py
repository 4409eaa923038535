"""What bench/fix.py runs in the environment of other readers of FIX: prints one line of JSON.

All ways take the same messages in turn, round after round, and end with the same JSON, which is compared as values.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from participant.wire.fix import _reader, reader, reader_plain
from participant.wire.fix.dictionary import ACTION_WORDS, ENTRY_WORDS, MESSAGES
from participant.wire.fix.time import nanoseconds

HEADER = {34: "seq", 49: "sender", 52: "sentAt", 56: "target"}
BODY = {262: "requestId", 55: "symbol"}
ENTRY = {279: "action", 269: "kind", 55: "symbol", 270: "price", 271: "size", 346: "orders", 290: "position"}
Way = Callable[[bytes], bytes]


def framed(body: bytes) -> bytes:
    front = b"8=FIX.4.4\x019=%d\x01%b" % (len(body), body.replace(b"|", b"\x01"))
    return front + b"10=%03d\x01" % (sum(front) & 255)


def made(count: int, seed: int = 7) -> list[bytes]:
    """Half 35=W with 20 entries, half 35=X with 6 to 10, of the size of the messages that venues send."""
    chance, messages = random.Random(seed), []
    for i in range(count):
        head = b"34=%d|49=VENUE|52=20261129-04:%02d:%02d.%03d|56=DESK|262=1|" % (i + 1, i // 60 % 60, i % 60, i % 1000)
        size = 20 if i % 2 == 0 else chance.randrange(6, 11)
        body = b"35=W|%b55=NIFTY-20261229-%d00CE|" % (head, 230 + i % 20) if i % 2 == 0 else b"35=X|" + head
        entries = b""
        for n in range(size):
            first = b"" if i % 2 == 0 else b"279=%d|" % chance.randrange(3)
            symbol = b"" if i % 2 == 0 else b"55=NIFTY-20261229-%d00CE|" % (230 + n)
            entries += b"%b269=%d|%b270=%d.%02d|271=%d|346=%d|290=%d|" % (
                first, n % 2, symbol, 100 + chance.randrange(200), 5 * chance.randrange(20),
                75 * chance.randrange(1, 90), chance.randrange(1, 40), n // 2 + 1,
            )  # fmt: skip
        messages.append(framed(body + b"268=%d|" % size + entries))
    return messages


def value_of(tag: int, text: str) -> object:
    """A value as ours has it, by what Python does fastest."""
    if tag == 270:
        return round(float(text) * 10_000)
    if tag in {34, 271, 346, 290}:
        return int(text)
    if tag == 52:
        return nanoseconds(text)
    return ENTRY_WORDS[text] if tag == 269 else ACTION_WORDS[text] if tag == 279 else text


def said(pairs: Iterable[tuple[int, str]], kind: str) -> bytes:
    """One walk over the fields of a message."""
    out: dict[str, object] = {"kind": MESSAGES[kind].name, "version": "FIX.4.4"}
    entries: list[dict[str, object]] = []
    first = 269 if kind == "W" else 279
    for tag, text in pairs:
        if tag == first:
            entries.append({})
        if entries and tag in ENTRY:
            entries[-1][ENTRY[tag]] = value_of(tag, text)
        elif tag in HEADER or tag in BODY:
            out[HEADER.get(tag) or BODY[tag]] = value_of(tag, text)
    out["entries"] = entries
    return orjson.dumps(out)


def by_simplefix() -> Way:
    import simplefix

    def way(raw: bytes) -> bytes:
        parser = simplefix.FixParser()
        parser.append_buffer(raw)
        pairs = [(int(tag), value.decode()) for tag, value in parser.get_message().pairs]
        return said(pairs, pairs[2][1])

    return way


def by_quickfix() -> Way:
    import quickfix

    rules = quickfix.DataDictionary(str(Path(sys.prefix, "share", "quickfix", "FIX44.xml")))

    def way(raw: bytes) -> bytes:
        message = quickfix.Message(raw.decode(), rules, True)
        header = message.getHeader()
        kind = header.getField(35)
        out = {"kind": MESSAGES[kind].name, "version": "FIX.4.4"}
        out |= {name: value_of(tag, header.getField(tag)) for tag, name in HEADER.items()}
        out |= {name: message.getField(tag) for tag, name in BODY.items() if message.isSetField(tag)}
        group = quickfix.Group(268, 269 if kind == "W" else 279)
        entries = []
        for n in range(1, int(message.getField(268)) + 1):
            message.getGroup(n, group)
            entries.append(
                {name: value_of(tag, group.getField(tag)) for tag, name in ENTRY.items() if group.isSetField(tag)}
            )
        return orjson.dumps(out | {"entries": entries})

    return way


def by_refix() -> Way:
    import refix

    known = refix.KnownTags(sorted({8, 9, 10, 35, 268, *HEADER, *BODY, *ENTRY}))
    groups = {kind: refix.GroupTable(268, first, sorted(ENTRY), []) for kind, first in (("W", 269), ("X", 279))}
    tokenizer = refix.Tokenizer()

    def way(raw: bytes) -> bytes:
        message = tokenizer.tokenize(raw)
        kind = message.get_str(35)
        out = {"kind": MESSAGES[kind].name, "version": "FIX.4.4"}
        out |= {name: value_of(tag, message.get_str(tag)) for tag, name in HEADER.items()}
        out |= {
            name: text for tag, name in BODY.items() if (text := message.get_str(tag)) and (kind == "W" or tag != 55)
        }
        entries = []
        for scope in message.get_group(groups[kind], known):
            found = [(tag, name, scope.get_str(tag)) for tag, name in ENTRY.items()]
            entries.append({name: value_of(tag, text) for tag, name, text in found if text is not None})
        return orjson.dumps(out | {"entries": entries})

    return way


PEERS = {"simplefix": by_simplefix, "quickfix": by_quickfix, "refix": by_refix}


def timed(ways: dict[str, Callable[[], object]], count: int, rounds: int) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            began = time.process_time()  # of this process: others work on the same cores
            way()
            spent[name].append((time.process_time() - began) / count * 1e6)
    return {name: times[1:] for name, times in spent.items()}


def main() -> None:
    asked = json.loads(sys.argv[1])
    messages = made(asked["messages"])
    whole, compiled, plain = b"".join(messages), _reader.Reader(), reader_plain.Reader()
    peers = {f"{name} {version(name)}": PEERS[name]() for name in asked["peers"]}
    singly: dict[str, Callable[[bytes], Any]] = {
        "ours: JSON": compiled.json,
        "ours: values": lambda one: reader.decode(compiled, one),
        "our twin: JSON": plain.json,
        "our twin: values": lambda one: reader.decode(plain, one),
        **{f"{name}: JSON": way for name, way in peers.items()},
    }
    ways = {name: lambda way=way: [way(one) for one in messages] for name, way in singly.items()}
    ways["ours: lines, one call"] = lambda: compiled.lines(whole, True)
    lines = [json.loads(line) for line in compiled.lines(whole, True)[0].splitlines()]
    is_equal = all(
        [json.loads(way(one)) for one in messages] == lines for way in (compiled.json, plain.json, *peers.values())
    )
    result = {
        "is_compiled": _reader.IS_COMPILED,
        "python": sys.version.split()[0],
        "messages": len(messages),
        "bytes": len(whole),
        "is_equal": is_equal,
    }
    print(json.dumps(result | {"us": timed(ways, len(messages), asked["rounds"])}))


if __name__ == "__main__":
    main()
