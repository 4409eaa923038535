"""A bar that moves, and the time that is left, where a person is looking."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(args: Namespace, what: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """Who is told of each advance towards `total` (None: not known); nothing is drawn for --quiet, --json, a pipe."""
    if args.quiet or args.json or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
