"""A shadow day from the command line, beside each broker: not one request but reading ones, and both sides told."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from participant.adapters.brokers.memory import MemoryBroker
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.clearing import Ledger, Line
from participant.core.market import Quote
from participant.core.matching import OrderRequest
from participant.core.scrip import Kind, Side, money
from participant.core.session import at_time
from participant.history.synthetic import SyntheticMarket
from participant.links.books import Books
from participant.links.broker_book import BrokerState
from participant.venue import broker_api
from tests.desk.runs import DAY, MADE, SEED, Desk, Ended, broker_of, participant, trade
from tests.desk.test_halt import FREE
from tests.vendors.kite import API_KEY, SECRET, TOKEN, KiteServer
from tests.vendors.openalgo import API_KEY as OPENALGO_KEY
from tests.vendors.openalgo import OpenAlgoServer
from tests.vendors.serving import Served, serving
from tests.venue.made import CASH, RULES, running
from tests.venue.made import DAY as DATE

MARKET = SyntheticMarket(SEED, DATE, RULES, ("NIFTY",), 300)
FUTURES = tuple(c for c in MARKET.contracts() if c.kind is Kind.FUTURE)
FUTURE = FUTURES[0]
# An instant each half hour: the account is read no oftener than a broker may be asked.
COARSE = (*MADE[:-1], "1800")
PRICE, SIZE = 24_846 * 10_000, 650
# All that was asked of each, by method and path; OpenAlgo reads by POST, too.
KITE_BOOKS = ("orders", "trades", "portfolio/positions", "user/margins", "user/profile", "instruments/NFO", "quote")
KITE_READS = {("GET", f"/{name}") for name in KITE_BOOKS}
OPENALGO_BOOKS = ("analyzer", "ping", "orderbook", "tradebook", "positionbook", "funds", "quotes")
OPENALGO_READS = {("GET", "/api/v1/instruments"), *(("POST", f"/api/v1/{name}") for name in OPENALGO_BOOKS)}


class Site(Struct):
    """A vendor's account with its settings, and all that may be asked of it."""

    name: str
    profile: str
    served: Served
    config: Path
    reads: set[tuple[str, str]]

    def buys(self) -> None:
        """The account's own desk buys a lot of the future."""
        asked = OrderRequest("byhand", FUTURE.key, Side.BUY, FUTURE.lot, PRICE + 10_000)
        self.served.do(lambda: self.served.vendor.exchange.enter(asked))


def account() -> MemoryBroker:
    """An account that holds a lot of the future and has an order that rests."""
    exchange = MemoryBroker(FUTURES, RULES, DATE, CASH)
    held = {FUTURE.key: Line(FUTURE, FUTURE.lot, money(PRICE, FUTURE.lot))}
    exchange.restore(BrokerState(DATE, Ledger(CASH, traded=-money(PRICE, FUTURE.lot), lines=held)))
    at = at_time(DATE, 9, 15)
    exchange.on_quotes(
        at, {"NIFTY": Quote(PRICE, PRICE, 0, 0, at), FUTURE.key: Quote(PRICE, PRICE + 10_000, SIZE, SIZE, at)}
    )
    exchange.enter(OrderRequest("resting", FUTURE.key, Side.SELL, FUTURE.lot, PRICE + 5_000_000))
    return exchange


def settled(folder: Path, served: Served, name: str, profile: str, key: dict[str, str]) -> Path:
    config, secrets = folder / "participant.toml", folder / "secrets.json"
    told = {"name": name, "profile": profile, "url": served.url, "secrets": str(secrets),
            "updates_url": served.url.replace("http", "ws", 1), "listed_min": 1}  # fmt: skip
    config.write_text("[broker]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in told.items()))
    secrets.write_text(json.dumps({name: {"profile": profile, **key}}))
    secrets.chmod(0o600)
    return config


@contextmanager
def at_kite(folder: Path) -> Iterator[Site]:
    key = {"api_key": API_KEY, "api_secret": SECRET, "access_token": TOKEN, "issued": DAY}
    with serving(KiteServer(account(), FUTURES)) as served:
        yield Site("kite", "live", served, settled(folder, served, "kite", "live", key), KITE_READS)


@contextmanager
def at_openalgo(folder: Path) -> Iterator[Site]:
    server = OpenAlgoServer(account(), FUTURES)
    server.is_sandbox = True
    with serving(server) as served:
        config = settled(folder, served, "openalgo", "paper", {"api_key": OPENALGO_KEY})
        yield Site("openalgo", "paper", served, config, OPENALGO_READS)


@pytest.mark.parametrize("at", [at_kite, at_openalgo], ids=["kite", "openalgo"])
def test_a_whole_shadow_day_asks_a_vendor_for_nothing_but_its_books_and_tells_what_the_account_did(
    tmp_path: Path, at: Callable[[Path], AbstractContextManager[Site]]
) -> None:
    with at(tmp_path) as site:
        with Desk(tmp_path / "home", *COARSE, "--shadow", "--config", site.config) as desk:
            desk.until_decided(3)
            site.buys()
            ended = desk.ended()
        orders = site.served.do(lambda: list(site.served.vendor.exchange.state.orders))
    asked = Counter(site.served.asked)
    assert set(asked) <= site.reads, asked
    assert sum(asked.values()) > 3 * 13, "its books were read at every instant"
    assert [o.request.tag for o in orders] == ["resting", "byhand"], "what the account did, and nothing else"
    assert (ended.status, ended.err) == (0, "")
    told = ended.summary
    assert (told["tickets"], told["breaks"], told["fills"], told["shadow"]["broker"]) == ([], [], 0, site.name)
    did = [(o["side"], o["contract"], o["status"], o["cumQuantity"]) for o in told["shadow"]["did"]]
    assert sorted(did) == [("buy", FUTURE.key, "complete", 65), ("sell", FUTURE.key, "open", 0)]
    sales = [(w["side"], w["quantity"], w["control"]) for w in told["shadow"]["would"]]
    assert sales == [("sell", 65, "PT-23"), ("sell", 130, "PT-23")], "of all that the account held by then"
    assert sum(w["count"] for w in told["shadow"]["would"]) == 13, "asked for at every instant, and told twice"


# --- the venue's own broker -------------------------------------------------------------------------------------------


def test_a_whole_shadow_day_beside_an_account_of_a_venue_that_runs_only_reads_and_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[tuple[str, str]] = Counter()

    def counted(endpoint: broker_api.Endpoint) -> broker_api.Endpoint:
        async def count(request: Request) -> Response:
            asked[request.method, request.url.path] += 1
            return await answer(request)

        answer = guarded(endpoint)
        return count

    guarded = broker_api.guarded
    monkeypatch.setattr(broker_api, "guarded", counted)
    with running(SyntheticMarket(SEED, DATE, RULES, ("NIFTY",), 1800)) as venue:
        broker = venue.venue.exchange.broker

        def buys() -> None:
            quote = broker.quote(FUTURE.key)
            assert quote is not None
            broker.enter(OrderRequest("byhand", FUTURE.key, Side.BUY, FUTURE.lot, quote.ask))

        with Desk(tmp_path / "home", "--venue", venue.url, "--date", DAY, "--shadow") as desk:
            desk.until_decided(3)
            venue.do(buys)
            ended = desk.ended()
        cash, tags = broker.funds().cash, [o.request.tag for o in broker.state.orders]
    books = ("/orders", "/portfolio/positions", "/user/margins", "/settlements")
    reckoned = {("POST", "/margins/orders")}  # what margin an order would need: it is worked out, nothing is placed
    assert set(asked) == {("GET", path) for path in books} | reckoned, asked
    assert (ended.status, ended.err, tags) == (0, "", ["byhand"])
    told = ended.summary["shadow"]
    assert [(o["contract"], o["status"], o["cumQuantity"]) for o in told["did"]] == [(FUTURE.key, "complete", 65)]
    sides = [w["side"] for w in told["would"] if w["control"] == "PT-23"]
    assert sides == ["buy", "sell"], "flat it would have opened, and what the account then holds it would close"
    assert ended.summary["positions"] == {"NIFTY": "+65 20261229-FUT"}
    account = Books(SqliteStore(tmp_path / "home" / "books.sqlite", is_durable=True)).account()[0]
    assert account.cash == cash, "as the account's exchange has settled it"


def test_a_whole_shadow_day_sends_the_venue_nothing_and_its_home_cannot_be_traded_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = trade(home, *MADE, "--shadow")
    assert (ended.status, ended.err) == (0, "")
    broker = broker_of(home)
    assert (broker["requests"], broker["orders"]) == (0, []), "neither placed, changed nor cancelled"
    (sent, *_) = ended.summary["shadow"]["would"]
    assert (sent["control"], sent["side"], sent["count"]) == ("PT-23", "buy", 39), (
        "an instant each ten minutes, and the close"
    )
    assert sent["first"]["limit"] == sent["first"]["ask"] > sent["first"]["bid"] > 0
    assert ended.summary["shadow"]["did"] == []
    assert "What it would have done" in (home / "reports" / f"{DAY}.html").read_text()
    status = participant(tmp_path, "status", "--home", home)
    assert (status.status, status.out.splitlines()[0]) == (0, "a shadow of venue, paper: nothing is sent")
    again = participant(tmp_path, "trade", "--home", home)
    assert (again.status, again.err.count("\n")) == (2, 1)
    assert "its books are no tradebook and cannot be traded on" in again.err
    compared = participant(tmp_path, "reconcile", "--home", home)
    assert (compared.status, "its books follow the account" in compared.err) == (2, True)
    assert participant(tmp_path, "log", "verify", "--home", home).status == 0


def test_a_home_that_has_traded_casts_no_shadow(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    ended = participant(tmp_path, "trade", "--shadow", "--home", home)
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "has traded: its books cannot become a shadow's" in ended.err


@pytest.mark.parametrize("how", [[], ["--sever"]], ids=["halt", "sever"])
def test_a_halt_of_a_shadow_cancels_nothing_and_says_so(tmp_path: Path, how: list[str]) -> None:
    with Desk(tmp_path / "home", *FREE, "--shadow") as desk:
        desk.until_decided(1)
        url = desk.venue_url
        rests(url)
        ended = participant(tmp_path, "halt", "--home", desk.home, *how)
        assert ended.status == 0
        assert "a shadow has no order at the broker: nothing is cancelled there" in ended.out
        assert ("severed: gateway, desk" in ended.err) is bool(how)
        assert [row["status"] for row in get(f"{url}/orders")["data"]] == ["OPEN"]


def rests(url: str) -> None:
    """A person's own order rests at the venue, far from the market."""
    asked = {
        "tag": "byhand",
        "tradingsymbol": FUTURE.key,
        "transaction_type": "BUY",
        "quantity": 65,
        "price": "20000.00",
    }
    httpx.post(f"{url}/orders", json=asked, timeout=10, trust_env=False).raise_for_status()


def get(url: str) -> dict[str, list[dict[str, str]]]:
    answer: dict[str, list[dict[str, str]]] = httpx.get(url, timeout=10, trust_env=False).json()
    return answer
