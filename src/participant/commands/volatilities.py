"""What a chain says of volatility, in lines for a person."""

from collections.abc import Iterator
from math import isfinite

from participant.core.surface import Expiry, Surface
from participant.core.volatility import ForwardSource
from participant.core.wording import at_price, counted, percent

SHOWN_MAX = 6
SOURCES = {
    ForwardSource.FUTURE: "of its future",
    ForwardSource.PARITY: "by parity",
    ForwardSource.CARRY: "by spot and carry alone",
}


def volatilities(known: Surface) -> Iterator[tuple[str, str]]:
    """Name and text of each line: the surface as a whole, then its nearest expiries."""
    parts = [_named("30-day IV", known.iv30), _named("realised", known.realised.close)]
    parts += [_named(name, value) for name, value in _ranges(known)]
    if known.term_slope is not None:
        parts.append(f"term {known.term_slope * 100:+.2f} points in 30 days")
    index = percent(known.index.level) if known.index else f"none, {known.no_index}"
    yield "vol", f"{', '.join(parts)}; index from the chain: {index}"
    for expiry in known.expiries[:SHOWN_MAX]:
        yield f"{expiry.expiry:%d %b}", _expiry(expiry)


def _ranges(known: Surface) -> Iterator[tuple[str, float]]:
    for name, value in (("Parkinson", known.realised.parkinson), ("Yang-Zhang", known.realised.yang_zhang)):
        if isfinite(value):
            yield name, value


def _named(name: str, value: float | None) -> str:
    return f"{name} {percent(value)}" if value is not None and isfinite(value) else f"{name} unknown"


def _expiry(of: Expiry) -> str:
    business = f" ({percent(of.iv_business)} in business time)" if of.iv_business is not None else ""
    said = f"forward {at_price(round(of.forward))} {SOURCES[of.forward_source]}, {_named('IV', of.iv)}{business}"
    if of.smile is None:
        return f"{said}; no smile: {of.no_smile}"
    curve = of.smile
    free = "" if curve.is_butterfly_free else ", not free of butterflies"
    off = f"off by {curve.rms * 100:.2f} (worst {curve.worst * 100:.2f}) points"
    bent = f"skew {curve.skew * 100:+.2f}, curvature {curve.curvature * 100:+.2f} points a deviation"
    return f"{said}; smile over {counted(curve.strikes, 'strike')}: {bent}, {off}{free}"
