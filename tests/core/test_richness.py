"""The volatility figures that a decision logs: which of them there are, and that they are those of the functions."""

from msgspec.structs import replace

from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.market import LookBack, MarketState
from participant.core.pricing import rounded
from participant.core.realised import parkinson, realised_by, yang_zhang
from participant.core.scrip import Scrip, Weights
from participant.core.volatility import ForwardSource, term, term_slope
from tests.core.worlds import RULES, account, chain_state, look_back, position

RANGES = ("realised_parkinson", "realised_yang_zhang")


def decided(state: MarketState) -> Decision:
    scrip = Scrip("NIFTY", weights=Weights(iv_rank_min=0.3))
    return decide(scrip, state, position(), account(), RULES)


def with_ranges(known: LookBack) -> LookBack:
    """A percent above and below each close, opened at it."""
    highs, lows = (tuple(round(close * by) for close in known.closes) for by in (1.01, 0.99))
    return replace(known, opens=known.closes, highs=highs, lows=lows)


def test_realised_by_range_is_logged_where_the_look_back_has_ranges_and_left_out_where_not() -> None:
    known = with_ranges(look_back())
    figures = decided(chain_state(history=known)).figures
    assert figures["realised_parkinson"] == rounded(parkinson(known.highs, known.lows))
    assert figures["realised_yang_zhang"] == rounded(yang_zhang(known.opens, known.highs, known.lows, known.closes))
    assert figures["realised"] == rounded(realised_by(known).close)
    assert not set(RANGES) & decided(chain_state()).figures.keys()


def test_ranges_change_no_verdict() -> None:
    plain, ranged = decided(chain_state()), decided(chain_state(history=with_ranges(look_back())))
    assert (plain.action, plain.reason, plain.legs) == (ranged.action, ranged.reason, ranged.legs)


def test_the_slope_of_the_term_is_logged_beside_a_30_day_iv_of_the_scrips_own() -> None:
    state = chain_state()
    assert decided(state).figures["term_slope"] == rounded(term_slope(term(state, RULES)))
    published = replace(look_back(), published="India VIX of a day")
    assert "term_slope" not in decided(chain_state(history=published)).figures


def test_what_the_forward_was_read_from_is_logged_with_the_call() -> None:
    state = chain_state()
    opened = decided(state)
    assert opened.action is Action.OPEN
    months = {future.contract.expiry.isoformat() for future in state.futures}
    is_month = opened.figures["call_expiry"] in months
    assert opened.figures["forward_source"] == (ForwardSource.FUTURE if is_month else ForwardSource.PARITY)
    derived = replace(state, futures=tuple(replace(f, is_derived=True) for f in state.futures))
    assert decided(derived).figures["forward_source"] == ForwardSource.PARITY
