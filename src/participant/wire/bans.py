"""The exchange's list of stocks in a ban period of futures and options, as its daily CSV file has it."""

import re

SYMBOL = re.compile(r"[A-Z0-9&-]+")


class BadBans(ValueError):
    """A file that is no ban list: what stands there, and what should."""


def parse_bans(body: bytes) -> tuple[str, ...]:
    """The symbols in a file whose lines are `1,SYMBOL` or a symbol alone, below a heading that ends with a colon.

    An empty list is a list: nothing is banned. Raises BadBans.
    """
    try:
        lines = [line.strip() for line in body.decode("ascii").splitlines()]
    except UnicodeDecodeError as fault:
        raise BadBans(f"it is no text: {fault}") from fault
    symbols = [line.rpartition(",")[2].strip() for line in lines if line and not line.endswith(":")]
    odd = [symbol for symbol in symbols if not SYMBOL.fullmatch(symbol) and symbol != "NIL"]
    if odd:
        raise BadBans(f"{odd[0]!r} is no symbol; its lines must read 1,SYMBOL")
    return tuple(sorted(set(symbols) - {"NIL"}))
