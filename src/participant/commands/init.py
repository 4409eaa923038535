"""`participant init`: a commented participant.toml to begin with, and limits signed with a key of its own."""

import sys
from argparse import Namespace
from pathlib import Path

from participant.commands.errors import DONE, Refused
from participant.config import FILE
from participant.links import limits

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

[people]                    # who is told of tickets, and how: docs/people.md
secrets = ""                # a file of addresses, mode 0600; without one the console is told
relay = "orders"            # decisions told by push and Slack: "none", "orders", "all"

[broker]                    # docs/brokers.md; keys are never written here
name = "venue"              # or "kite", "openalgo"
profile = "paper"           # or "live"
secrets = "secrets.json"    # the file that holds the keys, for its owner alone (chmod 600)

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

# `participant watchlist import --shipped --note "..."` puts their constituents there as well, none of them enabled.
"""


SIGNED_BY = 'signed_by = "{}"  # whose limits.toml is trusted: the public half of participant.key; several in []'


def init(_: Namespace) -> int:
    """Write the files and sign the limits; where any of them is there already, nothing is written."""
    if Path(FILE).exists():
        raise Refused(f"{FILE} is there already; move it away to get a new one")
    try:
        public = limits.write_own(Path())
        with Path(FILE).open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.replace("\n\n[venue]", f"\n{SIGNED_BY.format(public)}\n\n[venue]", 1))
    except FileExistsError as fault:
        raise Refused(str(fault)) from fault
    except OSError as fault:
        raise Refused(f"{FILE} cannot be written here: {fault.strerror}") from fault
    sys.stdout.write(
        f"wrote {FILE}; `participant config check` reads it\n"
        f"wrote {limits.FILE}, signed with the new key {limits.KEY}; `participant limits check` reads it\n"
    )
    return DONE
