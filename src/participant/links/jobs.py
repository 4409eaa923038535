"""The bytes of a brain job to what is to be decided on, also where the scrip's row of the watchlist cannot be.

JSON has no `nan`: a number that is none arrives as null.
"""

from typing import Any

from msgspec import Struct

from participant.core.decision import DecisionInput, PositionInfo
from participant.core.market import MarketState
from participant.core.watchlist import BadSetting, converted
from participant.wire.json import Malformed, decode
from participant.wire.told import told_job

# What of a row its book's risk rests on: without these nothing can be said of it.
NEEDED = ("symbol", "strategy", "beta", "sector")


class _Job(Struct, rename="camel"):
    scrip: dict[str, Any]
    market_state: MarketState
    current_position_info: PositionInfo


def read_job(body: bytes) -> tuple[DecisionInput, str]:
    """What a job is given, and why its row cannot be, or an empty string; of such a row all else is at its default.

    Raises Malformed where anything but the settings of the row is not what it should be.
    """
    try:
        return told_job(body), ""
    except Malformed:
        found = _without_settings(body)
        if found is None:
            raise
        return found


def _without_settings(body: bytes) -> tuple[DecisionInput, str] | None:
    try:
        job = decode(body, _Job)
        scrip = converted({name: value for name, value in job.scrip.items() if name in NEEDED})
    except (Malformed, BadSetting):
        return None
    try:
        converted(job.scrip)
    except BadSetting as fault:
        return DecisionInput(scrip, job.market_state, job.current_position_info), _told(str(fault))
    return None


def _told(fault: str) -> str:
    name, _, why = fault.partition(": ")
    return f"{name} is not a number (JSON writes that as null)" if why.endswith("got `null`") else fault
