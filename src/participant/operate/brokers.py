"""The brokers of real accounts, made from the settings and the desk's secrets; paper and live never meet here."""

import datetime
import os
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from participant.adapters.brokers.kite import KiteAccount, KiteBroker
from participant.adapters.brokers.openalgo import OpenAlgoAccount, OpenAlgoBroker
from participant.adapters.clocks.system import SystemClock
from participant.config import BadConfig, BrokerLink
from participant.core.guarantees import Guarantees
from participant.core.order import Order
from participant.links.books import Books
from participant.links.secrets import Keyring
from participant.ports import Broker, BrokerBooks, BrokerDown, Store

VENDORS = ("kite", "openalgo")


class DeskBroker(Broker, BrokerBooks, Protocol):
    """A broker with its books and what it guarantees."""

    guarantees: Guarantees

    def close(self) -> None:
        """End the connections."""


def keyring(link: BrokerLink) -> Keyring:
    """Where the keys are."""
    return Keyring(link.secrets_path, os.environ)


def refuse_live_keys(link: BrokerLink) -> None:
    """A paper desk does not run where a live key lies in its environment; raises BadConfig."""
    held = keyring(link).lives(VENDORS) if link.profile == "paper" else []
    if held:
        name = f"PARTICIPANT_{held[0].upper()}_API_KEY"
        raise BadConfig(f"[broker] a paper desk cannot hold a live key: {name} is in the environment; unset it")


class Session(Struct, frozen=True):
    """Whether the broker's session is good on a day, and why not."""

    broker: str
    profile: str
    day: str
    is_good: bool
    why: str = ""


def session_of(link: BrokerLink, day: datetime.date, timeout_s: float) -> Session:
    """Ask the broker once on each plane; the first that does not answer says why. Raises BadSecret without a key."""
    keyring(link).key(link.name, link.profile)
    broker = vendor_broker(link, day, None, timeout_s)
    try:
        broker.login()
    except BrokerDown as fault:
        return Session(link.name, link.profile, str(day), is_good=False, why=str(fault))
    finally:
        broker.close()
    return Session(link.name, link.profile, str(day), is_good=True)


def vendor_broker(
    link: BrokerLink, day: datetime.date, store: Store | None, timeout_s: float, *, is_gateway: bool = False
) -> DeskBroker:
    """The broker of a real account, or of a vendor's sandbox. `store` holds the orders whose ids are ours.

    The gateway alone takes postbacks, and waits for a broker that is not there.
    """
    refuse_live_keys(link)
    keys, wait_s = keyring(link), timeout_s if is_gateway else 0.0

    books = Books(store) if store is not None else None

    def ours() -> Iterable[Order]:
        return [held.order for held in books.orders(day)] if books is not None else []

    where = {name: url for name, url in (("url", link.url), ("updates_url", link.updates_url)) if url}
    if link.name == "kite":
        kite = KiteAccount(
            day,
            **where,
            product=link.product,
            postback_port=link.postback_port if is_gateway else 0,
            listed_min=link.listed_min,
            algo_id=link.algo_id,
            connect_wait_s=wait_s,
        )
        return KiteBroker(kite, lambda: keys.key("kite", link.profile), timeout_s)
    account = OpenAlgoAccount(
        day,
        link.profile == "paper",
        **where,
        product=link.product,
        listed_min=link.listed_min,
        connect_wait_s=wait_s,
    )
    return OpenAlgoBroker(account, lambda: keys.key("openalgo", link.profile), ours, SystemClock().now, timeout_s)
