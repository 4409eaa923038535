"""`participant init`: a commented participant.toml to begin with."""

import sys
from argparse import Namespace
from pathlib import Path

from participant.commands.errors import DONE, Refused
from participant.config import FILE

TEMPLATE = """\
# participant: settings. Every setting has a default; docs/settings.md explains each. Unknown settings are refused.

[desk]
capital = 10_000_000        # rupees, paper
workers = 1                 # brain processes

[venue]                     # the simulated exchange that `participant trade` starts
seed = 5
symbols = ["NIFTY", "BANKNIFTY"]
day = "2026-11-26"          # the first day of a new home; afterwards the next session
step_s = 60                 # seconds of market time between instants

[limits]                    # what the gateway lets pass
margin_share_max = 0.40
lots_max = 10

[reconcile]                 # our books against the broker's, in seconds of market time
orders_every_s = 30
positions_every_s = 60
funds_every_s = 300

[[watchlist]]
symbol = "NIFTY"

[watchlist.weights]
target_delta = 0.25
days_to_expiry_min = 5
days_to_expiry_max = 35
iv_rank_min = 0.50
iv_over_realised_min = 1.10
after_call = "flatten"      # or "resell"

[[watchlist]]
symbol = "BANKNIFTY"        # with the default weights
"""


def init(_: Namespace) -> int:
    """Write the file; one that is there already is left alone."""
    try:
        with Path(FILE).open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise Refused(f"{FILE} is there already; move it away to get a new one") from None
    except OSError as fault:
        raise Refused(f"{FILE} cannot be written here: {fault.strerror}") from fault
    sys.stdout.write(f"wrote {FILE}; `participant config check` reads it\n")
    return DONE
