"""limits.toml to Limits: every limit must be set, none may be endless, and nothing else may stand there."""

import tomllib
from math import isfinite, isnan

import msgspec

from participant.core.limits import Limits

NAMES = tuple(name for name in Limits.__struct_fields__ if name != "fault")


class BadLimits(ValueError):
    """Limits that cannot be in force: where, what is wrong with them, how to mend it, in one line."""


def parse_limits(name: str, body: bytes) -> Limits:
    """The limits in a file's bytes; `name` is what the file is called. Raises BadLimits."""
    try:
        found = tomllib.loads(body.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadLimits(f"{name} is not TOML: {fault}") from fault
    unset, unknown = [n for n in NAMES if n not in found], [n for n in found if n not in NAMES]
    if unset:
        raise BadLimits(f"{name} does not set {unset[0]}: a limit that is not set lets nothing pass")
    if unknown:
        raise BadLimits(f"{name} sets {unknown[0]}, which is no limit; docs/controls.md lists them")
    endless = [n for n, value in found.items() if isinstance(value, float) and not isfinite(value)]
    if endless:
        why = "not a number" if isnan(found[endless[0]]) else "a limit must have an end"
        raise BadLimits(f"{name} sets {endless[0]} = {found[endless[0]]}: {why}; write what it is to be")
    try:
        limits = msgspec.convert(found, Limits)
    except msgspec.ValidationError as fault:
        raise BadLimits(f"{name}: {fault}") from fault
    if limits.messages_kept_for_cancels >= min(limits.messages_second_max, limits.messages_minute_max):
        raise BadLimits(f"{name} keeps every message for cancels: messages_kept_for_cancels must leave some for orders")
    return limits
