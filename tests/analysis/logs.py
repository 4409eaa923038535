"""Small decision logs for tests: real decisions on made states, written as the desk writes them."""

from collections.abc import Iterable
from pathlib import Path

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.brain import decide
from participant.core.decision import Decision, DecisionInput, PositionInfo
from participant.core.market import MarketState
from participant.core.messages import Write
from participant.core.order import Order
from participant.core.scrip import Scrip, Weights
from participant.links.parts import pack, split
from participant.wire.json import encode
from tests.core.worlds import RULES, account, position

SCRIP = Scrip("NIFTY", weights=Weights(iv_rank_min=0.3))
INFO = PositionInfo(position(), account())


def decided(state: MarketState, info: PositionInfo = INFO, scrip: Scrip = SCRIP) -> Decision:
    """What the brain decides on a state, of a flat book unless it is said otherwise."""
    return decide(scrip, state, info.position, info.account, RULES)


def record(
    state: MarketState, decision: Decision | None = None, info: PositionInfo = INFO, scrip: Scrip = SCRIP
) -> tuple[bytes, bytes]:
    """The line of a decision on a state, and the pack of its parts; its own decision where none is given."""
    apart = split(DecisionInput(scrip, state, info))
    return apart.line(decision or decided(state, info, scrip)), pack(apart.parts)


def write_log(home: Path, day: str, records: Iterable[tuple[bytes, bytes]]) -> JsonlArchive:
    """These records as the log of a day of a home."""
    (home / "decisions").mkdir(exist_ok=True)
    archive = JsonlArchive(home / "decisions")
    archive.append(day, list(records))
    return archive


def write_orders(home: Path, day: str, orders: Iterable[Order]) -> None:
    """These orders into the books of a home."""
    books = SqliteStore(home / "books.sqlite", is_durable=True)
    assert books.commit([Write("orders", f"{day}/{order.order_id}", encode(order), 0) for order in orders])
    books.close()
