"""A lease between desks that live in one process: for simulations and tests."""


class MemoryLease:
    """One side of a lease; all that are given the same `desk` contend for it."""

    def __init__(self, desk: dict[str, "MemoryLease"]) -> None:
        self._desk = desk
        self._owner = ""

    def take(self, owner: str) -> str:
        """Take the lease; returns an empty string, or who holds it."""
        holder = self._desk.setdefault("holder", self)
        if holder is not self:
            return holder._owner
        self._owner = owner
        return ""

    def is_held(self) -> bool:
        """Whether we hold it now."""
        return self._desk.get("holder") is self

    def release(self) -> None:
        """Give it up."""
        if self.is_held():
            del self._desk["holder"]
