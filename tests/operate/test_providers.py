"""[[feeds]] of the configuration: what is refused before a day begins, and what becomes of the rest."""

import datetime
import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from participant.adapters.feeds.memory import MemoryFeed
from participant.config import BadConfig, BrokerLink, Config, Run, load_config
from participant.core.market import LookBack, Reference
from participant.core.scrip import Contract, Kind
from participant.operate.providers import address, check_feeds, closing, tongue_of, with_mapped
from participant.ports import Feed
from participant.wire.feed_source import FeedSource

DAY = datetime.date(2026, 11, 25)
EXPIRY = datetime.date(2026, 12, 29)
CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 260_000_000, 65, 500, 1_800)
NOBODY = "ws://127.0.0.1:9"


class StandingClock:
    def now(self) -> int:
        return 0

    def release(self, at: int) -> None:
        """Nothing waits for it."""


def configured(tmp_path: Path, feeds: str) -> Config:
    file = tmp_path / "participant.toml"
    file.write_text(feeds)
    config = load_config(file, {})
    check_feeds(config, tells_left_out=False)
    return config


def feed(**words: object) -> str:
    said = {"name": "far", "mapping": "deribit_book", "url": NOBODY, "names": ["X"], **words}
    return "[[feeds]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in said.items()) + "\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (feed(mapping="deribit"), "no mapping 'deribit' ships; there are deribit_book, "),
        (feed(mapping="no/such.toml"), "no/such.toml: No such file"),
        (feed(mapping="participant.toml"), "participant.toml: "),
        (feed(name="two"), "one of the venue's own"),
        (feed() + feed(), "is there 2 times"),
        (feed(name="Far Away"), r"feeds\[0\].name"),
        (feed(url="http://x"), r"feeds\[0\].url"),
        (feed(adress="x"), "adress"),
        (feed(names=[]), "none is named"),
        (feed(mapping="dhan_chain"), "the configuration gives no underlying: set it in given"),
        (feed(mapping="kite_packets"), "a list of instruments"),
        (feed(mapping="kite_packets", instruments="no.csv"), "no.csv cannot be read: No such file"),
        (feed(url="ws://x/?key={api_key}"), "needs secret"),
        (feed(url="ws://x/?key={api_key}", secret="kite_data"), "no key for kite_data"),
    ],
)
def test_a_feed_that_cannot_be_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadConfig, match=reason):
        configured(tmp_path, text)


def test_keys_go_into_the_address_from_the_file_alone_and_only_those_of_the_profile(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"kite_data":{"profile":"paper","api_key":"K","access_token":"T"}}')
    secrets.chmod(0o600)
    source = FeedSource("kite", "wss://x/?a={api_key}&b={access_token}", "kite_packets", secret="kite_data")
    config = Config(broker=BrokerLink(secrets=str(secrets)))
    assert address(source, config) == "wss://x/?a=K&b=T"
    secrets.write_text('{"kite_data":{"profile":"live","api_key":"K"}}')
    with pytest.raises(BadConfig, match="a paper desk does not take it"):
        address(source, config)


def run_with(tmp_path: Path, source: FeedSource, speed: float = 1.0) -> Run:
    return Run(str(tmp_path), DAY, "http://127.0.0.1:9", "127.0.0.1", 9, speed, Config(feeds=(source,)))


def test_feeds_stand_before_or_after_the_venues_and_in_lockstep_nowhere(tmp_path: Path) -> None:
    source = FeedSource("far", NOBODY, "deribit_book", names=("X",))
    clock, references = StandingClock(), [Reference("NIFTY", (CALL,), LookBack())]
    venue: dict[str, Feed] = {"one": MemoryFeed("one", clock), "two": MemoryFeed("two", clock)}
    for place, expected in (("before", ["far", "one", "two"]), ("after", ["one", "two", "far"])):
        run = run_with(tmp_path, msgspec.convert({**msgspec.to_builtins(source), "place": place}, FeedSource))
        made = with_mapped(venue, run, clock, references)
        made["far"].close()
        assert list(made) == expected
        assert with_mapped(venue, replace(run, speed=0.0), clock, references) == venue


def test_only_contracts_of_the_day_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(f"instrument_token,key\n7,{CALL.key}\n8,NIFTY\n9,NIFTY-20261229-26100CE\n")
    source = FeedSource("kite", NOBODY, "kite_packets", instruments=str(listed))
    tongue = tongue_of(source, {"NIFTY", CALL.key})
    assert tongue is not None
    assert json.loads(tongue.greeting[0]) == {"a": "subscribe", "v": [7, 8]}
    assert tongue_of(source, {"BANKNIFTY"}) is None
    assert with_mapped({}, run_with(tmp_path, source), StandingClock(), [Reference("INFY", (), LookBack())]) == {}
    assert f"kite of [[feeds]] lists nothing of {DAY}: left out" in capsys.readouterr().err


def test_the_day_ends_with_its_session() -> None:
    twenty_to_four = datetime.datetime(2026, 11, 25, 10, 10, tzinfo=datetime.UTC)
    assert closing("", DAY) == int(twenty_to_four.timestamp()) * 10**9
    assert closing("", datetime.date(2026, 11, 28)) == 0
