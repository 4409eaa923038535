"""The planes of a broker's session, proven one after the other: a token can be good for one and dead for another."""

from collections.abc import Callable

from participant.ports import BrokerDown


def prove(**planes: Callable[[], object]) -> None:
    """Ask once on each plane; raises BrokerDown that names the first which does not answer."""
    for name, ask in planes.items():
        try:
            ask()
        except BrokerDown as fault:
            raise BrokerDown(f"{name}: {fault}") from fault
