"""Answers kept beside the value that gave them: a frozen value says the same whenever it is asked the same."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

# Days, scrips and expiries are few; beyond this all are forgotten, so that a process of years does not grow.
ANSWERS_MAX = 4_096

Asked = TypeVar("Asked", bound=Callable[..., Any])
Found = TypeVar("Found")


def once(ask: Asked) -> Asked:
    """A function whose first argument is a frozen value with a `__dict__`: worked out once for equal arguments.

    These are hashable, and given by position. What it raises is not kept.
    """
    name = f"{ask.__name__}, once"

    def answered(of: Any, *args: Any) -> Any:
        kept = of.__dict__.get(name)
        if kept is None:
            kept = of.__dict__[name] = {}
        answer = kept.get(args, kept)  # no answer is the dict that they are kept in
        if answer is kept:
            answer = ask(of, *args)
            if len(kept) >= ANSWERS_MAX:
                kept.clear()
            kept[args] = answer
        return answer

    answered.__doc__, answered.__name__ = ask.__doc__, ask.__name__
    return answered  # type: ignore[return-value] # it has the signature of what it asks, arguments by position


class kept(Generic[Found]):  # noqa: N801 - it decorates, as `property` does
    """A property of a value with a `__dict__`, worked out once, without the lock of `functools.cached_property`."""

    def __init__(self, ask: Callable[[Any], Found]) -> None:
        self._ask, self._name, self.__doc__ = ask, ask.__name__, ask.__doc__

    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    @overload
    def __get__(self, of: object, owner: type) -> Found: ...
    def __get__(self, of: object | None, owner: type) -> Self | Found:
        """The answer, which stands in the value's `__dict__` before this from then on."""
        if of is None:
            return self
        found = of.__dict__[self._name] = self._ask(of)
        return found
