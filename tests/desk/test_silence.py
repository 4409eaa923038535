"""The first provider falls silent: the second is believed within seconds, and the first again once it has been well."""

import json
import time
from pathlib import Path

from tests.desk.runs import DAY, SEED, Desk, log_of, participant

SECOND_BELIEVED_WITHIN_S = 5.0
WELL_BEFORE_RETURN_S = 5.0
EVERY_SECOND = f"""
[arbitration]
well_before_return_s = {WELL_BEFORE_RETURN_S}
return_apart_s = 0.0
[[watchlist]]
symbol = "NIFTY"
decide_every_s = 1
"""
MADE_DAY = ("--date", DAY, "--seed", SEED, "--symbols", "NIFTY")
SILENCE: dict[str, object] = {"providers": {"one": {"is_silent": True}}}
ALL_WELL: dict[str, object] = {"providers": {"one": {}}}
FELL_SILENT, WELL_AGAIN = ["two", "one fell silent"], ["one", "one is well again"]


def test_at_real_speed_decisions_go_on_from_the_second_provider_and_return_to_the_first(tmp_path: Path) -> None:
    config = tmp_path / "every_second.toml"
    config.write_text(EVERY_SECOND)
    with Desk(tmp_path / "home", "--speed", 1, "--step", 1, *MADE_DAY, "--config", config) as desk:
        desk.until("the first provider is believed", lambda: believed(desk) == "one" or None)
        began_at = time.monotonic()
        desk.fail_at_venue(SILENCE)
        desk.until("the second provider is believed", lambda: believed(desk) == "two" or None)
        assert time.monotonic() - began_at < SECOND_BELIEVED_WITHIN_S
        silent_from = len(log_of(desk.home))
        desk.until_decided(silent_from + 2)

        healed_at = time.monotonic()
        desk.fail_at_venue(ALL_WELL)
        desk.until("the first provider is believed again", lambda: believed(desk) == "one" or None)
        # One second less: a decision stands in the log a moment after the change of belief.
        assert time.monotonic() - healed_at > WELL_BEFORE_RETURN_S - 1
        changes = json.loads(participant(tmp_path, "status", "--home", desk.home, "--json").out)["feeds"]["changes"]
        assert [[c["provider"], c["reason"]] for c in changes[-2:]] == [FELL_SILENT, WELL_AGAIN]
        decided_for = [json.loads(line)["decisionInfo"]["decidedFor"] for line in log_of(desk.home)]
        assert decided_for == sorted(set(decided_for))


def test_the_summary_tells_of_both_changes_of_provider(tmp_path: Path) -> None:
    with Desk(tmp_path / "home", "--speed", 1200, *MADE_DAY) as desk:
        desk.until("the first provider is believed", lambda: believed(desk) == "one" or None)
        desk.fail_at_venue(SILENCE)
        desk.until("the second provider is believed", lambda: believed(desk) == "two" or None)
        desk.fail_at_venue(ALL_WELL)
        ended = desk.ended()
    assert (ended.status, ended.err) == (0, "")
    assert ended.summary["providers"][-2:] == [": ".join(FELL_SILENT), ": ".join(WELL_AGAIN)]
    assert ended.summary["breaks"] == []


def believed(desk: Desk) -> str:
    """Whose word the last decision rests on."""
    lines = log_of(desk.home)
    return str(json.loads(lines[-1])["marketState"]["provider"]) if lines else ""
