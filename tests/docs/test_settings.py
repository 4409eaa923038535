"""docs/settings.md says what the code says: every setting, its default, and no other."""

import re
import tomllib
from enum import Enum
from typing import Any

import msgspec
import pytest

from participant.commands.init import TEMPLATE
from participant.config import BrokerLink, Config, Desk, People, Venue
from participant.core.breaker import Triggers
from participant.core.breaks import ReconcileRule
from participant.core.escalation import Rung
from participant.core.feed_rules import Arbitration
from participant.core.risk_limits import SHIPPED, RiskLimits
from participant.core.scrip import Scrip, Weights
from participant.core.sending import SendRule
from participant.wire.feed_source import FeedSource
from participant.wire.fix.source import FixSource
from participant.wire.json import encode
from tests.docs.pages import rows, section, text

SECTIONS: dict[str, Any] = {
    "[desk]": Desk,
    "[venue]": Venue,
    "[broker]": BrokerLink,
    "[triggers]": Triggers,
    "[sending]": SendRule,
    "[reconcile]": ReconcileRule,
    "[arbitration]": Arbitration,
    "[[feeds]]": FeedSource,
    "[feeds.fix]": FixSource,
    "[people]": People,
    "[[ladder]]": Rung,
    "[[watchlist]]": Scrip,
    "[watchlist.weights]": Weights,
    "[watchlist.limits]": RiskLimits,
}
IN_WORDS = {"required", "see below"}


def said(heading: str) -> dict[str, str]:
    """The defaults that the page gives under a heading, as they would stand in the file."""
    return {cells[0].strip("`"): cells[1].strip("`") for cells in rows(section(text("docs/settings.md"), heading))}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_names_every_setting_in_the_order_of_the_code(heading: str) -> None:
    assert list(said(heading)) == list(SECTIONS[heading].__struct_fields__)


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_gives_every_default_as_it_is(heading: str) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(SECTIONS[heading])}
    for name, default in said(heading).items():
        if default in IN_WORDS:
            assert fields[name].required or name in {"weights", "limits", "settings", "given", "fix"}
            continue
        written = tomllib.loads(f"it = {default}")["it"]
        shipped = getattr(SHIPPED, name) if heading == "[watchlist.limits]" else fields[name].default
        assert written == plain(shipped), name


def plain(default: object) -> object:
    """A default as TOML has it."""
    if isinstance(default, Enum):
        return default.value
    return list(default) if isinstance(default, tuple) else default


def test_the_page_has_a_section_for_every_part_of_the_configuration() -> None:
    parts = {name for name in Config.__struct_fields__ if name != "watchlist"}
    whole = {heading.strip("[]") for heading in SECTIONS if "." not in heading}
    assert whole - {"watchlist"} == parts
    headings = re.findall(r"^## (\[.*\])$", text("docs/settings.md"), re.MULTILINE)
    assert headings == list(SECTIONS)


def test_every_setting_has_a_unit_and_a_meaning() -> None:
    for heading in SECTIONS:
        for cells in rows(section(text("docs/settings.md"), heading)):
            assert len(cells) == 4
            assert all(cells), cells


def test_the_file_that_init_writes_shows_the_defaults() -> None:
    written = tomllib.loads(TEMPLATE)
    msgspec.convert(written, Config)
    rows_in_force = msgspec.json.decode(encode(Config()))
    for part, settings in written.items():
        if part != "watchlist":
            assert settings.items() <= rows_in_force[part].items()


def test_every_underlying_that_the_venue_plays_by_default_is_on_the_watchlist_of_init() -> None:
    written = msgspec.convert(tomllib.loads(TEMPLATE), Config)
    assert set(written.venue.symbols) <= {scrip.symbol for scrip in written.watchlist}
