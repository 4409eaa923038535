"""The rules against themselves, another calendar and a contract master: every difference once, explained or not."""

from datetime import date, time, timedelta

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.master import Listing
from participant.core.mastercheck import compare_master
from participant.core.rulebook import Rulebook
from participant.core.rulecheck import Difference, compare_calendar, coverage, faults
from participant.core.rulerows import Confidence, Hours
from participant.core.scrip import Kind
from participant.core.session import at_time

RULES = load_rules()
DAY = date(2026, 7, 30)
ONE_DAY = timedelta(days=1)


def unexplained(found: list[Difference]) -> list[Difference]:
    return [one for one in found if not one.explained]


# --- the tables -------------------------------------------------------------------------------------------------------


def test_the_rules_that_ship_contradict_themselves_nowhere_and_their_holes_are_scrips_own() -> None:
    found = faults(RULES)
    assert unexplained(found) == []
    assert (
        Difference(
            "a lot of KOTAKBANK, LT, RELIANCE, TCS",
            "no row from 2019-08-01 to 2025-12-31",
            4,
            "nothing is guessed: a scrip cannot be traded on a day that none of its rows covers",
        )
        in found
    )
    assert ("holidays", date(2018, 1, 1), date(2026, 12, 31)) in list(coverage(RULES))


def mended(rules: Rulebook, table: str, index: int, **changes: object) -> Rulebook:
    rows = list(getattr(rules, table))
    rows[index] = replace(rows[index], **changes)
    return replace(rules, **{table: tuple(rows)})


@pytest.mark.parametrize(
    ("rules", "subject", "said"),
    [
        (mended(RULES, "charges", 1, since=date(2026, 3, 5)), "the charges", "no row from 2026-03-01 to 2026-03-04"),
        (mended(RULES, "charges", 1, until=None), "the charges", "two rows hold on 2026-04-01"),
        (mended(RULES, "lots", 0, units=5000), "NIFTY", "on 2026-01-01 an order may have 1,800 units, a lot has 5,000"),
        (mended(RULES, "strike_steps", 0, step=777), "NIFTY", "the strike step is no multiple of the options' tick"),
        (mended(RULES, "holidays", 0, days=(date(2026, 8, 15),)), "the holidays", "2026-08-15 is a weekend"),
        (
            mended(RULES, "sectors", 0, symbols=("AUBANK",)),
            "the sectors",
            "no row for AXISBANK, BAJAJFINSV, BAJFINANCE",
        ),
        (mended(RULES, "deliveries", -1, is_physical=False), "delivery or cash of NHPC", "from delivery back to cash"),
        (mended(RULES, "halts", 1, begins=time(13, 30)), "a market-wide halt", "one of 10% leaves out 13:00:00"),
        (mended(RULES, "halts", 3, halt_minutes=30), "a market-wide halt", "a wider move than 10% shuts for less time"),
        (mended(RULES, "position_limits", 0, net_crore=20_000), "a position limit", "the net limit is over the gross"),
        (mended(RULES, "delivery_margins", 0, shares=(0.5, 0.2)), "the margin before delivery", "it falls towards"),
        (
            mended(RULES, "memberships", -2, until=None),
            "the members of UNIONBANK, YESBANK",
            "two rows hold on 2026-09-30",
        ),
        (
            mended(RULES, "holidays", 0, days=(date(2026, 5, 1),) * 2),
            "the holidays",
            "2026-05-01 is a weekend or stands",
        ),
        (mended(RULES, "special_sessions", 0, until=date(2026, 2, 2)), "special sessions", "is no single day"),
        (
            mended(RULES, "special_sessions", 0, since=date(2027, 2, 1), until=date(2027, 2, 1)),
            "special sessions",
            "2027-02-01 to 2027-02-01 is no single day of the calendar",
        ),
    ],
)
def test_a_fault_of_the_tables_is_found_and_not_explained(rules: Rulebook, subject: str, said: str) -> None:
    found = unexplained(faults(rules))
    assert [one for one in found if one.subject == subject and said in one.said], found


# --- another calendar -------------------------------------------------------------------------------------------------


def calendar(first: date = date(2026, 1, 1), last: date = date(2026, 12, 31)) -> dict[date, tuple[int, int]]:
    """Ours, as another would tell it."""
    days = (first + i * ONE_DAY for i in range((last - first).days + 1))
    return {day: (s.open_at, s.close_at) for day in days if (s := RULES.session(day))}


def test_a_calendar_that_is_ours_differs_in_nothing() -> None:
    (year,), found = compare_calendar(RULES, calendar())
    assert (year.year, year.sessions, year.only_ours, year.only_theirs, year.other_hours) == (2026, 247, 0, 0, 0)
    assert found == []


def test_a_weekday_that_one_of_the_two_has_alone_is_not_explained() -> None:
    theirs = calendar()
    del theirs[date(2026, 5, 4)]
    theirs[date(2026, 5, 1)] = (1, 2)
    (year,), found = compare_calendar(RULES, theirs)
    assert (year.only_ours, year.only_theirs) == (1, 1)
    assert unexplained(found) == [
        Difference("2026-05-01", "a session of theirs on a Friday, none of ours"),
        Difference("2026-05-04", "a session of ours on a Monday, none of theirs"),
    ]


def test_a_session_on_a_weekend_is_explained_only_where_theirs_has_none_on_any() -> None:
    theirs = calendar()
    muhurat = theirs.pop(date(2026, 11, 8))
    budget = theirs.pop(date(2026, 2, 1))
    _, found = compare_calendar(RULES, theirs)
    assert [(one.subject, bool(one.explained)) for one in found] == [("2026-02-01", True), ("2026-11-08", True)]
    assert "ours by: NSE/FAOP/72352" in found[0].explained
    _, found = compare_calendar(RULES, theirs | {date(2026, 2, 1): budget})
    assert unexplained(found) == [Difference("2026-11-08", "a session of ours on a Sunday, none of theirs")]
    assert muhurat


def test_other_hours_are_explained_where_they_are_those_of_all_days_since_a_change_of_ours() -> None:
    theirs = calendar()
    theirs |= {day: (opened, at_time(day, 15, 30)) for day, (opened, _) in theirs.items() if day >= date(2026, 8, 3)}
    theirs[date(2026, 11, 8)] = calendar()[date(2026, 11, 8)]
    _, found = compare_calendar(RULES, theirs)
    assert [(one.subject, one.count) for one in found] == [
        ("hours since 2026-08-03", 85),
        ("hours since 2026-12-07", 18),
    ]
    assert unexplained(found) == []
    one_agrees = theirs | {date(2026, 8, 4): calendar()[date(2026, 8, 4)]}
    assert [one.subject for one in unexplained(compare_calendar(RULES, one_agrees)[1])] == ["hours since 2026-08-03"]


def test_other_hours_of_a_single_day_and_of_a_special_session_are_not_explained() -> None:
    theirs = calendar()
    for day in (date(2026, 5, 4), date(2026, 11, 8)):
        theirs[day] = (theirs[day][0], theirs[day][1] - 1)
    _, found = compare_calendar(RULES, theirs)
    assert [(one.subject, one.count, one.explained) for one in found] == [
        ("2026-11-08", 1, ""),
        ("hours since 2025-12-08", 1, ""),
    ]


def test_a_row_of_hours_that_theirs_never_met_is_not_explained_by_its_being_the_first() -> None:
    early = Hours(
        since=date(2018, 1, 1), until=date(2025, 12, 7), source="by hand", confidence=Confidence.LOW,
        open=RULES.hours[0].open, close=RULES.hours[1].close, expiring_close=RULES.hours[1].close,
        post_close_until=RULES.hours[0].post_close_until,
    )  # fmt: skip
    rules = replace(RULES, hours=(*(row for row in RULES.hours if row.since > date(2018, 1, 1)), early))
    _, found = compare_calendar(rules, calendar(date(2025, 6, 2), date(2025, 6, 30)))
    assert [(one.subject, one.explained) for one in found] == [("hours since 2018-01-01", "")]


# --- a contract master ------------------------------------------------------------------------------------------------


def listed(symbol: str = "NIFTY", *, lot: int = 65, tick: int = 500, step: int = 500_000) -> list[Listing]:
    """What a broker lists: every expiry of our rules, strikes around 24,000."""
    found = [
        Listing(f"{symbol}{e}F", symbol, e, Kind.FUTURE, 0, lot, 1_000) for e in RULES.future_expiries(symbol, DAY)
    ]
    for expiry in RULES.expiries(symbol, DAY):
        for strike in range(235_000_000, 245_000_001, step):
            found += [
                Listing(f"{expiry}{strike}{k}", symbol, expiry, k, strike, lot, tick) for k in (Kind.CALL, Kind.PUT)
            ]
    return found


def test_a_master_that_is_as_our_rules_differs_in_nothing() -> None:
    assert compare_master(RULES, listed(), {"NIFTY": 1_800, "SENSEX": 1}, DAY) == []


def test_each_difference_is_listed_once_with_its_contracts_counted() -> None:
    found = compare_master(RULES, listed(lot=75, tick=1_000, step=1_000_000), {"NIFTY": 1_200}, DAY)
    assert unexplained(found) == found
    by_subject = {one.subject: one for one in found}
    assert by_subject["lot of NIFTY expiring 2026-08-04"] == Difference(
        "lot of NIFTY expiring 2026-08-04", "ours 65, theirs 75", 22
    )
    assert by_subject["tick of NIFTY CE"].said == "ours ₹0.05, theirs ₹0.10 (at ₹24,000.00)"
    assert by_subject["strike step of NIFTY"].said == "ours ₹50.00, theirs ₹100.00 from 2026-08-04 on"
    assert by_subject["freeze quantity of NIFTY"].said == "ours 1,800, theirs 1,200"
    assert len(found) == len(by_subject)


def test_expiries_of_one_of_the_two_alone_are_explained_only_beyond_what_we_trade() -> None:
    weekly, far, odd = date(2026, 8, 4), date(2027, 6, 29), date(2026, 8, 5)
    mine = [one for one in listed() if one.expiry != weekly]
    mine += [Listing("x", "NIFTY", e, Kind.CALL, 240_000_000, 65, 500) for e in (far, odd)]
    found = compare_master(RULES, mine, {}, DAY)
    assert [(one.said, bool(one.explained)) for one in found if one.subject == "expiries of NIFTY"] == [
        ("options of 2026-08-05 in the file alone", False),
        ("options of 2027-06-29 in the file alone", True),
        ("options of 2026-08-04 in our rules alone", False),
    ]


def test_a_master_of_an_earlier_day_is_told_apart() -> None:
    found = compare_master(RULES, listed(), {}, date(2026, 8, 5))
    assert found[0] == Difference("NIFTY", "contracts expired on 2026-08-04: the file is not of 2026-08-05", 1)
    assert not found[0].explained


def test_an_underlying_without_rules_is_named_and_not_traded() -> None:
    one = Listing("x", "SENSEX", date(2026, 8, 4), Kind.CALL, 800_000_000, 20, 500)
    (found,) = compare_master(RULES, [one], {}, DAY)
    assert (found.subject, found.explained) == ("SENSEX", "it is not traded here")


def test_what_our_rules_do_not_know_of_a_scrip_is_a_difference() -> None:
    mine = [Listing("x", "RELIANCE", date(2026, 8, 25), Kind.FUTURE, 0, 500, 1_000)]
    found = {one.subject: one.said for one in compare_master(RULES, mine, {}, DAY)}
    assert found["lot of RELIANCE expiring 2026-08-25"] == "ours not known, theirs 500"
