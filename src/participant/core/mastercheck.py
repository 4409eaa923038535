"""A contract master of one day against our rows of that day: lots, ticks, freeze quantities, expiries, strikes."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from participant.core.master import Listing
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.rulecheck import Difference
from participant.core.scrip import Kind
from participant.core.universe import STOCK
from participant.core.wording import at_price

NEAR = 0.03  # of the level: where a step between strikes is one near the money
STOCKS = "a stock's own, revised half a year or oftener: taken from the master of the day, never from a row"
FAR = "listed as well, beyond the weeks and serial months that we trade; it is an expiry by our rules"


def compare_master(
    rules: Rulebook, listed: Sequence[Listing], freezes: Mapping[str, int], day: datetime.date
) -> list[Difference]:
    """Every difference of the day once, with how many contracts it concerns; `freezes` is empty where none are told."""
    by_symbol: dict[str, list[Listing]] = {}
    for one in listed:
        by_symbol.setdefault(one.underlying, []).append(one)
    found = [d for symbol, mine in sorted(by_symbol.items()) for d in _scrip(rules, symbol, mine, day)]
    for symbol in sorted(freezes.keys() & by_symbol.keys()):
        ours = _asked(partial(rules.freeze, symbol, day))
        if ours != freezes[symbol]:
            why = _why(rules, symbol, ours)
            found.append(Difference(f"freeze quantity of {symbol}", _beside(ours, freezes[symbol]), 1, why))
    return found


def _scrip(rules: Rulebook, symbol: str, mine: Sequence[Listing], day: datetime.date) -> Iterator[Difference]:
    expired = sorted({one.expiry for one in mine if one.expiry < day})
    if expired:
        yield Difference(f"{symbol}", f"contracts expired on {expired[0]}: the file is not of {day}", len(expired))
    live = [one for one in mine if one.expiry >= day]
    try:
        known = rules.expiries(symbol, day)
    except OutsideRules:
        yield Difference(symbol, f"in the file, and no rules of ours on {day}", len(mine), "it is not traded here")
        return
    yield from _expiries(rules, symbol, live, day)
    yield from _lots(rules, symbol, live, day)
    level = _level(live)
    yield from _ticks(rules, symbol, live, (day, level))
    yield from _strikes(rules, symbol, [one for one in live if one.expiry in known], (day, level))


def _expiries(rules: Rulebook, symbol: str, live: Sequence[Listing], day: datetime.date) -> Iterator[Difference]:
    sides = (("options", rules.expiries(symbol, day), False), ("futures", rules.future_expiries(symbol, day), True))
    for what, ours, is_future in sides:
        theirs = Counter(one.expiry for one in live if (one.kind is Kind.FUTURE) is is_future)
        if not theirs:
            continue
        for expiry in sorted(theirs.keys() - set(ours)):
            is_far = expiry > ours[-1] and rules.is_expiry(symbol, expiry)
            why = FAR if is_far else ""
            yield Difference(f"expiries of {symbol}", f"{what} of {expiry} in the file alone", theirs[expiry], why)
        for expiry in sorted(set(ours) - theirs.keys()):
            yield Difference(f"expiries of {symbol}", f"{what} of {expiry} in our rules alone")


def _lots(rules: Rulebook, symbol: str, live: Sequence[Listing], day: datetime.date) -> Iterator[Difference]:
    for (expiry, theirs), count in sorted(Counter((one.expiry, one.lot) for one in live).items()):
        ours = _asked(partial(rules.lot, symbol, expiry, day))
        if ours != theirs:
            yield Difference(
                f"lot of {symbol} expiring {expiry}", _beside(ours, theirs), count, _why(rules, symbol, ours)
            )


def _ticks(
    rules: Rulebook, symbol: str, live: Sequence[Listing], at: tuple[datetime.date, int]
) -> Iterator[Difference]:
    day, level = at
    for (kind, theirs), count in sorted(Counter((one.kind, one.tick) for one in live).items()):
        ours = _asked(partial(rules.tick, symbol, kind, level, day))
        if ours != theirs:
            said = f"ours {at_price(ours) if ours else 'not known'}, theirs {at_price(theirs)} (at {at_price(level)})"
            yield Difference(f"tick of {symbol} {kind}", said, count)


def _strikes(
    rules: Rulebook, symbol: str, live: Sequence[Listing], at: tuple[datetime.date, int]
) -> Iterator[Difference]:
    """The commonest step between strikes near the money, expiry by expiry."""
    day, level = at
    ours = _asked(partial(rules.strike_step, symbol, day))
    steps: dict[int, list[datetime.date]] = {}
    for expiry in sorted({one.expiry for one in live}):
        near = {o.strike for o in live if o.expiry == expiry and o.strike and abs(o.strike - level) <= NEAR * level}
        strikes = sorted(near)
        counted = Counter(b - a for a, b in pairwise(strikes))
        if counted:
            steps.setdefault(counted.most_common(1)[0][0], []).append(expiry)
    for theirs, expiries in steps.items():
        if theirs != ours:
            said = f"ours {at_price(ours) if ours else 'not known'}, theirs {at_price(theirs)} from {expiries[0]} on"
            yield Difference(f"strike step of {symbol}", said, len(expiries), _why(rules, symbol, ours))


def _why(rules: Rulebook, symbol: str, ours: int | None) -> str:
    """Why it is no fault that we know nothing: each stock's own terms are the master's to say, and revised often."""
    return STOCKS if ours is None and rules.class_of(symbol) == STOCK else ""


def _level(live: Sequence[Listing]) -> int:
    """About where the underlying stands: the middle strike of the nearest options; 1 where there are none."""
    options = [one for one in live if one.kind is not Kind.FUTURE]
    nearest = min((one.expiry for one in options), default=None)
    strikes = sorted(one.strike for one in options if one.expiry == nearest)
    return strikes[len(strikes) // 2] if strikes else 1


def _asked(ask: Callable[[], int]) -> int | None:
    try:
        return ask()
    except OutsideRules:
        return None


def _beside(ours: int | None, theirs: int) -> str:
    return f"ours {f'{ours:,}' if ours else 'not known'}, theirs {theirs:,}"
