"""The watchlist in versions: each whole and never changed again; which is in force on a day, and what differs between.

The newest version that has begun by a day rules it, so that one which begins earlier than an older one takes its place.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from participant.core.scrip import Scrip
from participant.core.universe import INDEX, Universe
from participant.core.watched import faults, no_number

FIRST = "the configuration"
WEIGHTS = "weights"
OWN = "settings."  # those of a strategy of another package, which says itself what they may be


class BadSetting(ValueError):
    """A setting that a row of the watchlist cannot have: which, and why."""


class Version(Struct, frozen=True, forbid_unknown_fields=True):
    """A watchlist as it was put down: from which session on (None: from the start), by whom, when (ns, machine), why.

    `origin` says where it came from; `file_hash` is that of the configuration's rows when they were last taken over.
    """

    number: int
    since: datetime.date | None
    at: int
    by: str
    note: str
    origin: str
    file_hash: str
    scrips: tuple[Scrip, ...]

    @property
    def span(self) -> str:
        """From when on it holds, in words."""
        return f"from {self.since} on" if self.since else "from the start"

    def holds(self, day: datetime.date) -> bool:
        """Whether it has begun by a day."""
        return self.since is None or self.since <= day


def in_force(versions: Sequence[Version], day: datetime.date) -> Version | None:
    """The version that rules a day; None where there is none yet."""
    return max((v for v in versions if v.holds(day)), key=lambda v: v.number, default=None)


def settings_of(row: Scrip) -> dict[str, object]:
    """Every setting of a row by name, the weights' beside the rest, those of a table within under `table.name`."""
    return dict(_flat(msgspec.to_builtins(row)))


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, before if name == WEIGHTS else f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def changed(row: Scrip, settings: Mapping[str, object]) -> Scrip:
    """The row with these settings, named as in `settings_of`. Raises BadSetting."""
    known = settings_of(row)
    whole = msgspec.to_builtins(row)
    for name, value in settings.items():
        if (name not in known and not name.startswith(OWN)) or name == "symbol":
            raise BadSetting(f"no setting {name!r} of a scrip that could be set; docs/settings.md lists them")
        *tables, last = name.split(".")
        place = whole if [*tables, last][0] in whole else whole[WEIGHTS]
        for table in tables:
            place = place[table]
        place[last] = value
    return converted(whole)


def constituents(rows: Sequence[Scrip], row: Scrip, rules: Universe, on: datetime.date) -> tuple[Scrip, ...]:
    """These rows, and `row` once for each stock that one of their indices is made of on a day. Raises OutsideRules."""
    indices = [one.symbol for one in rows if rules.class_of(one.symbol) == INDEX]
    stocks = sorted({stock for index in indices for stock in rules.members(index, on)})
    told = [{"symbol": stock, "sector": rules.sector(stock, on), "beta": rules.beta(stock, on)} for stock in stocks]
    return (*rows, *(replace(row, **one) for one in told))


def converted(table: object) -> Scrip:
    """A row from its tables, within every bound of each setting. Raises BadSetting."""
    try:
        return msgspec.convert(table, Scrip)
    except msgspec.ValidationError as fault:
        strange = no_number(table)
        if strange:
            raise BadSetting(strange.removeprefix(f"{WEIGHTS}.")) from None
        what, _, where = str(fault).partition(" - at `$.")
        name = where.removesuffix("`").removeprefix(f"{WEIGHTS}.")
        raise BadSetting(f"{name}: {what}" if name else what) from None


def sound_rows(settings: dict[str, Any], apart: Callable[[str], None]) -> dict[str, Any]:
    """The settings of a file with only a disabled row for each of its watchlist that cannot be; `apart` is told why.

    One without a symbol of its own is left out. Where no row would trade the settings are as they were, none is told.
    """
    rows, broker, told = settings.get("watchlist"), settings.get("broker"), list[str]()
    name = str(broker.get("name", "")) if isinstance(broker, dict) else ""
    kept, sound = list[object](), list[Scrip]()
    for i, row in enumerate(rows if isinstance(rows, list) else (), 1):
        scrip, fault = _sound(row, sound, name)
        if scrip is not None:
            sound.append(scrip)
            kept.append(row)
            continue
        told.append(f"[[watchlist]] row {i}: {fault}")
        symbol = row.get("symbol") if isinstance(row, dict) else None
        if isinstance(symbol, str) and symbol and symbol not in (one.symbol for one in sound):
            kept.append({"symbol": symbol, "is_enabled": False})
            sound.append(Scrip(symbol, is_enabled=False))
    if not any(scrip.is_enabled for scrip in sound):
        return settings
    for line in told:
        apart(line)
    return {**settings, "watchlist": kept}


def _sound(row: object, before: Sequence[Scrip], broker: str) -> tuple[Scrip | None, str]:
    """The scrip of a row after these, or why it cannot be."""
    try:
        scrip = converted(row)
    except BadSetting as strange:
        return None, f"{row.get('symbol', 'no symbol') if isinstance(row, dict) else repr(row)}: {strange}"
    *_, (_, fault) = faults((*before, scrip), broker)
    return (None, fault) if fault else (scrip, "")


def differences(before: Sequence[Scrip], after: Sequence[Scrip]) -> list[str]:
    """What differs between two lists, a piece for each scrip, in words; empty where nothing does."""
    old, new = {row.symbol: row for row in before}, {row.symbol: row for row in after}
    told = [f"{symbol} left out" for symbol in old if symbol not in new]
    for symbol, row in new.items():
        if symbol not in old:
            told.append(f"{symbol} added")
        elif row != old[symbol]:
            told.append(f"{symbol} {', '.join(_steps(old[symbol], row))}")
    return told


def _steps(before: Scrip, after: Scrip) -> Iterator[str]:
    old, new = settings_of(before), settings_of(after)
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name)} -> {new.get(name)}"


def beyond_default(row: Scrip) -> dict[str, object]:
    """The settings of a row that are not the default, without its name."""
    default = settings_of(Scrip(row.symbol))
    return {name: value for name, value in settings_of(row).items() if default.get(name) != value}
