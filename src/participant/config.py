"""One frozen Config, read once from participant.toml and the environment; unknown settings are refused."""

import datetime
import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from participant.core.breaker import Triggers
from participant.core.breaks import ReconcileRule
from participant.core.providers import Arbitration
from participant.core.risk import Limits
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip
from participant.core.sending import SendRule
from participant.wire.rules import parse_rules


class BadConfig(Exception):
    """A setting that cannot be used: what, where, how to mend it, in one line."""


Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class Desk(Struct, frozen=True, forbid_unknown_fields=True):
    """How the desk itself runs. `_s` is seconds of wall time unless it says otherwise."""

    capital: Count = 10_000_000
    workers: Count = 1
    job_timeout_s: Count = 600
    job_attempts_max: Count = 4
    lockstep_wait_s: Seconds = 10.0
    request_timeout_s: Seconds = 10.0
    restarts_max: Count = 20
    stall_max_s: Seconds = 120.0


class Venue(Struct, frozen=True, forbid_unknown_fields=True):
    """The simulated exchange that `trade` starts for the synthetic market. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    fix_port: int = 0
    seed: int = 5
    symbols: tuple[str, ...] = ("NIFTY", "BANKNIFTY")
    day: str = "2026-11-26"
    step_s: Count = 60


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set; the defaults trade a made day on paper."""

    desk: Desk = Desk()
    venue: Venue = Venue()
    limits: Limits = Limits()
    triggers: Triggers = Triggers()
    sending: SendRule = SendRule()
    reconcile: ReconcileRule = ReconcileRule()
    arbitration: Arbitration = Arbitration()
    watchlist: tuple[Scrip, ...] = (Scrip("NIFTY"), Scrip("BANKNIFTY"))


class Run(Struct, frozen=True):
    """One day's run, written to `home` for every process to read: what to trade on, where, and how."""

    home: str
    day: datetime.date
    venue_url: str
    fix_host: str
    fix_port: int
    speed: float
    config: Config

    @property
    def is_lockstep(self) -> bool:
        """Whether the venue waits for us before it moves on."""
        return self.speed == 0

    @property
    def arbitration(self) -> Arbitration:
        """When a provider is silent: at speed, what is silent for a moment of the machine's time is not late."""
        rule = self.config.arbitration
        return Arbitration(max(rule.silence_max_s, 1.5 * self.speed), rule.well_before_return_s)

    @property
    def reconcile(self) -> ReconcileRule:
        """When books are compared: at speed not oftener than once a second of the machine's time."""
        rule, least = self.config.reconcile, math.ceil(self.speed)
        every = {name: max(getattr(rule, name), least) for name in ("orders_every_s", "positions_every_s", "recent_s")}
        return replace(rule, **every)

    @property
    def job_timeout_s(self) -> float:
        """How long a brain job may take by the machine's time."""
        return self.config.desk.job_timeout_s / max(self.speed, 1.0)

    @property
    def request_timeout_s(self) -> float:
        """How long one request to the broker may take by the machine's time."""
        return self.config.desk.request_timeout_s

    @property
    def lockstep_wait_s(self) -> float:
        """How long an instant waits for the slowest provider; 0 where the market waits for nobody."""
        return self.config.desk.lockstep_wait_s if self.is_lockstep else 0.0

    @property
    def path(self) -> Path:
        """The home folder."""
        return Path(self.home)


FILE = "participant.toml"
# Above any number of restarts: how often a process may die is the supervisor's to say. A mark or a fill that was
# buried because its process died too often could never come again, and the day could never end.
RECEIVES_MAX = 10_000


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration in `path`, else in PARTICIPANT_CONFIG, else in ./participant.toml, else the defaults."""
    named = path or (Path(environ["PARTICIPANT_CONFIG"]) if environ.get("PARTICIPANT_CONFIG") else None)
    file = named or Path(FILE)
    if not file.exists():
        if named:
            raise BadConfig(f"no configuration file at {file}; `participant init` writes one")
        return Config()
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
        return msgspec.convert(settings, Config)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadConfig(f"{file} is not TOML: {fault}; `participant init` writes one to compare with") from fault
    except msgspec.ValidationError as fault:
        raise BadConfig(f"{file}: {fault}; docs/settings.md lists every setting") from fault
    except OSError as fault:
        raise BadConfig(f"{file} cannot be read: {fault.strerror}") from fault


def load_rules() -> Rulebook:
    """The dated rules of the market that ship with the package (`participant/rules/*.toml`)."""
    folder = resources.files("participant") / "rules"
    return parse_rules({f.name: f.read_bytes() for f in folder.iterdir() if f.name.endswith(".toml")})
