"""Fail-over with injected faults: another provider is believed within seconds, and nothing untrue is published."""

import pytest
from msgspec.structs import replace

from participant.core.market import SECOND
from tests.failover import days
from tests.failover.__main__ import MARKETS, SECONDS
from tests.failover.lines import KINDS, NAMES, RECORDED, Fault
from tests.failover.run import SWITCH_MAX_S, Run, fault_of
from tests.failover.tape import Tape, made
from tests.history.recorded import DATA, needs_data


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_the_active_provider_is_found_and_left_within_five_seconds(kind: str) -> None:
    tape = made(1, SECONDS)
    out = Run(tape, fault_of(kind, 1, tape.beats[0].at), "1").play()
    assert out.bad == ()
    assert 0 <= out.switched_s <= SWITCH_MAX_S
    assert out.switches == 1, "there and not back, nor on"


def test_a_tenth_of_a_price_of_five_paise_is_no_price() -> None:
    """A move of less than two ticks is no jump: that it is off the contract's steps says what it is."""
    tape = made(447 % MARKETS, SECONDS)
    out = Run(tape, fault_of("5 % garbage", 447, tape.beats[0].at), "447").play()
    assert out.bad == ()
    assert 0 <= out.switched_s <= SWITCH_MAX_S


def test_without_a_fault_nothing_is_switched_or_left_out() -> None:
    tape = made(2, SECONDS)
    out = Run(tape, Fault("", 0, 0), "2").play()
    assert (out.switches, out.hidden, out.held, out.bad) == (0, 0, 0, ())
    assert out.published == len(tape.beats)


def test_the_check_finds_what_is_untrue() -> None:
    """Garbage at all three is what everybody says: then it is published, and the check must see it."""
    tape = made(1, SECONDS)
    fault = replace(fault_of("shifted prices", 1, tape.beats[0].at), names=NAMES, kind="frozen underlying")
    run = Run(tape, fault, "1")
    run.truth = type(run.truth)(tape.beats)
    assert any("NIFTY at" in bad for bad in run.play().bad)


def test_an_index_that_the_exchange_lets_stand_still_keeps_the_scrip_back_within_fifteen_seconds() -> None:
    tape = made(3, SECONDS)
    start = tape.beats[0].at + 5 * SECOND
    spot = next(t for beat in tape.beats for t in beat.ticks if t.last and beat.at >= start)
    stands = [replace(b, ticks=tuple(t for t in b.ticks if not t.last or b.at <= spot.exchange_at)) for b in tape.beats]
    run = Run(Tape(tape.references, tuple(stands), tape.apart_s), Fault("", 0, 0), "3")
    out = run.play()
    assert out.switches == 0
    assert out.held > 0
    last = max(b.at for b in stands if b.at <= run.published_at)
    assert last - spot.exchange_at <= 15 * SECOND


@needs_data
def test_the_gaps_that_stand_in_a_recorded_index_are_found() -> None:
    whole = days.day(DATA, "2022-11-01")
    ((start, end),) = days.gaps(whole)
    span = start - 20 * SECOND, end + 5 * SECOND
    own, full = days.window(whole, *span), days.window(days.filled(whole, (start, end)), *span)
    out = Run(full, Fault(RECORDED, start + SECOND, end), "1", own=own).play()
    assert out.bad == ()
    assert 0 <= out.switched_s <= SWITCH_MAX_S
