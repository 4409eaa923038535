"""A broker that times out, over sockets: what it took is found, what it never shows becomes one ticket for a person."""

from pathlib import Path

from tests.desk.runs import COARSE, Desk, broker_of, decisions_of, participant, taken_tags, trade

NEXT_DAY = ("--lockstep", "--seed", 31, "--symbols", "NIFTY", "--step", 1800)


def faults(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "faults.toml"
    path.write_text(f"[broker]\n{text}")
    return path


def test_an_order_that_the_broker_never_shows_is_one_ticket_that_blocks_the_next_day(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = trade(home, *COARSE, "--faults", faults(tmp_path, '[broker.plan.2]\nkind = "lose"\n'))
    assert (ended.status, ended.err) == (1, "")
    day = ended.summary
    assert day["orders"] == {"filled": 1, "unknown": 1}
    assert len(day["unknown"]) == len(day["tickets"]) == 1
    assert day["breaks"] == []
    (ticket,) = day["tickets"]
    assert (ticket["order_id"], ticket["closed"]) == (day["unknown"][0], None)
    assert "MAY ALREADY BE LIVE" in ticket["detail"]
    assert broker_of(home)["requests"] == 2  # it was not sent again
    assert [d["action"] for d in decisions_of(home)].count("open") == 1

    listed = participant(tmp_path, "desk", "list", "--home", home)
    assert (listed.status, ticket["ticket_id"][:8] in listed.out) == (1, True)
    blocked = trade(home, *NEXT_DAY)
    assert (blocked.status, blocked.err.count("\n"), "participant desk close" in blocked.err) == (2, 1, True)
    closed = participant(tmp_path, "desk", "close", ticket["ticket_id"][:8], "--home", home, "--reason", "never taken")
    assert closed.status == 0
    after = trade(home, *NEXT_DAY)
    assert (after.status, after.err, after.summary["breaks"]) == (0, "", [])
    first = decisions_of(home, after.summary["day"])[0]
    assert (first["action"], len(first["legs"])) == ("close", 1)  # the cover, for which there is no call, is sold


def test_an_order_that_is_accepted_late_is_found_and_sent_once(tmp_path: Path) -> None:
    late = '[broker.plan.2]\nkind = "accept late"\nlate_s = 170\n'
    ended = trade(tmp_path / "home", *COARSE, "--faults", faults(tmp_path, late))
    assert (ended.status, ended.err) == (0, "")
    assert (ended.summary["breaks"], ended.summary["unknown"], ended.summary["tickets"]) == ([], [], [])
    stems = [tag[:-1] for tag in taken_tags(tmp_path / "home")]
    assert len(stems) == len(set(stems)) == sum(ended.summary["orders"].values())


def test_nobody_is_called_for_an_order_that_the_book_shows(tmp_path: Path) -> None:
    silent = 'hang_s = 3.0\nupdate_drop = 1.0\n[broker.plan.1]\nkind = "accept silently"\n'
    with Desk(tmp_path / "home", *COARSE, "--faults", faults(tmp_path, silent)) as desk:
        desk.until_first_order()
        desk.kill("venue")  # so the gateway cannot look the order up before its time is over
        ended = desk.ended()
    assert (ended.status, ended.err) == (0, "")
    assert (ended.summary["breaks"], ended.summary["unknown"], ended.summary["tickets"]) == ([], [], [])
