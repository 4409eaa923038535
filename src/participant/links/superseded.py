"""How many market states of a day a newer one took the place of before they were decided on, by scrip."""

import datetime
from collections import Counter

from participant.core.messages import Write
from participant.ports import Store
from participant.wire.json import decode, encode

TABLE = "superseded"


class Superseded:
    """Counts between two decisions of a scrip; the books get the sum with the next decision's commit."""

    def __init__(self, books: Store) -> None:
        self.books = books
        self.news: Counter[str] = Counter()

    def add(self, scrip: str) -> None:
        """One state of the scrip more is passed over."""
        self.news[scrip] += 1

    def rows(self, day: datetime.date, scrip: str) -> list[Write]:
        """The day's count as it is to be committed, where it has changed."""
        news = self.news.pop(scrip, 0)
        if not news:
            return []
        row = self.books.get(TABLE, f"{day}/{scrip}")
        held = decode(row.value, int) if row else 0
        return [Write(TABLE, f"{day}/{scrip}", encode(held + news))]


def superseded(books: Store, day: datetime.date) -> dict[str, int]:
    """The day's counts by scrip."""
    return {row.key.partition("/")[2]: decode(row.value, int) for row in books.rows(TABLE, prefix=f"{day}/")}
