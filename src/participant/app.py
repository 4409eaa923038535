"""The one place that wires: each process of the desk, from its run file to its loop. Read it top to bottom."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.system import SystemClock
from participant.adapters.clocks.venue import VenueClock
from participant.adapters.compute.process import ProcessCompute
from participant.adapters.feeds.fix import FixFeed
from participant.adapters.feeds.json_ws import JsonWsFeed
from participant.adapters.notifiers.console import ConsoleNotifier
from participant.adapters.queues.sqlite import QueueSettings, SqliteQueue
from participant.adapters.stores.sqlite import SqliteStore
from participant.config import Config, load_rules
from participant.core.scrip import Scrip
from participant.links.doorbell import Doorbell
from participant.links.frames import serve_stdio
from participant.operate.breaker import Watch, judge
from participant.ports import BrokerDown
from participant.stages import decide
from participant.stages.book import Book, BookPorts
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.stages.escalate import Escalate
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.ingest import Ingest, IngestPorts, Reference
from participant.stages.reconcile import ReconcilePorts, close_day
from participant.wire.json import decode
