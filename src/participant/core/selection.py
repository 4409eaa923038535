"""Which call to sell against which cover: the structure that a covered call would open."""

import datetime
from array import array
from collections.abc import Sequence
from math import inf, isfinite, nan

from msgspec import Struct

from participant.core.market import Chain, Future, Quote, Strike, option
from participant.core.measures import LABELS, measure_of, target_of, told
from participant.core.once import once
from participant.core.pricing import Options, greeks, implied_volatilities, rounded, values
from participant.core.rows import closest, valid_calls
from participant.core.scrip import Contract, Kind
from participant.core.strategy import Case, Figures
from participant.core.volatility import Forward, atm_iv, forward_to, middle, strike_iv, years_left

# Far more than rounding can move a measure or a spread, far less than lies between two strikes.
SLACK = 1e-6


class Candidate(Struct, frozen=True):
    """A call to sell and what covers it (a future or shares), as quoted; `years` to the call's expiry.

    `iv` is the call's own, `atm_iv` that of its expiry at the money (where it has none, the call's).
    """

    call: Contract
    quote: Quote
    cover: Future
    forward: Forward
    years: float
    iv: float
    atm_iv: float
    delta: float

    @property
    def spread(self) -> float:
        """The call's bid-ask spread as a share of its middle."""
        return rounded((self.quote.ask - self.quote.bid) / middle(self.quote))


class _Expiry(Struct, frozen=True):
    """What the calls of a chain have in common; the IV at the money only where a call is chosen by it."""

    chain: Chain
    cover: Future
    forward: Forward
    years: float
    level: float


class _Calls(Struct, frozen=True):
    """Calls with a valid quote, a column a fact: its measure before rounding (doubles), and what it is."""

    measures: Sequence[float]
    expiries: Sequence[_Expiry]
    rows: Sequence[Strike]
    are_known: bool = True  # no call's measure is unknown but where its delta is as well


def choose(case: Case, covers: Sequence[Future], since: datetime.date = datetime.date.min) -> Candidate | str:
    """The call nearest the target, days to expiry within the window, with its cover; or why there is none.

    None that expires before `since`.

    Calls whose spread is acceptable go before all others, of equal ones the earlier expiry is taken. The cover is the
    earliest of `covers` that lives as long as the call.
    """
    window = f"{days_min(case)}-{case.weights.days_to_expiry_max} days"
    chains = [chain for chain in chains_of(case) if chain.expiry >= since]
    if not chains:
        return f"no expiry within {window} is listed"
    covered = [(chain, cover) for chain in chains if (cover := cover_of(chain, covers)) is not None]
    if not covered:
        return f"no future lives as long as a call within {window}"
    best = _best(case, [_expiry(case, chain, cover) for chain, cover in covered])
    if best is None:
        return f"no call within {window} has a valid quote"
    target, most = target_of(case)
    if _error(case, best) > most:
        near, has = told(case, target), told(case, measure(case, best))
        return f"no call within {window} is near {LABELS[case.weights.choose_by]} {near}: the nearest has {has}"
    return _fault(case, best) or best


def _fault(case: Case, best: Candidate) -> str:
    """Why the cover does not serve the call, or an empty string; one that a person holds is not bought."""
    cover = best.cover
    if not cover.quote.is_valid and case.weights.cover != "held":
        return f"the cover {cover.contract.key} has no valid quote"
    if cover.contract.kind is Kind.FUTURE and cover.contract.lot != best.call.lot:
        return f"a lot of {cover.contract.key} does not cover a lot of {best.call.key}"
    return ""


def measure(case: Case, candidate: Candidate) -> float:
    """How far out of the money, or how dear, a call is by the scrip's measure.

    Moneyness is `strike / forward - 1`; in deviations `ln(strike / forward) / (IV at the money x root of the years)`.
    A premium is the bid in rupees a unit, a yield the bid over spot times 365 / days to expiry.
    """
    out = candidate.call.strike / candidate.forward.level
    return rounded(measure_of(case, out, candidate.atm_iv, candidate.years, (candidate.quote.bid, candidate.delta)))


def _error(case: Case, candidate: Candidate) -> float:
    return rounded(abs(measure(case, candidate) - target_of(case)[0]))


@once
def chains_of(case: Case) -> tuple[Chain, ...]:
    """The chains whose calls may be sold by the window of days, in their order."""
    today = case.day.toordinal()  # numbers: a window may reach beyond all dates
    first, last = today + days_min(case), today + case.weights.days_to_expiry_max
    return tuple([chain for chain in case.market.chains if first <= chain.expiry.toordinal() <= last])


def days_to(case: Case, expiry: datetime.date) -> int:
    """Calendar days from the trading day to an expiry."""
    return (expiry - case.day).days


def days_min(case: Case) -> int:
    """The fewest days to expiry that a call is sold with: never 0, for that is expiry day."""
    return max(1, case.weights.days_to_expiry_min)


def cover_of(chain: Chain, covers: Sequence[Future]) -> Future | None:
    """The earliest of these futures that lives as long as a chain's calls."""
    living = [cover for cover in covers if cover.contract.expiry >= chain.expiry]
    return min(living, key=lambda cover: cover.contract.expiry) if living else None


def _expiry(case: Case, chain: Chain, cover: Future) -> _Expiry:
    years = years_left(case.market, chain, case.rules)
    forward = forward_to(case.market, chain, years)
    level = _level(chain, forward, years) if case.weights.choose_by == "sigmas" else nan
    return _Expiry(chain, cover, forward, years, level)


def _calls(case: Case, expiries: Sequence[_Expiry], is_out: bool) -> _Calls:
    """The calls whose quote is valid and whose middle has an implied volatility; `is_out`: only out of the money."""
    ofs, rows = list[_Expiry](), list[Strike]()
    strikes, middles, forwards, years = array("d"), array("d"), array("d"), array("d")
    for of in expiries:
        found, strikes_of, middles_of = valid_calls(of.chain.strikes, of.forward.level if is_out else -inf)
        rows += found
        strikes.frombytes(strikes_of)
        middles.frombytes(middles_of)
        ofs += [of] * len(found)
        forwards += array("d", [of.forward.level]) * len(found)
        years += array("d", [of.years]) * len(found)
    deltas = _deltas(Options(b"\x01" * len(rows), forwards, strikes, years), middles)
    if case.weights.choose_by == "delta":
        return _Calls(deltas, ofs, rows)
    known = [one for one in zip(ofs, rows, deltas, strict=True) if isfinite(one[2])]
    measures = array("d", [
        measure_of(case, row.strike / of.forward.level, of.level, of.years, (_call(row).bid, delta))
        for of, row, delta in known
    ])  # fmt: skip
    return _Calls(measures, [of for of, _, _ in known], [row for _, row, _ in known], all(map(isfinite, measures)))


def _call(row: Strike) -> Quote:
    assert row.call is not None  # it is one of the valid ones
    return row.call


def _level(chain: Chain, forward: Forward, years: float) -> float:
    return rounded(atm_iv(chain, forward.level, years))


def _deltas(options: Options, middles: Sequence[float]) -> Sequence[float]:
    """The delta of each, good to far less than SLACK; `nan` where the middle has no implied volatility."""
    sigmas, out = array("d", bytes(8 * (size := len(middles)))), array("d", bytes(6 * 8 * size))
    implied_volatilities(options, middles, sigmas, bytearray(size))
    values(options, sigmas, out)
    return out[size : 2 * size]


def _is_tight(quote: Quote, spread_max: float) -> bool:
    """Whether the spread, as it is rounded, is acceptable."""
    spread = (quote.ask - quote.bid) / middle(quote)
    return spread < spread_max if abs(spread - spread_max) > SLACK else rounded(spread) <= spread_max


def _best(case: Case, expiries: Sequence[_Expiry]) -> Candidate | None:
    """The call nearest the target; None where there is no call.

    In the money a delta is a half or more: nothing there is looked at where a tight call out of it is nearer than that.
    """
    target = target_of(case)[0]
    if case.weights.choose_by == "delta" and target < 0.5:
        best = _nearest(case, _calls(case, expiries, is_out=True), 0.5 - target)
        if best is not None:
            return best
    return _nearest(case, _calls(case, expiries, is_out=False), None)


def _nearest(case: Case, calls: _Calls, enough: float | None) -> Candidate | None:
    """The call whose measure is nearest the target: only those that rounding might put first are looked at closely.

    A far weekly that hardly trades must not stand in front of a call that does: tight ones go before all others. Where
    a chain has no IV at the money, the deviations of a call go by its own: then all are looked at. With an error that
    is `enough`, None where no tight call has less.
    """
    most, (target, serves) = case.weights.spread_max, target_of(case)
    near: Sequence[int] = ()
    nearest: int | None = None
    for reach in (serves / 8, serves, inf):  # mostly the first has one
        near = _within(calls, target, reach)
        nearest = next((i for i in near if _is_tight(_call(calls.rows[i]), most)), None)
        if nearest is not None:
            break
    if not near or (nearest is None and enough is not None):
        return None
    off = abs(calls.measures[near[0] if nearest is None else nearest] - target)
    reach = off + SLACK * (1 + abs(target) + off)
    if enough is not None and reach >= enough:
        return None
    near = _within(calls, target, reach)
    looked_at = (i for i in near if nearest is None or _is_tight(_call(calls.rows[i]), most))
    return min((_candidate(case, calls, i) for i in looked_at), key=lambda c: (_error(case, c), c.call))


def _within(calls: _Calls, target: float, reach: float) -> Sequence[int]:
    """The places of the calls whose measure is within reach, nearest first; of all calls, where one is not known."""
    return closest(calls.measures, target, reach) if calls.are_known else range(len(calls.measures))


def _candidate(case: Case, calls: _Calls, i: int) -> Candidate:
    of, strike, quote = calls.expiries[i], calls.rows[i].strike, _call(calls.rows[i])
    forward, years = of.forward.level, of.years
    iv, at_the_money = rounded(strike_iv(True, quote, forward, strike, years)), _level(of.chain, of.forward, years)
    delta = rounded(greeks(True, forward, strike, years, iv).delta)
    contract = option(case.market.scrip, of.chain, Kind.CALL, strike)
    level = at_the_money if isfinite(at_the_money) else iv
    return Candidate(contract, quote, of.cover, of.forward, years, iv, level, delta)


def figures_of(case: Case, candidate: Candidate) -> Figures:
    """The candidate in figures. The basis is a future's premium over spot; it decays as the expiry nears."""
    call, quote, cover = candidate.call, candidate.quote, candidate.cover
    return {
        "call": call.key,
        "call_strike": call.strike,
        "call_expiry": call.expiry.isoformat(),
        "call_days": days_to(case, call.expiry),
        "call_bid": quote.bid,
        "call_ask": quote.ask,
        "call_delta": candidate.delta,
        "call_iv": candidate.iv,
        "atm_iv": candidate.atm_iv,
        "spread": candidate.spread,
        "forward": rounded(candidate.forward.level),
        "forward_source": candidate.forward.source,
        "cover": cover.contract.key,
        "cover_bid": cover.quote.bid,
        "cover_ask": cover.quote.ask,
        "basis": basis_of(case, candidate),
        **({"call_measure": measure(case, candidate)} if case.weights.choose_by != "delta" else {}),
    }


def basis_of(case: Case, candidate: Candidate) -> float:
    """What the cover costs above spot (a price); nothing where it is shares."""
    cover = candidate.cover
    return rounded(middle(cover.quote) - case.market.spot) if cover.contract.kind is Kind.FUTURE else 0.0
