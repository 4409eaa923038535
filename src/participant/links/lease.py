"""What a process that must be the only one of its kind asks of its lease: take it or end, and never act without it."""

from participant.ports import Lease, LeaseHeld


def take(lease: Lease, name: str) -> None:
    """Take the lease as `name`; raises LeaseHeld with who holds it."""
    holder = lease.take(name)
    if holder:
        raise LeaseHeld(f"{name}: {holder} works on these books already; one sends, so this one ends")


def keep(lease: Lease) -> None:
    """Go on only while the lease is ours; raises LeaseHeld where it was lost."""
    if not lease.is_held():
        raise LeaseHeld("the lease was lost: another may send now, so this one ends and sends nothing")
