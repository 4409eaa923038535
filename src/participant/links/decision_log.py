"""The decision log as a projection: what was committed to the books, written up in the archive, each line once."""

from participant.ports import Archive, Store


class DecisionLog:
    """Writes the archive up; what it holds already is never written again, whatever happened in between."""

    def __init__(self, books: Store, archive: Archive) -> None:
        self.books, self.archive = books, archive
        self.written_to: dict[str, int] = {}

    def write(self, day: str) -> None:
        """Add the day's decisions that the archive lacks, in the order of their commits."""
        rows = self.books.rows("log", prefix=f"{day}/", since=self.written_to.get(day, 0))
        news = rows if day in self.written_to else rows[self.archive.count(day) :]
        if news:
            self.archive.append(day, [r.value for r in news])
        self.written_to[day] = rows[-1].seq if rows else self.written_to.get(day, 0)
