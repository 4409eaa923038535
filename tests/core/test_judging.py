"""One judgement after another: who is at fault, what is kept back, and how belief moves."""

import pytest
from msgspec.structs import replace

from participant.core.arbiter import Arbiter
from participant.core.feed_rules import Arbitration, at_speed, in_lockstep
from participant.core.market import SECOND, Down, Held, Mark, Tick, Ticks
from participant.core.providers import State
from tests.stages.floor import CONTRACTS, REFERENCES, SPOTS, START, quoted

NAMES = ("one", "two", "three")
RULE = Arbitration()
OPTIONS = [c for c in CONTRACTS["NIFTY"] if c.kind.is_option]


class Market:
    """Three providers told second by second; what they say can be changed."""

    def __init__(self, rule: Arbitration = RULE) -> None:
        self.arbiter = Arbiter(NAMES, REFERENCES, rule)
        self.moves = dict.fromkeys(NAMES, True)
        self.late = dict.fromkeys(NAMES, 0)

    def tell(self, second: int, name: str, *, is_snapshot: bool = False) -> None:
        """All quotes, the spots up by a point each second, unless this provider's do not move."""
        now = START + second * SECOND
        second -= self.late[name]
        at = START + second * SECOND
        up = second if self.moves[name] else 0
        ticks = [Tick(s, 0, 0, 0, 0, spot + up * 10_000, at) for s, spot in SPOTS.items()]
        for contract in (c for of in CONTRACTS.values() for c in of):
            quote = quoted(contract)
            move = second % 2 * contract.tick
            ticks.append(Tick(contract.key, quote.bid + move, quote.ask + move, quote.bid_size, quote.ask_size, 0, at))
        self.arbiter.take(name, [Ticks(name, now, tuple(ticks), is_snapshot), Mark(name, now, at)])

    def run(self, seconds: range, *names: str) -> None:
        for second in seconds:
            for name in names or NAMES:
                self.tell(second, name, is_snapshot=second == 0)
            self.arbiter.judge(START + second * SECOND)

    def state(self, name: str) -> tuple[State, str]:
        found = next(s for s in self.arbiter.judgement.standings if s.provider == name)
        return found.state, found.reason


def test_one_is_active_and_the_others_are_warm() -> None:
    market = Market()
    market.run(range(5))
    assert [market.state(name)[0] for name in NAMES] == [State.ACTIVE, State.WARM, State.WARM]
    assert market.arbiter.trusted()[1] == frozenset()


def test_an_index_that_stands_still_at_the_active_one_alone_is_its_fault() -> None:
    market = Market()
    market.run(range(3))
    market.moves["one"] = False
    market.run(range(3, 7))
    assert market.arbiter.believed == "two"
    assert market.state("one") == (State.QUARANTINED, "stood still: BANKNIFTY for 2 s while another moved")


@pytest.mark.parametrize(("late", "is_left"), [(3, False), (5, True), (30, True)])
def test_one_whose_instants_come_late_for_long_is_at_fault_though_all_of_them_move(late: int, is_left: bool) -> None:
    market = Market()
    market.late["one"] = late
    market.run(range(4))
    assert market.arbiter.believed == ("two" if is_left else "one")
    if is_left:
        assert market.state("one") == (State.QUARANTINED, "runs late: its last instant is over 3 s behind another's")
    market.run(range(4, 20))
    assert market.arbiter.believed == ("two" if is_left else "one")


def test_one_that_ends_no_instant_any_more_is_at_fault() -> None:
    market = Market()
    market.run(range(3))
    for second in range(3, 9):
        market.run(range(second, second + 1), "two", "three")
        at = START + second * SECOND
        market.arbiter.take("one", [Ticks("one", at, tuple(market.arbiter.boards["two"].ticks.values()))])
    assert market.arbiter.believed == "two"
    assert market.arbiter.ended(START + 8 * SECOND) == START + 8 * SECOND


def test_a_quiet_market_that_one_says_again_and_again_makes_nobody_still_or_late() -> None:
    market = Market()
    market.run(range(3))
    for second in range(3, 90):
        at = START + second * SECOND
        told = market.arbiter.boards["three"].ticks.values()
        again = tuple(replace(t, exchange_at=at) for t in told)
        market.arbiter.take("three", [Ticks("three", at, again, is_snapshot=True), Mark("three", at, at)])
        for name in ("one", "two"):
            market.arbiter.take(name, [Held(name, at)])
        market.arbiter.judge(at)
    assert [market.state(name)[0] for name in NAMES] == [State.ACTIVE, State.WARM, State.WARM]


def test_instants_a_minute_apart_make_nobody_late() -> None:
    market = Market()
    for minute in range(5):
        for name in NAMES:
            market.tell(minute * 60, name, is_snapshot=not minute)
            market.arbiter.judge(START + minute * 60 * SECOND + SECOND // 2 * NAMES.index(name))
        for second in range(1, 60):
            at = START + (minute * 60 + second) * SECOND
            for name in NAMES:
                market.arbiter.take(name, [Held(name, at)])
            market.arbiter.judge(at)
    assert [market.state(name)[0] for name in NAMES] == [State.ACTIVE, State.WARM, State.WARM]


def test_who_says_nothing_at_all_is_no_measure_of_nonsense() -> None:
    market = Market()
    market.run(range(3))
    for second in range(3, 12):
        at = START + second * SECOND
        market.run(range(second, second + 1), "one", "two")
        up = 10 if second % 2 else 1
        wild = tuple(Tick(c.key, up * 1_000_000, up * 1_010_000, 75, 75, 0, at + 1) for c in OPTIONS)
        for name in ("one", "two"):
            market.arbiter.take(name, [Ticks(name, at, wild)])
        market.arbiter.take("three", [Held("three", at)])
        market.arbiter.judge(at)
    assert [market.state(name)[0] for name in NAMES] == [State.ACTIVE, State.WARM, State.QUARANTINED]


def test_an_index_that_stands_still_everywhere_keeps_its_scrip_back() -> None:
    market = Market(Arbitration(frozen_ticks_min=5))
    market.moves = dict.fromkeys(NAMES, False)
    market.run(range(10))
    assert market.arbiter.trusted()[1] == frozenset()
    market.run(range(10, 12))
    assert market.arbiter.trusted()[1] == frozenset(SPOTS)
    assert market.arbiter.judgement.held == dict.fromkeys(SPOTS, 1)
    assert market.arbiter.believed == "one"


def test_a_stock_whose_own_quote_moves_is_not_frozen_though_it_does_not_trade() -> None:
    market = Market(Arbitration(frozen_ticks_min=5))
    market.moves = dict.fromkeys(NAMES, False)
    for second in range(21):
        market.run(range(second, second + 1))
        at, step = START + second * SECOND, second * 500
        for name in NAMES:
            own = Tick("NIFTY", SPOTS["NIFTY"] - step, SPOTS["NIFTY"] + step, 75, 75, SPOTS["NIFTY"], at + 1)
            market.arbiter.take(name, [Ticks(name, at, (own,))])
        market.arbiter.judge(at)
    assert market.arbiter.trusted()[1] == {"BANKNIFTY"}


def test_in_lockstep_nothing_is_still_and_a_difference_is_one_at_once() -> None:
    market = Market(in_lockstep(Arbitration(frozen_ticks_min=5)))
    market.moves = dict.fromkeys(NAMES, False)
    market.run(range(15))
    assert market.arbiter.trusted()[1] == frozenset()
    at = START + 20 * SECOND
    for name, spot in (("one", 1.02), ("two", 1.0), ("three", 1.0)):
        market.arbiter.take(name, [Ticks(name, at, (Tick("NIFTY", 0, 0, 0, 0, int(SPOTS["NIFTY"] * spot), at),))])
    market.arbiter.judge(at)
    assert market.arbiter.believed == "two"


def test_a_quarantine_lasts_until_it_was_well_for_long_and_the_way_back_longer() -> None:
    market = Market(Arbitration(well_before_return_s=10.0, return_apart_s=30.0))
    market.run(range(3))
    market.moves["one"] = False
    market.run(range(3, 7))
    market.moves["one"] = True
    market.run(range(7, 15))
    assert market.state("one")[0] is State.QUARANTINED
    market.run(range(15, 30))
    assert (market.state("one")[0], market.arbiter.believed) == (State.WARM, "two")
    market.run(range(30, 40))
    assert market.arbiter.believed == "one"


def test_after_the_most_switches_nobody_is_stepped_to() -> None:
    market = Market(Arbitration(switches_max=1, well_before_return_s=0.0))
    market.run(range(3))
    at = START + 3 * SECOND
    market.arbiter.take("one", [Down("one", at, "cut")])
    market.run(range(4, 6), "two", "three")
    assert market.arbiter.believed == "two"
    market.arbiter.take("two", [Down("two", START + 6 * SECOND, "cut")])
    market.run(range(6, 8), "three")
    assert market.arbiter.believed == ""
    last = market.arbiter.judgement.changes[-1]
    assert last.reason == "two went down: cut, and 1 switches within 900 s are the most"
    market.tell(8, "two", is_snapshot=True)
    market.arbiter.judge(START + 8 * SECOND)
    assert market.arbiter.believed == "two", "it is no switch"


def test_two_that_are_left_and_differ_are_in_dispute() -> None:
    market = Market()
    market.run(range(3))
    market.arbiter.take("three", [Down("three", START + 2 * SECOND, "cut")])
    for second in range(3, 8):
        at = START + second * SECOND
        for name, share in (("one", 1.02), ("two", 1.0)):
            spot = int((SPOTS["NIFTY"] + second * 10_000) * share)
            market.arbiter.take(name, [Ticks(name, at, (Tick("NIFTY", 0, 0, 0, 0, spot, at),)), Held(name, at)])
        market.arbiter.judge(at)
    assert market.arbiter.judgement.disputed_since == START + 5 * SECOND
    assert market.arbiter.status().disputed_since
    assert "NIFTY" in market.arbiter.trusted()[1]


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_jump_waits_for_another_and_is_left_out_where_it_says_otherwise(is_confirmed: bool) -> None:
    market = Market()
    market.run(range(3))
    key, at = OPTIONS[0].key, START + 3 * SECOND
    old = market.arbiter.boards["one"].ticks[key]
    far = Tick(key, old.bid * 10, old.ask * 10, 75, 75, 0, at)
    market.arbiter.take("one", [Ticks("one", at, (far,)), Mark("one", at, at)])
    market.arbiter.judge(at)
    assert market.arbiter.ended(at) == 0, "nobody else has spoken yet"
    theirs = far if is_confirmed else Tick(key, old.bid, old.ask, 75, 75, 0, at)
    market.arbiter.take("two", [Ticks("two", at, (theirs,))])
    assert market.arbiter.ended(at) == at
    board, _ = market.arbiter.trusted()
    assert (key in board.ticks) is is_confirmed
    assert market.arbiter.judgement.hidden == (not is_confirmed)


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_one_contract_that_jumps_on_and_on_is_left_out_and_does_not_hold_up_the_rest(names: tuple[str, ...]) -> None:
    market = Market(Arbitration(odd_share_max=1.0))
    market.run(range(3), *names)
    key, seen, at = OPTIONS[0].key, set[bool](), START
    for tenth in range(30, 100):
        at = START + tenth * SECOND // 10
        if tenth % 10 == 0:
            for name in names:
                market.tell(tenth // 10, name)
        up = (1_000_000, 30_000_000)[tenth % 2]
        wild = Tick(key, up * 10, up * 10 + 500, 75, 75, 0, at + 1)
        market.arbiter.take("one", [Ticks("one", at, (wild,)), Mark("one", at, at)])
        market.arbiter.judge(at)
        if market.arbiter.ended(at) == at:
            seen.add(key in market.arbiter.trusted()[0].ticks)
    assert market.arbiter.ended(at) == at
    assert seen == {False}


def test_at_speed_no_wait_is_shorter_than_a_moment_of_ours() -> None:
    rule = at_speed(RULE, 60.0)
    assert (rule.silence_max_s, rule.index_still_max_s, rule.confirm_after_s) == (90.0, 90.0, 15.0)
    assert at_speed(RULE, 1.0) == RULE
    assert at_speed(RULE, 0.0) == RULE


def off_steps(market: Market, name: str, key: str, at: int) -> Tick:
    """A provider's word of a contract, a little up and off its steps of 5 paise."""
    old = market.arbiter.boards[name].ticks[key]
    return Tick(key, old.bid + 120, old.ask + 130, 75, 75, 0, at)


@pytest.mark.parametrize("who", ["another says otherwise", "another says so too", "nobody says anything", "alone"])
def test_what_is_quoted_off_its_contracts_steps_is_believed_only_where_another_says_the_same(who: str) -> None:
    market, key, at = Market(), OPTIONS[0].key, START + 3 * SECOND
    market.run(range(3), *(NAMES[:1] if who == "alone" else NAMES))
    word = off_steps(market, "one", key, at)
    market.arbiter.take("one", [Ticks("one", at, (word,)), Mark("one", at, at)])
    if who == "another says so too":
        market.arbiter.take("two", [Ticks("two", at, (word,))])
    if who == "nobody says anything":
        for name in NAMES[1:]:
            market.arbiter.take(name, [Down(name, at, "cut")])
    market.arbiter.judge(at)
    board, _ = market.arbiter.trusted()
    assert (key in board.ticks) is (who == "another says so too")
    assert board.tally.odd == 1, "one word, once"
    # The same again is no better; a word in steps is believed at once.
    again = replace(word, exchange_at=at + 1)
    market.arbiter.judge(at + SECOND)
    market.arbiter.take("one", [Ticks("one", at + SECOND, (again,))])
    assert (key in market.arbiter.trusted()[0].ticks) is (who == "another says so too")
    right = replace(word, bid=word.bid + 380, ask=word.ask + 370, exchange_at=at + 2)
    market.arbiter.take("one", [Ticks("one", at + SECOND, (right,))])
    assert market.arbiter.trusted()[0].ticks[key] == right


def test_who_quotes_everything_off_its_steps_talks_nonsense() -> None:
    market = Market()
    market.run(range(3))
    for second in range(3, 9):
        market.run(range(second, second + 1), "two", "three")
        at = START + second * SECOND
        words = tuple(replace(off_steps(market, "two", c.key, at), bid_size=second) for c in OPTIONS)
        market.arbiter.take("one", [Ticks("one", at, words), Mark("one", at, at)])
        market.arbiter.judge(at)
    assert market.arbiter.believed == "two"


def test_in_lockstep_a_recorded_market_off_its_steps_is_the_markets_own_and_an_unknown_step_is_not_judged() -> None:
    market, at = Market(in_lockstep(RULE)), START + 3 * SECOND
    market.run(range(3), "one")
    word = off_steps(market, "one", OPTIONS[0].key, at)
    market.arbiter.take("one", [Ticks("one", at, (word,)), Mark("one", at, at)])
    market.arbiter.judge(at)
    assert market.arbiter.trusted()[0].ticks[word.contract] == word
    free = Market()
    free.arbiter.universe = replace(free.arbiter.universe, ticks={})
    free.run(range(3), "one")
    free.arbiter.take("one", [Ticks("one", at, (word,)), Mark("one", at, at)])
    free.arbiter.judge(at)
    assert free.arbiter.trusted()[0].ticks[word.contract] == word


def test_what_the_feeds_dropped_unread_is_told_by_reason_and_bounded() -> None:
    market = Market()
    market.run(range(2))
    many = {f"reason {n}": 100 - n for n in range(25)}
    counted = {"one": many, "two": {"malformed": 3, "overflow": 0}}
    told = {p.standing.provider: p.dropped for p in market.arbiter.status(counted).providers}
    assert len(told["one"]) == 21
    assert sum(told["one"].values()) == sum(many.values())
    assert told["one"]["other reasons"] == sum(range(76, 81))
    assert (told["two"], told["three"]) == ({"malformed": 3}, {})


def paid(market: Market, name: str, last: int, up: int = 1) -> None:
    """A second later a provider says all options again, `up` times as dear, each with what was paid for it last."""
    market.tell(2, name)
    for n, contract in enumerate(OPTIONS):
        quote, at = quoted(contract), START + 2 * SECOND + n + 1
        tick = Tick(contract.key, quote.bid * up, quote.ask * up, quote.bid_size, quote.ask_size, last, at)
        market.arbiter.take(name, [Ticks(name, at, (tick,))])


def test_a_provider_that_tells_the_last_trade_of_options_too_is_not_outvoted_by_those_that_do_not() -> None:
    market = Market()
    market.run(range(2))
    for name in NAMES:
        paid(market, name, last=7_000_000 if name == "one" else 0)
    market.arbiter.judge(START + 3 * SECOND)
    assert market.arbiter.judgement.looks.wrong == {}


def test_a_last_trade_of_before_does_not_hide_a_wrong_quote() -> None:
    market = Market()
    market.run(range(2))
    for name in NAMES:
        paid(market, name, last=1_500_000, up=10 if name == "one" else 1)
    market.arbiter.judge(START + 2 * SECOND + 1_000)
    assert OPTIONS[0].key not in market.arbiter.trusted()[0].ticks
