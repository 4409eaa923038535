"""What must hold before a call is sold: rich volatility, a tight spread, and a premium that is worth the charges."""

from collections.abc import Iterator, Sequence
from math import inf, isfinite, nan

from msgspec import Struct

from participant.core import volatility
from participant.core.charges import charges
from participant.core.market import SECOND
from participant.core.pricing import rounded
from participant.core.realised import realised_by
from participant.core.scrip import Side, money
from participant.core.selection import Candidate
from participant.core.sizing import premium
from participant.core.strategy import Case, Figures, Gate
from participant.core.wording import apart, percent, rupees


class Richness(Struct, frozen=True):
    """How dear volatility is: 30-day at-the-money IV against its own past and against what was realised."""

    sessions: int
    iv30: float
    iv_rank: float
    iv_percentile: float
    realised: float
    iv_over_realised: float
    published: str = ""
    term_slope: float = nan
    parkinson: float = nan
    yang_zhang: float = nan

    @property
    def figures(self) -> Figures:
        """These figures by name."""
        return {
            "sessions": self.sessions,
            "iv30": self.iv30,
            "iv_rank": self.iv_rank,
            "iv_percentile": self.iv_percentile,
            "realised": self.realised,
            "iv_over_realised": self.iv_over_realised,
            **({"iv30_source": self.published} if self.published else {"term_slope": self.term_slope}),
            **({"realised_parkinson": self.parkinson} if isfinite(self.parkinson) else {}),
            **({"realised_yang_zhang": self.yang_zhang} if isfinite(self.yang_zhang) else {}),
        }

    def beside(self, candidate: Candidate) -> str:
        """Why it is rich, for a sentence, and beside it the IV at which the call is sold."""
        is_known = isfinite(self.iv_over_realised)
        over = f"is {self.iv_over_realised:.2f} times realised" if is_known else "over an unknown realised"
        return (
            f"IV rank {percent(self.iv_rank)} of {self.sessions} sessions, {self.name} {percent(self.iv30)} {over}, "
            f"the call's own IV is {percent(candidate.iv)}"
        )

    @property
    def name(self) -> str:
        """What `iv30` is: the scrip's own from its chain, or a published index that stands in for it."""
        return self.published or "30-day IV"


def richness(case: Case) -> Richness:
    """The volatility figures of a scrip; those that cannot be known are `nan`."""
    history: Sequence[float] = case.market.look_back.iv30
    if not (isfinite(sum(history)) and min(history, default=1.0) > 0):
        history = [iv for iv in history if 0 < iv < inf]
    published = case.market.look_back.published
    term = [] if published else volatility.term_ends(case.market, case.rules)
    own = rounded(volatility.constant_maturity(term))
    iv30 = (rounded(history[-1]) if history else nan) if published else own
    was = realised_by(case.market.look_back)
    realised = rounded(was.close)
    return Richness(
        sessions=len(history),
        iv30=iv30,
        iv_rank=rounded(volatility.rank(history, iv30)),
        iv_percentile=rounded(volatility.percentile(history, iv30)),
        realised=realised,
        iv_over_realised=rounded(iv30 / realised) if realised > 0 else nan,
        published=published,
        term_slope=rounded(volatility.term_slope(term)),
        parkinson=rounded(was.parkinson),
        yang_zhang=rounded(was.yang_zhang),
    )


VOLATILITY = ("history", "IV", "realised", "rank", "over realised")


def volatility_gates(case: Case, rich: Richness) -> Iterator[Gate]:
    """Whether volatility is known, and rich enough to sell."""
    weights, closes = case.weights, len(case.market.look_back.closes)
    yield Gate("history", _too_short(case, rich), rich.sessions, weights.look_back_sessions_min)
    yield Gate("IV", _no_iv(rich), rich.iv30)
    is_known = isfinite(rich.iv_over_realised) or not weights.iv_over_realised_min  # who asks for nothing needs it not
    yield Gate("realised", "" if is_known else f"realised volatility is not known from {closes} closes", rich.realised)
    rank, least = rich.iv_rank, weights.iv_rank_min
    yield Gate("rank", "IV rank {} is under {}".format(*apart(rank, least)) if rank < least else "", rank, least)
    ratio, least, said = rich.iv_over_realised, weights.iv_over_realised_min, ""
    if ratio < least:
        times, under = apart(ratio, least, 2, is_share=False)
        said = f"{rich.name} {percent(rich.iv30)} is {times} times realised {percent(rich.realised)}, under {under}"
    yield Gate("over realised", said, ratio, least)


def _too_short(case: Case, rich: Richness) -> str:
    if rich.published and not rich.sessions:
        return f"IV rank and IV over realised are unknown: no close of {rich.published} before the day is known"
    least = case.weights.look_back_sessions_min
    return f"look-back too short ({rich.sessions} of {least} sessions)" if rich.sessions < least else ""


def _no_iv(rich: Richness) -> str:
    if not isfinite(rich.iv30):
        return "no 30-day at-the-money IV can be read from the chain"
    return "" if isfinite(rich.iv_rank) else "IV has no rank: it never moved over the look-back"


def age_gate(case: Case, candidate: Candidate) -> Gate:
    """Whether what is to be traded was quoted a moment ago. A quote from the future has a wrong clock: as bad."""
    quotes = ((candidate.call, candidate.quote), (candidate.cover.contract, candidate.cover.quote))
    contract, quote = max(quotes, key=lambda one: abs(case.at - one[1].exchange_at))
    age, most, said = (case.at - quote.exchange_at) / SECOND, case.weights.quote_age_max_s, ""
    if abs(age) > most:
        told, over = apart(abs(age), most, 0, is_share=False)
        where = f"{told} s old" if age >= 0 else f"dated {told} s after the market state"
        said = f"the quote of {contract.key} is {where}, over {over} s"
    return Gate("quote age", said, rounded(age), most)


def spread_gate(case: Case, candidate: Candidate) -> Gate:
    """Whether the call's spread is acceptable."""
    spread, most, said = candidate.spread, case.weights.spread_max, ""
    if spread > most:
        said = "the spread of {} is {}, over {}".format(candidate.call.key, *apart(spread, most))
    return Gate("spread", said, spread, most)


class Credit(Struct, frozen=True):
    """What selling the calls brings at the bid, and what entering costs in charges, in paise."""

    premium: int
    charges: int

    @property
    def net(self) -> int:
        """The premium less the charges."""
        return self.premium - self.charges

    @property
    def figures(self) -> Figures:
        """These figures by name."""
        return {"premium_paise": self.premium, "charges_paise": self.charges, "net_credit_paise": self.net}


def credit(case: Case, candidate: Candidate, lots: int, is_cover_held: bool) -> Credit:
    """The credit of so many lots; the cover's charges count unless it is held already."""
    rates, units, received = case.rules.charge_rates(case.day), lots * candidate.call.lot, premium(candidate, lots)
    paid = charges(rates, candidate.call, Side.SELL, received).total
    if not is_cover_held:
        cover = candidate.cover
        paid += charges(rates, cover.contract, Side.BUY, money(cover.quote.ask, units)).total
    return Credit(received, paid)


def credit_gate(case: Case, earned: Credit) -> Gate:
    """Whether the net credit is worth it."""
    least, said = case.weights.net_credit_min, ""
    if earned.net <= least:
        parts = f"premium {rupees(earned.premium)} less charges {rupees(earned.charges)}"
        said = f"net credit {rupees(earned.net)} ({parts}) is not over {rupees(least)}"
    return Gate("credit", said, earned.net, least, earned.figures)
