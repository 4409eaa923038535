"""That our books and the broker's agree, kept while neither side changes: the comparison need not be made again.

It is kept only where nothing works and nothing is in motion on either side, and no break stands. Then what is taken
over, what differs and what is in motion follow from the rows looked at here and from what the broker shows alone, and
time can only bring more rest: the same rows and the same books give the same answer, that there is nothing to write.
"""

import datetime

from participant.core.messages import BrokerPosition, Funds
from participant.core.order import OPEN, OrderView
from participant.core.sighting import works
from participant.links.books import Books
from participant.links.broker_side import Shown
from participant.ports import Store

# All that a comparison reads of our books; of these rows none is deleted while a day runs, but for breaks that end.
OF_THE_DAY = ("orders", "fills", "external")
WHOLE = ("positions", "account", "breaks")


class Agreement:
    """What was last found equal: the broker's books as they were shown, and how far ours were written then."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._day, self._newest = datetime.date.min, 0
        self._orders: list[OrderView] | None = None
        self._positions: list[BrokerPosition] | None = None
        self._funds: Funds | None = None

    def holds(self, day: datetime.date, shown: Shown) -> bool:
        """Whether what is shown was found equal to books that have not been written since."""
        return (
            day == self._day
            and shown.orders == self._orders
            and (shown.positions is None or shown.positions == self._positions)
            and (shown.funds is None or shown.funds == self._funds)
            and not self._rows(day, self._newest)
        )

    def newest(self, day: datetime.date) -> int:
        """How far our books are written now: asked before they are read for a comparison."""
        return max(self._rows(day, 0), default=0)

    def keep(self, books: Books, day: datetime.date, shown: Shown, newest: int) -> None:
        """A comparison of what was shown has found no break, and nothing in motion."""
        is_quiet = not any(held.order.status in OPEN for held in books.orders(day))
        if not (newest and is_quiet) or any(works(view) for view in shown.orders or ()):
            self._day = datetime.date.min
            return
        is_as_before = day == self._day and newest == self._newest
        if shown.positions is not None or not is_as_before:
            self._positions = shown.positions
        if shown.funds is not None or not is_as_before:
            self._funds = shown.funds
        self._day, self._newest, self._orders = day, newest, shown.orders

    def _rows(self, day: datetime.date, since: int) -> list[int]:
        of_day = [row.seq for table in OF_THE_DAY for row in self.store.rows(table, f"{day}/", since)]
        return of_day + [row.seq for table in WHOLE for row in self.store.rows(table, since=since)]
