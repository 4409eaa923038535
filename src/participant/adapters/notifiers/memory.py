"""Notices kept in the memory of one process: for simulations and tests."""

from participant.core.notices import Delivery, Notice


class MemoryNotifier:
    """Delivers to the list `notices`; `failures` says what becomes of the next ones, None that no answer comes."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.failures: list[str | None] = []
        self._deliveries: list[Delivery] = []

    def send(self, notice: Notice) -> None:
        """Deliver once, at once, unless it is to fail."""
        failure = self.failures.pop(0) if self.failures else ""
        if failure == "":
            self.notices.append(notice)
        if failure is not None:
            self._deliveries.append(Delivery(notice.notice_id, failure))

    def delivered(self) -> list[Delivery]:
        """What was delivered or failed since the last call."""
        ended, self._deliveries = self._deliveries, []
        return ended

    def close(self) -> None:
        """Nothing is held."""
