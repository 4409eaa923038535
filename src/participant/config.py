"""One frozen Config, read once from participant.toml and the environment; unknown settings are refused."""

import datetime
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from participant.core.breaker import Triggers
from participant.core.breaks import ReconcileRule
from participant.core.escalation import LADDER, Patience, Relay, Rung
from participant.core.feed_rules import Arbitration, at_speed
from participant.core.limits import Terms
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip
from participant.core.sending import SendRule
from participant.core.watched import faults, no_number
from participant.core.watchlist import sound_rows
from participant.plugins import load_plugins
from participant.wire.events import BadEvents, with_events
from participant.wire.feed_source import FeedSource, feed_faults
from participant.wire.rules import parse_rules
from participant.wire.span import BadScans, parse_scans


class BadConfig(Exception):
    """A setting that cannot be used: what, where, how to mend it, in one line."""


KEY = re.compile("[0-9a-f]{64}")
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0)]


class Desk(Struct, frozen=True, forbid_unknown_fields=True):
    """How the desk itself runs. `_s` is seconds of wall time unless it says otherwise."""

    capital: Count = 10_000_000
    workers: Count = 1
    job_timeout_s: Count = 600
    job_attempts_max: Count = 3
    job_memory_mb: Annotated[int, Meta(ge=128)] = 512
    worker_jobs_max: Count = 5_000
    compute: Literal["workers", "zygote"] = "workers"
    lockstep_wait_s: Seconds = 10.0
    request_timeout_s: Seconds = 10.0
    restarts_max: Count = 20
    stall_max_s: Seconds = 120.0
    signed_by: str | tuple[str, ...] = ""
    signatures_required: Count = 1
    span_scans: str = ""
    events_file: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The public keys that are trusted with limits, as hex digits."""
        return (self.signed_by,) * bool(self.signed_by) if isinstance(self.signed_by, str) else self.signed_by

    @property
    def fault(self) -> str:
        """Why nobody could ever sign limits for this desk, or an empty string."""
        bad = [key for key in self.keys if not KEY.fullmatch(key)]
        if bad:
            return f"signed_by: {bad[0][:40]!r} is no public key: write 64 hex digits in small letters, as `init` does"
        if len(set(self.keys)) < len(self.keys):
            return "signed_by names a key twice: two people sign with two keys"
        if self.signatures_required > max(1, len(self.keys)):
            return f"signatures_required = {self.signatures_required}, and signed_by names {len(self.keys)} keys"
        return ""


class Venue(Struct, frozen=True, forbid_unknown_fields=True):
    """The simulated exchange that `trade` starts for the synthetic market. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    fix_port: int = 0
    seed: int = 5
    symbols: tuple[str, ...] = ("NIFTY", "BANKNIFTY")
    day: str = "2026-11-26"
    step_s: Count = 60


class People(Struct, frozen=True, forbid_unknown_fields=True):
    """How people are told. `_s` is seconds of wall time; their addresses stand in the file `secrets`, never here."""

    secrets: str = ""
    relay: Relay = "orders"
    relay_every_s: Seconds = 30.0
    tries_max: Count = 20
    retry_after_s: Seconds = 5.0
    retry_after_max_s: Seconds = 60.0
    answer_within_s: Seconds = 30.0
    send_timeout_s: Seconds = 10.0
    fill_collar_max: Share = 0.25
    fill_collar_future_max: Share = 0.05

    @property
    def patience(self) -> Patience:
        """How often and how soon a delivery is tried again."""
        return Patience(self.tries_max, self.retry_after_s, self.retry_after_max_s, self.answer_within_s)


class BrokerLink(Struct, frozen=True, forbid_unknown_fields=True):
    """Which broker, on paper or live. Keys are never set here: `secrets` names the file that holds them."""

    name: Literal["venue", "kite", "openalgo"] = "venue"
    profile: Literal["paper", "live"] = "paper"
    url: str = ""
    updates_url: str = ""
    product: Literal["NRML", "MIS"] = "NRML"
    secrets: str = "secrets.json"
    postback_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    listed_min: Count = 1000
    algo_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,32}\Z")] = ""

    @property
    def secrets_path(self) -> Path:
        """The file of secrets; `~` is the home of who runs the desk."""
        return Path(self.secrets).expanduser()

    @property
    def fault(self) -> str:
        """Why broker and profile do not go together, or an empty string."""
        if self.name == "venue" and self.profile == "live":
            return 'the venue is simulated: profile = "live" needs name = "kite" or "openalgo"'
        if self.name == "kite" and self.profile == "paper":
            return 'every key of Kite is a live one, for it has no sandbox: paper needs name = "venue" or "openalgo"'
        return ""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set; the defaults trade a made day on paper."""

    desk: Desk = Desk()
    venue: Venue = Venue()
    broker: BrokerLink = BrokerLink()
    triggers: Triggers = Triggers()
    sending: SendRule = SendRule()
    reconcile: ReconcileRule = ReconcileRule()
    arbitration: Arbitration = Arbitration()
    people: People = People()
    ladder: tuple[Rung, ...] = LADDER
    watchlist: tuple[Scrip, ...] = (Scrip("NIFTY"), Scrip("BANKNIFTY"))
    feeds: tuple[FeedSource, ...] = ()

    @property
    def terms(self) -> Terms:
        """By what limits may be in force here."""
        is_paper = self.broker.profile == "paper"
        return Terms(self.desk.keys, self.desk.signatures_required, is_paper, self.broker.algo_id)


class Run(Struct, frozen=True):
    """One day's run, written to `home` for every process to read: what to trade on, where, and how.

    A shadow reads the broker of the settings and sends nothing. `is_own_venue` says that `trade` started the venue.
    What the feeds say is recorded in a folder of the folder `record`, where one is named.
    """

    home: str
    day: datetime.date
    venue_url: str
    fix_host: str
    fix_port: int
    speed: float
    config: Config
    is_shadow: bool = False
    is_own_venue: bool = False
    record: str = ""

    @property
    def is_lockstep(self) -> bool:
        """Whether the venue waits for us before it moves on."""
        return self.speed == 0

    @property
    def arbitration(self) -> Arbitration:
        """When a provider is silent: at speed, what is silent for a moment of the machine's time is not late."""
        return at_speed(self.config.arbitration, self.speed)

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
    def lockstep_wait_s(self) -> float:
        """How long an instant waits for the slowest provider; 0 where the market waits for nobody."""
        return self.config.desk.lockstep_wait_s if self.is_lockstep else 0.0

    @property
    def path(self) -> Path:
        """The home folder."""
        return Path(self.home)

    @property
    def is_paper(self) -> bool:
        """Whether no real order can be sent."""
        return self.is_shadow or self.config.broker.profile == "paper"

    @property
    def terms(self) -> Terms:
        """By what the limits of the day may be in force: a shadow's as on paper."""
        return replace(self.config.terms, is_paper=self.is_paper)


FILE = "participant.toml"
# Above any number of restarts: how often a process may die is the supervisor's to say. A mark or a fill that was
# buried because its process died too often could never come again, and the day could never end.
RECEIVES_MAX = 10_000


def config_file(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Where the configuration is: `path`, else PARTICIPANT_CONFIG, else ./participant.toml. Limits lie beside it."""
    return path or Path(environ.get("PARTICIPANT_CONFIG") or FILE)


def load_config(path: Path | None, environ: Mapping[str, str], apart: Callable[[str], None] | None = None) -> Config:
    """The `config_file`, else the defaults, or BadConfig; where `apart` is told of a bad watchlist row, that is off."""
    load_plugins()
    file = config_file(path, environ)
    if not file.exists():
        if path or environ.get("PARTICIPANT_CONFIG"):
            raise BadConfig(f"no configuration file at {file}; `participant init` writes one")
        return Config()
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
        if "limits" in settings:
            moved = "[limits] has moved to limits.toml beside it, which is signed"
            raise BadConfig(f"{file}: {moved}: set them there and say `participant limits sign`")
        settings = sound_rows(settings, apart) if apart else settings
        if strange := no_number(settings):
            raise BadConfig(f"{file}: {strange}; docs/settings.md lists every setting")
        config = msgspec.convert(settings, Config)
        own = (("[broker]", config.broker.fault), ("[desk]", config.desk.fault))
        for part, fault in (*own, *feed_faults(config.feeds), *faults(config.watchlist, config.broker.name)):
            if fault:
                raise BadConfig(f"{file}: {part} {fault}")
        return config
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadConfig(f"{file} is not TOML: {fault}; `participant init` writes one to compare with") from fault
    except msgspec.ValidationError as fault:
        raise BadConfig(f"{file}: {fault}; docs/settings.md lists every setting") from fault
    except OSError as fault:
        raise BadConfig(f"{file} cannot be read: {fault.strerror}") from fault


def with_own_events(config: Config) -> Config:
    """The configuration with the events of [desk] events_file, if it names one, in the rows of their scrips.

    A day lays them over the version of the watchlist that rules it; they are no part of any version.
    """
    file = config.desk.events_file
    try:
        return replace(config, watchlist=with_events(config.watchlist, _body("events_file", file))) if file else config
    except BadEvents as fault:
        raise BadConfig(f"[desk] events_file: {file}: {fault}") from fault


def load_rules(scans: str = "") -> Rulebook:
    """The dated rules of the market that ship (`participant/rules/*.toml`), with the published scan ranges of a file.

    `scans` is [desk] span_scans: nothing is laid over the rules but what a person has named there. Raises BadConfig.
    """
    folder = resources.files("participant") / "rules"
    rules = parse_rules({f.name: f.read_bytes() for f in folder.iterdir() if f.name.endswith(".toml")})
    if not scans:
        return rules
    try:
        return replace(rules, scans=parse_scans(_body("span_scans", scans), f"SPAN parameters in {Path(scans).name}"))
    except BadScans as fault:
        raise BadConfig(f"[desk] span_scans: {scans}: {fault}") from fault


def _body(setting: str, path: str) -> bytes:
    """What a file that [desk] names holds."""
    file = Path(path).expanduser()
    try:
        return file.read_bytes()
    except OSError as fault:
        raise BadConfig(f"[desk] {setting}: {file} cannot be read: {fault.strerror}") from fault
