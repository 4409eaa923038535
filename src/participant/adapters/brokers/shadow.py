"""A broker of which only the reading side is there: what a shadow day has in the real one's place.

It holds the real broker as what can be read and knows no word to send: an order ends here, before any wire.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from participant.core.guarantees import Guarantees, unsent
from participant.core.market import Quote
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderView
from participant.ports import BrokerBooks

NOTHING_IS_SENT = "a shadow day sends nothing"


class Readable(BrokerBooks, Protocol):
    """What of a broker a shadow may use: nothing that places, changes or ends an order."""

    guarantees: Guarantees

    def updates(self) -> list[OrderView]:
        """What the update stream brought since the last call."""

    def margin(self, orders: Sequence[Order]) -> int:
        """The margin (paise) that these orders need together on top of the present book."""

    def close(self) -> None:
        """End the connections."""


class ShadowBroker:
    """Implements Broker and BrokerBooks over the reading side of another; `closed` says how its exchange's day ended.

    No order at the broker is this desk's, whatever tag it bears: a shadow may decide what the account's own desk does.
    `turn` is called before each book is read, and may wait.
    """

    def __init__(
        self,
        account: Readable,
        closed: Callable[[], dict[str, int] | None],
        turn: Callable[[], object] = lambda: None,
    ) -> None:
        self._account, self._closed, self._turn = account, closed, turn
        self.guarantees = account.guarantees

    # --- Broker ---

    def place(self, order: Order) -> Answer:
        """Send nothing; a proven rejection that nobody sends again."""
        return unsent(NOTHING_IS_SENT)

    def modify(self, order: Order) -> Answer:
        """Send nothing."""
        return unsent(NOTHING_IS_SENT)

    def cancel(self, order: Order | OrderView) -> Answer:
        """Send nothing: what works at the broker is the account's own."""
        return unsent(NOTHING_IS_SENT)

    def find(self, tag_stem: str) -> list[OrderView]:
        """The whole book for an empty stem; nothing for any other, once the book could be read."""
        views = self.orders()
        return [] if tag_stem else views

    def updates(self) -> list[OrderView]:
        """What the stream brought."""
        return [_anothers(view) for view in self._account.updates()]

    def margin(self, orders: Sequence[Order]) -> int:
        """What these orders would need (paise) on top of the account's book."""
        return self._account.margin(orders)

    # --- BrokerBooks ---

    def login(self) -> None:
        """Prove that the account can be read today."""
        self._account.login()

    def orders(self) -> list[OrderView]:
        """All orders of the account's day."""
        self._turn()
        return [_anothers(view) for view in self._account.orders()]

    def positions(self) -> list[BrokerPosition]:
        """All open positions of the account."""
        self._turn()
        return self._account.positions()

    def funds(self) -> Funds:
        """Cash and margin of the account."""
        self._turn()
        return self._account.funds()

    def quote(self, contract: str) -> Quote | None:
        """The broker's own quote."""
        return self._account.quote(contract)

    def settlements(self) -> dict[str, int] | None:
        """The official prices of the market that is watched; None while its day goes on."""
        return self._closed()

    def close(self) -> None:
        """End the connections."""
        self._account.close()


def _anothers(view: OrderView) -> OrderView:
    return replace(view, tag="")
