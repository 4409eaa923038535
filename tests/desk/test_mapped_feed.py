"""A provider that only a mapping describes, named in the configuration: the desk believes it, and does without it."""

import datetime
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from participant.config import load_rules
from participant.history.synthetic import SyntheticMarket
from tests.desk.runs import DAY, SEED, Desk, log_of, participant
from tests.ports.mapped import KiteProvider, tokens_of

MADE_DAY = ("--date", DAY, "--seed", SEED, "--symbols", "NIFTY", "--step", 60)
INSTANT_S, BEAT_S = 1.0, 0.2
CONFIG = """
[[watchlist]]
symbol = "NIFTY"
decide_every_s = 1

[[feeds]]
name = "kite"
mapping = "kite_packets"
url = "{url}"
place = "before"
instruments = "{instruments}"
"""


@contextmanager
def kite(folder: Path) -> Iterator[tuple[KiteProvider, Path]]:
    """A provider that shows the made day in Kite's packets, at the pace of --speed 60; and the configuration of it."""
    market = SyntheticMarket(SEED, datetime.date.fromisoformat(DAY), load_rules(), ("NIFTY",), step_s=60)
    instants = list(market.instants())
    keys = sorted({tick.contract for instant in instants for tick in instant.ticks})
    provider, over = KiteProvider(tokens_of(keys)), threading.Event()
    listed = "".join(f"{token},{key}\n" for key, token in provider.tokens.items())
    (folder / "instruments.csv").write_text(f"instrument_token,key\n{listed}")
    config = folder / "participant.toml"
    config.write_text(CONFIG.format(url=provider.url, instruments=folder / "instruments.csv"))

    def show() -> None:
        # From where the desk is: what is ahead of its clock is void, and who lags behind the others is at fault.
        while not (provider.heard and (at := reached(folder / "home"))):
            if over.wait(BEAT_S):
                return
        began = time.monotonic()
        for n, instant in enumerate((instant for instant in instants if instant.at >= at), start=1):
            provider.publish(instant.ticks)
            while (left_s := began + n * INSTANT_S - time.monotonic()) > 0:
                if over.wait(min(BEAT_S, left_s)):
                    return
                provider.beat()

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield provider, config
    finally:
        over.set()
        thread.join()
        provider.close()


def test_trade_decides_on_a_mapped_provider_and_goes_on_without_it(tmp_path: Path) -> None:
    with kite(tmp_path) as (provider, config):
        desk = Desk(tmp_path / "home", "--speed", 60, *MADE_DAY, "--config", config)
        with desk:
            desk.until("the mapped provider is believed", lambda: believed(desk) == "kite" or None)
            provider.close()
            desk.until("the venue's first provider is believed", lambda: believed(desk) == "one" or None)
            changes = json.loads(participant(tmp_path, "status", "--home", desk.home, "--json").out)["feeds"]["changes"]
    assert any(change["provider"] == "one" and change["reason"].startswith("kite went down") for change in changes)
    assert any('"mode"' in text for text in provider.heard)


def test_in_lockstep_it_is_left_out_and_said_so(tmp_path: Path) -> None:
    config = tmp_path / "participant.toml"
    config.write_text('[[feeds]]\nname = "far"\nmapping = "deribit_book"\nurl = "ws://127.0.0.1:9"\nnames = ["X"]\n')
    ended = participant(tmp_path, "trade", "--lockstep", "--step", 3600, "--config", config)
    assert ended.status == 0
    assert "in lockstep the market waits for the desk: far of [[feeds]] left out" in ended.err


def believed(desk: Desk) -> str:
    """Whose word the last decision rests on."""
    return str(last_state(desk.home).get("provider", ""))


def reached(home: Path) -> int:
    """The instant of the last decision; 0 before the first."""
    return int(last_state(home).get("exchangeAt", 0))


def last_state(home: Path) -> dict[str, Any]:
    log = log_of(home)
    return dict(json.loads(log[-1])["marketState"]) if log else {}
