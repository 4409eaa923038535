"""From the outbox to the queue: what a commit promised to say is said, at least once."""

from participant.core.messages import Message, Write
from participant.ports import Queue, Store


def promise(queue: str, message: Message) -> Write:
    """The outbox row that goes into the same commit as what the message tells of."""
    return Write("outbox", f"{queue}/{message.key}/{message.id}", message.body, expect=0)


def relay(store: Store, name: str, queue: Queue) -> int:
    """Put every promised message of this queue on it, in commit order, and strike them off. Returns how many."""
    rows = store.rows("outbox", prefix=f"{name}/")
    if rows:
        queue.put([Message(r.key.rsplit("/", 1)[1], r.key.split("/")[1], r.value) for r in rows])
        store.commit([Write("outbox", r.key, None) for r in rows])
    return len(rows)
