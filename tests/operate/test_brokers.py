"""Which broker a desk has, that paper and live never meet, and the login of the day."""

import io
import json
import stat
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from participant.adapters.brokers.http import HttpBroker
from participant.adapters.brokers.kite import KiteBroker
from participant.adapters.brokers.openalgo import OpenAlgoBroker
from participant.adapters.clocks.system import SystemClock
from participant.adapters.stores.sqlite import SqliteStore
from participant.app import broker
from participant.cli import main
from participant.commands import login
from participant.commands.guard import run as guarded
from participant.config import BadConfig, BrokerLink, Config, Run, load_config
from participant.links.books import Books
from participant.operate.brokers import refuse_live_keys, vendor_broker
from tests.vendors.kite import API_KEY, REQUEST_TOKEN, SECRET, TOKEN, KiteServer
from tests.vendors.openalgo import API_KEY as OPENALGO_KEY
from tests.vendors.openalgo import OpenAlgoServer
from tests.vendors.serving import Served, Way, serving
from tests.venue.made import DAY, OPENS_AT


class Office:
    """A folder with settings and keys, and a vendor's server."""

    def __init__(self, folder: Path, served: Served) -> None:
        self.served, self.folder = served, folder
        self.config, self.secrets = folder / "participant.toml", folder / "secrets.json"

    def settle(self, name: str, profile: str, keys: dict[str, dict[str, str]], **more: object) -> None:
        lines = {"name": name, "profile": profile, "url": self.served.url, "secrets": str(self.secrets),
                 "updates_url": self.served.url.replace("http", "ws", 1), "listed_min": 3, **more}  # fmt: skip
        told = "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
        self.config.write_text(f"[desk]\nrequest_timeout_s = 3.0\n[broker]\n{told}\n")
        self.secrets.write_text(json.dumps(keys))
        self.secrets.chmod(0o600)

    def login(self, *words: str) -> int:
        return main(["login", *words, "--config", str(self.config)])


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk's clock stands on the day that the servers play."""
    monkeypatch.setattr(SystemClock, "now", lambda _: OPENS_AT)


@pytest.fixture
def kite(tmp_path: Path, today: None) -> Iterator[Office]:
    with serving(KiteServer()) as served:
        yield Office(tmp_path, served)


@pytest.fixture
def openalgo(tmp_path: Path, today: None) -> Iterator[Office]:
    with serving(OpenAlgoServer()) as served:
        yield Office(tmp_path, served)


LIVE = {"kite": {"profile": "live", "api_key": API_KEY, "api_secret": SECRET}}

# --- which broker -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        (BrokerLink(), HttpBroker),
        (BrokerLink("kite", "live"), KiteBroker),
        (BrokerLink("openalgo", "paper"), OpenAlgoBroker),
    ],
)
def test_the_settings_say_which_broker_gateway_and_desk_have(tmp_path: Path, link: BrokerLink, kind: type) -> None:
    run = Run(str(tmp_path), DAY, "http://127.0.0.1:9", "127.0.0.1", 0, 0.0, Config(broker=link))
    made = broker(run)
    made.close()
    assert isinstance(made, kind)


def test_the_algo_id_of_the_settings_goes_with_kites_orders() -> None:
    made = vendor_broker(BrokerLink("kite", "live", algo_id="NSE-77"), DAY, None, 1.0, is_gateway=True)
    made.close()
    assert isinstance(made, KiteBroker)
    assert (made._account.algo_id, made._account.connect_wait_s) == ("NSE-77", 1.0)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('name = "venue"\nprofile = "live"', "the venue is simulated"),
        ('name = "kite"\nprofile = "paper"', "every key of Kite is a live one"),
        ('name = "zerodha"', "Invalid enum value"),
        ('api_key = "x"', "unknown field"),
        ('product = "CNC"', "Invalid enum value"),
        ('algo_id = "two words"', "algo_id"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(tmp_path: Path, settings: str, told: str) -> None:
    file = tmp_path / "participant.toml"
    file.write_text(f"[broker]\n{settings}\n")
    with pytest.raises(BadConfig, match=told):
        load_config(file, {})


def test_a_paper_desk_does_not_run_where_a_live_key_lies_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTICIPANT_KITE_API_KEY", "canary")
    for link in (BrokerLink(), BrokerLink("openalgo", "paper")):
        with pytest.raises(BadConfig, match="PARTICIPANT_KITE_API_KEY is in the environment; unset it") as told:
            refuse_live_keys(link)
        assert "canary" not in str(told.value)
    with pytest.raises(BadConfig, match="cannot hold a live key"):
        vendor_broker(BrokerLink("openalgo", "paper"), DAY, None, 1.0)
    refuse_live_keys(BrokerLink("kite", "live"))


def test_trade_says_what_is_missing_for_a_real_broker(kite: Office, capsys: pytest.CaptureFixture[str]) -> None:
    kite.settle("kite", "live", LIVE)
    assert main(["trade", "--config", str(kite.config), "--home", str(kite.folder / "home")]) == 2
    told = capsys.readouterr().err
    assert "Missing are live feeds of prices" in told
    assert "official settlement prices" in told


def test_trade_does_not_begin_beside_a_live_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARTICIPANT_KITE_API_KEY", "canary")
    monkeypatch.chdir(tmp_path)
    assert main(["trade", "--home", str(tmp_path / "home")]) == 2
    assert "a paper desk cannot hold a live key" in capsys.readouterr().err


# --- login ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [REQUEST_TOKEN, f"https://desk.example/?status=success&request_token={REQUEST_TOKEN}"]
)
def test_a_request_token_becomes_the_token_of_the_day_kept_for_its_owner_alone(
    kite: Office, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    kite.settle("kite", "live", LIVE)
    assert kite.login(given) == 0
    told = capsys.readouterr()
    assert "kite, live: the session of 2026-11-25 is good for orders, quotes and updates" in told.out
    kept = json.loads(kite.secrets.read_text())["kite"]
    assert (kept["access_token"], kept["issued"]) == (TOKEN, "2026-11-25")
    assert stat.S_IMODE(kite.secrets.stat().st_mode) == 0o600
    assert not any(secret in told.out + told.err for secret in (SECRET, TOKEN))
    assert kite.login("--check") == 0


def test_without_a_token_the_page_to_sign_in_at_is_said_and_its_answer_is_read(
    kite: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kite.settle("kite", "live", LIVE)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{REQUEST_TOKEN}\n"))
    assert kite.login() == 0
    told = capsys.readouterr().err
    assert f"https://kite.zerodha.com/connect/login?v=3&api_key={API_KEY}" in told
    assert "second factor" in told
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert kite.login() == 2
    assert "no request_token was given" in capsys.readouterr().err


def test_a_request_token_that_is_over_is_told_of_and_changes_nothing(
    kite: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    kite.settle("kite", "live", LIVE)
    before = kite.secrets.read_text()
    assert kite.login("old") == 2
    assert "Kite gave no access token" in capsys.readouterr().err
    assert kite.secrets.read_text() == before
    assert kite.served.asked == [("POST", "/session/token")], "asked once"


def test_a_kite_that_cannot_be_reached_is_a_fault(kite: Office, capsys: pytest.CaptureFixture[str]) -> None:
    kite.settle("kite", "live", LIVE, url="http://127.0.0.1:9")
    assert kite.login(REQUEST_TOKEN) == 3
    assert "ConnectError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "no key for kite"),
        ({"kite": {"profile": "live", "api_key": API_KEY}}, "has no api_secret"),
        ({"kite": {"profile": "paper", "api_key": API_KEY}}, "is a paper key"),
    ],
)
def test_a_key_that_is_not_there_or_not_whole_is_told_of(
    kite: Office, capsys: pytest.CaptureFixture[str], keys: dict[str, dict[str, str]], told: str
) -> None:
    kite.settle("kite", "live", keys)
    assert kite.login(REQUEST_TOKEN) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("plane", ["orders", "data", "feed"])
def test_a_session_that_is_dead_on_one_plane_needs_a_person(
    kite: Office, capsys: pytest.CaptureFixture[str], plane: str
) -> None:
    kite.settle("kite", "live", LIVE)
    assert kite.login(REQUEST_TOKEN) == 0
    server = kite.served.vendor
    assert isinstance(server, KiteServer)
    kite.served.do(lambda: server.refused.add(plane))
    assert kite.login("--check") == 1
    assert "is not good" in capsys.readouterr().out


def test_yesterdays_session_needs_a_person_and_nobody_is_knocked_at(
    kite: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    kite.settle("kite", "live", {"kite": {**LIVE["kite"], "access_token": TOKEN, "issued": "2026-11-24"}})
    assert kite.login("--check") == 1
    assert "is of 2026-11-24, not of 2026-11-25" in capsys.readouterr().out
    assert kite.served.asked == []


def test_openalgo_is_proven_in_the_mode_of_the_desk(openalgo: Office, capsys: pytest.CaptureFixture[str]) -> None:
    openalgo.settle("openalgo", "paper", {"openalgo": {"profile": "paper", "api_key": OPENALGO_KEY}})
    server = openalgo.served.vendor
    assert isinstance(server, OpenAlgoServer)
    assert openalgo.login() == 1
    assert "OpenAlgo is in live mode and this desk is for analyze" in capsys.readouterr().out
    server.is_sandbox = True
    assert openalgo.login("--json") == 0
    assert json.loads(capsys.readouterr().out)["is_good"]
    openalgo.served.ways["/api/v1/ping"] = Way(403, b'{"status":"error","message":"Invalid openalgo apikey"}')
    assert openalgo.login("--check") == 1


def test_the_simulated_exchange_needs_no_login(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "participant.toml"
    file.write_text("")
    assert guarded(login.login, Namespace(config=file, check=True)) == 2
    assert "needs no login" in capsys.readouterr().err


# --- the session before a day -----------------------------------------------------------------------------------------

SHADOW = ("trade", "--shadow", "--date", str(DAY), "--symbols", "NIFTY")
SIGNED_IN = {"kite": {**LIVE["kite"], "access_token": TOKEN, "issued": str(DAY)}}


def shadowed(office: Office) -> int:
    return main([*SHADOW, "--config", str(office.config), "--home", str(office.folder / "home")])


def has_begun(office: Office) -> bool:
    home = office.folder / "home"
    return (home / "run.json").exists() or (home / "logs" / "venue.log").exists()


@pytest.mark.parametrize(
    ("refused", "plane"), [("profile", "session"), ("data", "contracts"), ("orders", "orders"), ("feed", "updates")]
)
def test_a_day_does_not_begin_with_a_session_that_is_dead_on_any_plane_and_says_which(
    kite: Office, capsys: pytest.CaptureFixture[str], refused: str, plane: str
) -> None:
    kite.settle("kite", "live", SIGNED_IN)
    server = kite.served.vendor
    assert isinstance(server, KiteServer)
    kite.served.do(lambda: server.refused.add(refused))
    assert shadowed(kite) == 1
    told = capsys.readouterr().err
    assert f"kite, live: the session of {DAY} is not good: {plane}: " in told
    assert f"{DAY} does not begin, `participant login` mends it" in told
    assert told.count("\n") == 1
    assert not has_begun(kite)
    assert kite.served.sent() == []
    books = SqliteStore(kite.folder / "home" / "books.sqlite", is_durable=True)
    assert Books(books).shadowed is None, "a home in which no day began is nobody's yet"
    books.close()


def test_a_day_does_not_begin_under_another_days_token_or_none_and_nobody_is_knocked_at(
    kite: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    kite.settle("kite", "live", {"kite": {**SIGNED_IN["kite"], "issued": "2026-11-24"}})
    assert shadowed(kite) == 1
    assert "session: Kite's access token is of 2026-11-24, not of 2026-11-25" in capsys.readouterr().err
    kite.settle("kite", "live", {})
    assert shadowed(kite) == 2
    assert "no key for kite" in capsys.readouterr().err
    assert (has_begun(kite), kite.served.asked) == (False, [])


def test_a_day_does_not_begin_beside_an_openalgo_in_the_wrong_mode(
    openalgo: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    openalgo.settle("openalgo", "paper", {"openalgo": {"profile": "paper", "api_key": OPENALGO_KEY}})
    assert shadowed(openalgo) == 1
    assert "mode: OpenAlgo is in live mode and this desk is for analyze" in capsys.readouterr().err
    assert not has_begun(openalgo)
