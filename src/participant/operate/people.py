"""Who is told, and by what: the channels that have an address, and the rule by which they are used."""

import os
import sys

from participant.adapters.clocks.system import SystemClock
from participant.adapters.notifiers.apprise import AppriseNotifier
from participant.adapters.notifiers.console import ConsoleNotifier
from participant.config import Run
from participant.core.escalation import Rung
from participant.links.addresses import load_addresses
from participant.ports import Notifier, Store
from participant.stages.escalate import PeoplePorts, PeopleRule

RELAY_TO = (Rung(0.0, "push"), Rung(0.0, "slack"))


def people_ports(run: Run, store: Store) -> PeoplePorts:
    """The console, and each channel that has an address. Only the process that is the desk reads the addresses."""
    people, channels = run.config.people, dict[tuple[str, str], Notifier]()
    channels["console", "all"] = ConsoleNotifier(sys.stdout)
    for name, address in load_addresses(people.secrets, os.environ).items():
        channels[name] = AppriseNotifier(address, people.send_timeout_s)
    return PeoplePorts(store, channels, SystemClock())


def people_rule(run: Run) -> PeopleRule:
    """The console first; what is not urgent goes by the channels that are read when there is time.

    What a shadow day decides is done by nobody, so nobody is told of it.
    """
    people, ladder = run.config.people, (Rung(0.0, "console"), *run.config.ladder)
    relay = "none" if run.is_shadow else people.relay
    return PeopleRule(ladder, RELAY_TO, people.patience, relay, people.relay_every_s)
