"""A process that ends with the one that started it, however that one ended."""

import os
import signal
import threading
import time

LOOK_EVERY_S = 0.5
ASKS_MAX = 4


def end_with(parent: int) -> None:
    """From now on this process is asked to end (SIGTERM) as soon as `parent` is not its parent any more."""
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    for _ in range(ASKS_MAX):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LOOK_EVERY_S)
    os._exit(0)  # it waits where no signal reaches it, for somebody who is gone
