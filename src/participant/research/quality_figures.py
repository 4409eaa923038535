"""What a data-quality report says in figures and sentences: scrip by scrip, by reason, and the days to look at."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from statistics import median

from msgspec import Struct

from participant.core.wording import counted
from participant.history.measured import Measured
from participant.history.quality import Quality

WORST = 12
APART_MUCH, STILL_LONG_S = 0.5, 10_800
RESIDUAL_FAR_BP, ERROR_FAR_BP = 50.0, 25.0


class ScripQuality(Struct, frozen=True):
    """A scrip's days together: shares are fractions, spreads are of the middle, residuals and errors basis points."""

    symbol: str
    days: int
    days_without: int
    sessions_missing: int
    pages_a_day: float
    quotes: int
    apart: float
    spread: float | None
    one_sided: float | None
    crossed: float | None
    residual_bp: float | None
    volatilities_out: float | None
    still: float | None
    still_longest_s: int
    gaps: int
    wait_longest_s: int
    without_close: int
    unpriced: int
    modelled: float | None
    futures_by_parity: int
    futures_by_basis: int
    future_error_bp: float | None


class QualityFigures:
    """A measured set and what follows from it."""

    def __init__(self, of: Measured) -> None:
        self.of = of

    @cached_property
    def by_scrip(self) -> dict[str, list[Quality]]:
        """Each scrip's days, those with the most quotes first."""
        found: dict[str, list[Quality]] = {}
        for day in self.of.days:
            found.setdefault(day.symbol, []).append(day)
        return dict(sorted(found.items(), key=lambda item: (-sum(day.quotes for day in item[1]), item[0])))

    @cached_property
    def scrips(self) -> list[ScripQuality]:
        """A row a scrip."""
        return [_scrip(symbol, days, len(self.of.missing[symbol])) for symbol, days in self.by_scrip.items()]

    @cached_property
    def reasons(self) -> list[tuple[str, str, int]]:
        """Why something is not traded on: what is counted (rows or quotes), the reason, how often; most first."""
        rows, quotes = Counter(self.of.left_out), Counter[str]()
        for day in self.of.days:
            rows.update(day.bad_rows)
            quotes.update(day.bad_quotes)
        found = [("rows", reason, n) for reason, n in rows.items()]
        found += [("quotes", reason, n) for reason, n in quotes.items()]
        return sorted(found, key=lambda one: (-one[2], one[1]))

    @cached_property
    def worst(self) -> list[tuple[Quality, str]]:
        """Days that a person should look at, and why; those with the most reasons first."""
        found = [(day, why) for day in self.of.days if (why := _oddities(day))]
        found.sort(key=lambda one: (-len(one[1]), one[0].day, one[0].symbol))
        return [(day, "; ".join(why)) for day, why in found]

    @cached_property
    def totals(self) -> dict[str, int]:
        """How much there is of it all."""
        days = self.of.days
        return {
            "scrips": len(self.by_scrip),
            "days": len({day.day for day in days if day.pages}),
            "scrip days": sum(bool(day.pages) for day in days),
            "sessions missing": sum(map(len, self.of.missing.values())),
            "pages": sum(day.pages for day in days),
            "quotes": sum(day.quotes for day in days),
            "rows": sum(day.rows for day in days),
            "rows kept apart": sum(day.rows_apart for day in days),
            "quotes emptied": sum(sum(day.bad_quotes.values()) for day in days),
        }

    def sentences(self) -> list[str]:
        """What is to be known first."""
        of, totals = self.of, self.totals
        said = [f"{counted(len(self.worst), 'day')} of a scrip should be looked at"] if self.worst else []
        said += [f"{symbol}: {counted(len(days), 'session')} missing, from {days[0]} on" for symbol, days in
                 sorted(of.missing.items(), key=lambda item: -len(item[1]))[:5] if days]  # fmt: skip
        if totals["rows"]:
            said.append(f"{totals['rows kept apart'] / totals['rows']:.1%} of {totals['rows']:,} rows are kept apart")
        modelled = [one.symbol for one in self.scrips if one.modelled]
        if modelled:
            said.append(
                f"quotes of {_some(modelled)} are a model's: their spreads and stillness say nothing of a market"
            )
        closes = [one.symbol for one in self.scrips if one.without_close]
        if closes:
            said.append(f"days without an official close: {_some(closes)}; nothing of them settles on such a day")
        said += [f"cannot be read: {one}" for one in of.damaged]
        return [*said, *(f"left aside: {one}" for one in of.aside)]


def _some(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _oddities(day: Quality) -> list[str]:
    why: list[str] = []
    if day.is_shut:
        return why
    if not day.pages:
        why.append(
            "nothing can be used" + (f" ({max(day.bad_rows, key=day.bad_rows.__getitem__)})" if day.bad_rows else "")
        )
    elif day.rows and day.rows_apart > APART_MUCH * day.rows:
        why.append(f"{day.rows_apart / day.rows:.0%} of its rows kept apart")
    if day.residual_bp is not None and day.residual_bp > RESIDUAL_FAR_BP:
        why.append(f"strikes {day.residual_bp:.0f} bp apart on the forward")
    if day.still_longest_s > STILL_LONG_S and not day.modelled_pages:
        why.append(f"a quote near the money stood still for {day.still_longest_s // 60} minutes")
    if day.future_error_bp is not None and abs(day.future_error_bp) > ERROR_FAR_BP:
        why.append(f"its future derived {day.future_error_bp:+.0f} bp from the official close")
    if day.unpriced and day.pages:
        why.append(f"{counted(day.unpriced, 'listed future')} without an official price")
    return why


def _scrip(symbol: str, days: Sequence[Quality], missing: int) -> ScripQuality:
    used = [day for day in days if day.pages]
    rows, quotes = sum(day.rows for day in days), sum(day.quotes for day in days)
    errors = [abs(day.future_error_bp) for day in used if day.future_error_bp is not None]
    crossed = sum(day.crossed for day in days)
    return ScripQuality(
        symbol,
        len(used),
        sum(not day.pages and not day.is_shut for day in days),
        missing,
        median(day.pages for day in used) if used else 0.0,
        quotes,
        _share(sum(day.rows_apart for day in days), rows) or 0.0,
        _middle(day.spread for day in used),
        _share(sum(day.one_sided for day in days), quotes),
        _share(crossed, quotes + crossed),
        _middle(day.residual_bp for day in used),
        _over(used, lambda day: day.volatilities_out, lambda day: day.volatilities),
        _over(used, lambda day: day.still, lambda day: day.compared),
        max((day.still_longest_s for day in used), default=0),
        sum(day.gaps for day in used),
        max((day.wait_longest_s for day in used), default=0),
        sum(not day.has_close for day in used),
        sum(day.unpriced for day in used),
        _over(used, lambda day: day.modelled_pages, lambda day: day.pages),
        sum(day.future_how == "parity" for day in used),
        sum(day.future_how == "basis" for day in used),
        median(errors) if errors else None,
    )


def _over(days: Sequence[Quality], part: Callable[[Quality], int], whole: Callable[[Quality], int]) -> float | None:
    return _share(sum(map(part, days)), sum(map(whole, days)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
