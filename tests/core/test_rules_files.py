"""The rules' files: what stands in them, and what is said of faults in them."""

from datetime import date
from importlib.resources import files

import pytest

from participant.config import load_rules
from participant.core.in_force import doubtful
from participant.core.rulebook import Rulebook
from participant.core.rulerows import Dated
from participant.wire.rules import FILES, BadRules, parse_rules

GOOD = {name: files("participant").joinpath("rules", name).read_bytes() for name in FILES}


def broken(name: str, old: str, new: str) -> dict[str, bytes]:
    """The rules' files with the first `old` in one of them replaced."""
    assert old.encode() in GOOD[name]
    return {**GOOD, name: GOOD[name].replace(old.encode(), new.encode(), 1)}


def rows_of(rules: Rulebook) -> list[Dated]:
    return [row for table in rules.__struct_fields__ for row in getattr(rules, table)]


def test_every_row_says_where_it_is_known_from_and_how_well() -> None:
    rows = rows_of(load_rules())
    assert len(rows) >= 25
    assert [row for row in rows if len(row.source) < 10] == []


def test_of_what_orders_rest_on_today_only_the_muhurat_hours_are_of_low_confidence() -> None:
    rules, today = load_rules(), date(2026, 11, 8)
    (low,) = doubtful(rules, ("NIFTY", "BANKNIFTY"), today)
    assert low == f"the hours of this special session: {rules.special_sessions[1].source}"


FAULTS = [
    ("contracts.toml", "units = 65", 'units = "65"', "lots[0].units: Expected `int`, got `str`"),
    ("contracts.toml", "units = 65", "units = 0", "lots[0].units: Expected `int` >= 1"),
    ("contracts.toml", "units = 65", "unit = 65", "lots[0]: table contains unknown field `unit`"),
    ("contracts.toml", '"FUT"', '"XX"', "ticks[1].kinds[0]: Invalid enum value 'XX'"),
    ("contracts.toml", "[[lots]]", "[[lot]]", "table contains unknown field `lot`"),
    ("contracts.toml", 'symbol = "BANKNIFTY"\nunits = 30', 'symbol = "NIFTY"\nunits = 30', "lots[1].since: overlaps"),
    ("charges.toml", "gst_percent = 18", "gst_percent = 18.5", "charges[0].rates.gst_percent: Expected `int`"),
    ("charges.toml", "stt_sell = 200_000, ", "", "charges[0].rates.futures: table missing required field `stt_sell`"),
    ("margin.toml", "[[margins]]", "[[margins]", ""),
    ("margin.toml", "exposure = 0.02\n", "exposure = -0.02\n", "margins[0].rates.exposure: Expected `float` >= 0"),
    ("calendar.toml", "2026-01-15,", "2026-02-30,", ""),
    ("calendar.toml", 'confidence = "high"', 'confidence = "sure"', "holidays[0].confidence: Invalid enum value"),
    ("calendar.toml", "until = 2026-12-31", "until = 2025-12-31", "holidays[0].until: 2025-12-31 lies before since"),
    ("calendar.toml", "2026-01-15,", "2027-01-15,", "holidays[0].days: a day lies outside 2026-01-01 to 2026-12-31"),
    ("events.toml", "2019-04-04,", "2018-04-04,", "event_days[0].days: a day lies outside 2019-04-01 to 2020-02-29"),
    ("events.toml", "since = 2020-05-23", "since = 2020-02-23", "event_days[1].since: overlaps event_days[0]: end the"),
    ("events.toml", "[2019-04-04", '["soon"', "event_days[0].days[0]: Expected `date`, got `str`"),
    ("calendar.toml", "open = 09:15:00", "open = 16:15:00", "hours[0].open: pre_open, open, expiring_close, close"),
    (
        "calendar.toml",
        "until = 2026-08-02",
        "until = 2026-08-03",
        "hours[1].since: overlaps hours[0]: end the older row",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), FAULTS)
def test_a_fault_is_named_by_file_table_and_key(name: str, old: str, new: str, said: str) -> None:
    with pytest.raises(BadRules) as caught:
        parse_rules(broken(name, old, new))
    assert str(caught.value).startswith(f"rules/{name}: {said}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadRules, match=r"rules/margin\.toml: "):
        parse_rules({**GOOD, "margin.toml": b"\xff\xfe"})


def test_a_missing_or_unknown_file_is_named() -> None:
    with pytest.raises(BadRules, match=r"missing or unknown file margin\.toml; there must be calendar\.toml"):
        parse_rules({name: body for name, body in GOOD.items() if name != "margin.toml"})
    with pytest.raises(BadRules, match=r"missing or unknown file charges\.toml\.bak"):
        parse_rules({**GOOD, "charges.toml.bak": b""})
