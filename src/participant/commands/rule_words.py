"""A dated rule as a person reads it: percent, rupees, days of the week and clock times, not the parts of its row."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from participant.core import conduct, rulerows
from participant.core.charges import CRORE_IN_PAISE, ChargeRates, ValueRates
from participant.core.margin import MarginRates
from participant.core.rulerows import Dated
from participant.core.scrip import Kind
from participant.core.wording import at_price, counted, rupees

PLAIN_MIN = CRORE_IN_PAISE // 100_000  # under 0.001 % a rate is said as rupees a crore
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KINDS = {Kind.FUTURE: "futures", Kind.CALL: "calls", Kind.PUT: "puts", Kind.STOCK: "shares"}
HEAD = frozenset({*Dated.__struct_fields__, "symbol", "symbols"})
SHARES = frozenset({"price_scan", "volatility_scan"})  # besides those that are called so
CHARGED = {"futures": "of the value", "options": "of the premium", "shares": "of the value"}


def rule_words(row: Dated) -> str:
    """What a row says, empty where its subject says it all; a kind of row without words of its own by its parts."""
    told = WORDS.get(type(row))
    return told(row) if told else ", ".join(_parts(row))


def share(figure: float) -> str:
    """A fraction in percent, without digits that say nothing: `0.05 %`."""
    return f"{round(figure * 100, 7):.7g} %"


def _parts(row: Struct, prefix: str = "") -> Iterator[str]:
    """The figures of a row by name, those of a part under its name."""
    for name in row.__struct_fields__:
        figure = getattr(row, name)
        if name in HEAD or figure is None:
            continue
        said = f"{prefix}{name.removeprefix('is_').replace('_', ' ')}"
        if isinstance(figure, Struct):
            yield from _parts(figure, f"{said} ")
        elif name in {"kinds", "moment"}:
            yield _kinds(row) if name == "kinds" else {"close": "at the close"}.get(figure, f"{figure}")
        elif name.endswith("_crore"):
            yield f"{said.removesuffix(' crore')} ₹{figure:,} crore"
        else:
            yield f"{said} {_part(name, figure)}"


def _part(name: str, figure: object) -> str:
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    if isinstance(figure, tuple):
        return "/".join(map(str, figure))
    if isinstance(figure, datetime.time):
        return _clock(figure)
    if isinstance(figure, float):
        return share(figure) if "share" in name or name in SHARES else f"{figure:g}"
    return f"{figure:,}" if isinstance(figure, int) else f"{figure}"


def _clock(at: datetime.time) -> str:
    return f"{at:%H:%M}" if not at.second else f"{at:%H:%M:%S}"


def _kinds(row: Any) -> str:
    return " and ".join(KINDS[kind] for kind in row.kinds)


# --- one kind of row each ---------------------------------------------------------------------------------------------


def _days(row: Any) -> str:
    listed = ", ".join(f"{day}, {WEEKDAYS[day.weekday()][:3]}" if len(row.days) == 1 else f"{day}" for day in row.days)
    return f"{row.name}: {listed}" if isinstance(row, rulerows.EventDays) else f"{len(row.days)} weekdays: {listed}"


def _hours(row: Any) -> str:
    early = f"call auction from {_clock(row.pre_open)}, " if row.pre_open else ""
    last = (
        "" if row.expiring_close == row.close else f", contracts on their last day until {_clock(row.expiring_close)}"
    )
    after = f", after it until {_clock(row.post_close_until)}" if row.post_close_until != row.close else ""
    return f"{early}open {_clock(row.open)} to {_clock(row.close)} IST{last}{after}"


def _lot(row: Any) -> str:
    return counted(row.units, "unit") + (f", traded so until {row.traded_until}" if row.traded_until else "")


def _expiry(row: Any) -> str:
    day, months = WEEKDAYS[row.weekday - 1], counted(row.monthlies, "month")
    if not row.weeklies:
        return f"on the last {WEEKDAYS[(row.monthly_weekday or row.weekday) - 1]} of the month; {months} listed"
    own = f", the month's on its last {WEEKDAYS[row.monthly_weekday - 1]}" if row.monthly_weekday else ""
    return f"on {day}s{own}; {counted(row.weeklies, 'week')} and {months} listed"


def _tick(row: Any) -> str:
    above = "" if not row.above else f" above {at_price(row.above)}"
    if row.above % 100 == 99:  # the first price that it holds for is whole paise
        above = f" from {at_price(row.above + 1)} on"
    return f"{at_price(row.tick)} for {_kinds(row)}{above}"


def _range(row: Any) -> str:
    if not row.cheap_until:
        return f"limits of {_kinds(row)} within {share(row.share)} of the reference"
    cheap = f"{at_price(row.cheap_width)} of a reference up to {at_price(row.cheap_until)}"
    return f"limits of {_kinds(row)} within {cheap}, of a higher one within {share(row.share)}"


def _charges(row: Any) -> str:
    rates: ChargeRates = row.rates
    said = [f"brokerage {rupees(rates.brokerage_paise_per_order)} an order", f"GST {rates.gst_percent} % of the fees"]
    said += [f"{name}, {of}: {_rates(getattr(rates, name))}" for name, of in CHARGED.items()]
    return "; ".join([*said, f"delivered by expiry: brokerage {_rate(rates.delivery_brokerage)}"])


def _rates(rates: ValueRates) -> str:
    stt, stamp = _sides(rates.stt_buy, rates.stt_sell), _sides(rates.stamp_buy, rates.stamp_sell)
    fees = (("exchange", rates.exchange), ("SEBI", rates.sebi), ("IPFT", rates.ipft))
    told = [f"STT {stt}", f"stamp duty {stamp}", *(f"{name} {_rate(rate)}" for name, rate in fees)]
    return ", ".join(one for one in told if not one.endswith(" none"))


def _sides(buy: int, sell: int) -> str:
    if buy == sell:
        return f"{_rate(buy)} on buys and sells" if buy else "none"
    return " and ".join(f"{_rate(rate)} on {side}" for rate, side in ((buy, "buys"), (sell, "sells")) if rate)


def _rate(rate: int) -> str:
    """Paise a crore of rupees in percent; what is tiny as rupees a crore, as it is published."""
    if not rate:
        return "none"
    return share(rate / CRORE_IN_PAISE) if rate >= PLAIN_MIN else f"{rupees(rate)} a crore"


def _margins(row: Any) -> str:
    rates: MarginRates = row.rates
    return (
        f"price scan {rates.price_scan_sigmas:.3g} deviations of a day, at least {share(rates.price_scan_min)}; "
        f"volatility scan {share(rates.volatility_scan_share)} of the volatility, at least "
        f"{share(rates.volatility_scan_min)} a year; extreme moves {rates.extreme_multiple:g} times as wide, of which "
        f"{share(rates.extreme_cover)} counts; calendar spreads {share(rates.calendar_charge)}; exposure "
        f"{share(rates.exposure)}, on expiry day {share(rates.expiry_day_short_exposure)} more on short options"
    )


def _halt(row: Any) -> str:
    when = f"from {_clock(row.begins)}" + (f" to {_clock(row.ends)}" if row.ends else " on")
    shut = "for the rest of the day" if row.halt_minutes is None else f"for {counted(row.halt_minutes, 'minute')}"
    auction = f", then a call auction of {counted(row.auction_minutes, 'minute')}" if row.auction_minutes else ""
    halted = "trading goes on" if row.halt_minutes == 0 else f"shut {shut}{auction}"
    indices = " or ".join(row.indices) + (", whichever is first," if len(row.indices) > 1 else "")
    return f"{indices} {share(row.move)} either way {when}: {halted}"


def _algo(row: Any) -> str:
    asked = ((row.is_static_ip_required, "a static address"), (row.is_tag_required, "a tag on each order"))
    said = [f"at most {row.orders_per_second_max} orders a second", *(what for is_so, what in asked if is_so)]
    daily = ["logged out each day"] if row.is_logged_out_daily else []
    return ", ".join([*said, *daily, f"logs kept {counted(row.log_years, 'year')}"])


WORDS: dict[type[Dated], Callable[[Any], str]] = {
    rulerows.Holidays: _days,
    rulerows.EventDays: _days,
    rulerows.Hours: _hours,
    rulerows.Settlement: lambda row: row.method,
    rulerows.Underlyings: lambda row: "",
    rulerows.Members: lambda row: ", ".join(row.symbols),
    rulerows.Sector: lambda row: row.sector,
    rulerows.Beta: lambda row: f"{row.beta:g}",
    rulerows.Delivery: lambda row: "shares are delivered" if row.is_physical else "settled in cash",
    rulerows.Expiry: _expiry,
    rulerows.Lot: _lot,
    rulerows.Freeze: lambda row: f"at most {counted(row.units, 'unit')} an order",
    rulerows.StrikeStep: lambda row: at_price(row.step),
    rulerows.TickSize: _tick,
    rulerows.PriceRange: _range,
    rulerows.ChargeRow: _charges,
    rulerows.MarginRow: _margins,
    conduct.Halt: _halt,
    conduct.AlgoRule: _algo,
    conduct.DeliveryMargin: lambda row: (
        f"{', '.join(map(share, row.shares))} of VaR and ELM, a session each, the last before expiry last"
    ),
    conduct.OperatingRange: lambda row: f"{_kinds(row)} within {share(row.share)} of the close before",
    conduct.CalendarSpread: lambda row: f"set off {'too' if row.is_offset_on_expiry_day else 'no more'}",
}
