"""Strategies of other packages: found by their entry points, or refused in one line before anything starts."""

import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.analysis.explain import moves
from participant.cli import main
from participant.config import BadConfig, load_config
from participant.core.brain import BUILD_ID, decide
from participant.core.decision import Action, Decision, DecisionInput, PositionInfo
from participant.core.ids import digest
from participant.core.scrip import Scrip, Setting
from participant.core.strategies.table import STRATEGIES, fault_of
from participant.core.watchlist import BadSetting, changed
from participant.plugins import GROUP, BadPlugin, load_plugins
from tests.core.worlds import RULES, account, chain_state, position

STRATEGY = """
from msgspec import Struct
from participant.core.decision import Action
from participant.core.strategy import Plugin, Verdict, maintain, own_settings

class Own(Struct, frozen=True, forbid_unknown_fields=True):
    least: int = 3
    share: float = 0.5

    @property
    def fault(self):
        return "least is odd" if self.least == 7 else ""

def idle(scrip, market, position, account, rules):
    own, seen = own_settings(scrip, Own), 4
    if seen < own.least:
        return maintain(f"{seen} is under {own.least}", {"seen": seen})
    return maintain(f"{seen} is enough, {own.share} of it", {"seen": seen, "enough": 1})

STRATEGY = Plugin(idle, version=VERSION, settings=Own)
"""
STATE = chain_state()


@pytest.fixture(autouse=True)
def own_table() -> Iterator[None]:
    before = dict(STRATEGIES)
    yield
    STRATEGIES.clear()
    STRATEGIES.update(before)


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts a package that offers a strategy where Python looks for packages."""
    made: list[str] = []

    def offered(body: str, package: str = "quiet", name: str = "idle") -> None:
        folder = tmp_path / package
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{package}_module.py").write_text(body)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {package}_module:STRATEGY\n")
        monkeypatch.syspath_prepend(folder)
        made.append(f"{package}_module")

    yield offered
    for module in made:
        sys.modules.pop(module, None)


def versioned(version: object) -> str:
    return STRATEGY.replace("VERSION", repr(version))


def decided(**settings: Setting) -> Decision:
    scrip = Scrip("NIFTY", strategy="idle", settings=settings)
    return decide(scrip, STATE, position(), account(), RULES)


def test_a_strategy_of_an_installed_package_decides_under_its_own_build(offer: Callable[..., None]) -> None:
    offer(versioned(2))
    load_plugins()
    decision = decided(least=2)
    assert (decision.action, decision.reason) == (Action.MAINTAIN, "4 is enough, 0.5 of it")
    build = digest(BUILD_ID, "idle", 2)
    assert decision.build_id == build
    assert decision.decision_id == digest("NIFTY", STATE.snapshot_id, build, RULES.content_hash)
    STRATEGIES["idle"] = replace(STRATEGIES["idle"], version=3)
    assert decided(least=2).decision_id != decision.decision_id
    assert decide(Scrip("NIFTY"), STATE, position(), account(), RULES).build_id == BUILD_ID


def test_a_configuration_and_the_watchlist_hold_its_own_settings_to_what_it_says_of_them(
    offer: Callable[..., None], tmp_path: Path
) -> None:
    offer(versioned(1))
    file = tmp_path / "participant.toml"
    file.write_text('[[watchlist]]\nsymbol = "NIFTY"\nstrategy = "idle"\n[watchlist.settings]\nleast = 5\nshare = 1\n')
    (row,) = load_config(file, {}).watchlist
    assert row.settings == {"least": 5, "share": 1}
    assert changed(row, {"settings.least": 6}).settings == {"least": 6, "share": 1}
    with pytest.raises(BadSetting, match=r"no setting 'other\.least'"):
        changed(row, {"other.least": 6})
    decision = decide(row, STATE, position(), account(), RULES)
    assert decision.reason == "4 is under 5"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("most = 5", "unknown field `most`"),
        ("least = true", "Expected `int`, got `bool` - at `$.least`"),
        ("least = 7", "least is odd"),
        ("share = nan", "not a number"),
        ("share = inf", "not a number"),
    ],
)
def test_settings_that_cannot_be_are_refused_where_they_are_read_and_where_they_are_decided_on(
    offer: Callable[..., None], tmp_path: Path, setting: str, said: str
) -> None:
    offer(versioned(1))
    file = tmp_path / "participant.toml"
    file.write_text(f'[[watchlist]]\nsymbol = "NIFTY"\nstrategy = "idle"\n[watchlist.settings]\n{setting}\n')
    with pytest.raises(BadConfig) as refused:
        load_config(file, {})
    where = "watchlist row 1, settings." if "number" in said else "[watchlist.settings] of NIFTY, for idle: "
    assert where in str(refused.value)
    assert said in str(refused.value) or "is not a finite number: write one" in str(refused.value)
    settings = tomllib.loads(setting)
    decision = decided(**settings)
    assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
    assert decision.reason.startswith("nothing is done on settings that cannot be: ")
    assert said in decision.reason


def test_a_strategy_without_settings_of_its_own_takes_none() -> None:
    row = Scrip("NIFTY", settings={"wing": 3})
    assert fault_of(row).endswith("it has no settings of its own, and wing is set")
    assert "wing is set" in decide(row, STATE, position(), account(), RULES).reason


def test_what_of_its_own_settings_would_have_changed_a_verdict_is_found(offer: Callable[..., None]) -> None:
    offer(versioned(1))
    load_plugins()
    given = DecisionInput(
        Scrip("NIFTY", strategy="idle", settings={"least": 5}), STATE, PositionInfo(position(), account())
    )

    def again(one: DecisionInput) -> Decision:
        info = one.current_position_info
        return decide(one.scrip, one.market_state, info.position, info.account, RULES)

    assert [(move.setting, move.then) for move in moves(given, again)] == [("settings.least", 4)]
    faulty = replace(given, scrip=replace(given.scrip, settings={"least": 7}))
    assert moves(faulty, again) == ()


BROKEN = [
    ("import no_such_module", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
    ("def STRATEGY(:", "cannot be imported: SyntaxError"),
    ("1 / 0", "cannot be imported: ZeroDivisionError"),
    ("OTHER = 1", "cannot be imported: AttributeError"),
    ("def STRATEGY(*known): ...", "is no Plugin of participant.core.strategy"),
    (versioned(0), "has version = 0"),
    (versioned(1.5), "has version = 1.5"),
    (versioned(1).replace("Plugin(idle", "Plugin(None"), "decides nothing"),
    (versioned(1).replace(", forbid_unknown_fields=True", ""), "lets unknown settings pass"),
]


@pytest.mark.parametrize(("body", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_one_that_cannot_be_used_is_refused_in_one_line_and_none_is_taken(
    offer: Callable[..., None], body: str, said: str
) -> None:
    offer(versioned(1), "sound", "sound")
    offer(body)
    with pytest.raises(BadPlugin) as refused:
        load_plugins()
    told = str(refused.value)
    assert told.startswith("strategy 'idle' of the package quiet (quiet_module:STRATEGY) ")
    assert said in told
    assert "\n" not in told
    assert set(STRATEGIES) == {"covered_call"}


def test_a_name_that_ships_or_is_offered_twice_is_refused(offer: Callable[..., None]) -> None:
    offer(versioned(1), "one")
    offer(versioned(1), "two")
    with pytest.raises(BadPlugin, match="strategy 'idle' is offered twice, by the package one and the package two"):
        load_plugins()
    offer(versioned(1), "three", "covered_call")
    with pytest.raises(BadPlugin, match=r"'covered_call' of the package three .* has the name of one that ships"):
        load_plugins()


@pytest.mark.parametrize("command", [["config", "check"], ["trade"], ["replay", "2026-11-25"], ["explain", "a"]])
def test_no_command_that_needs_strategies_starts_with_one_that_cannot_be_used(
    offer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:  # fmt: skip
    offer("1 / 0")
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    told = capsys.readouterr().err
    assert told.startswith("participant: strategy 'idle' of the package quiet")
    assert told.count("\n") == 1
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("command", [["halt"], ["resume"], ["status"], ["desk", "list"], ["positions"]])
def test_nothing_of_a_package_stands_in_the_way_of_who_stops_the_desk_or_looks_at_it(
    offer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:  # fmt: skip
    offer("1 / 0")
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "idle" not in told, "it is refused for what it is asked, not for a strategy"
    assert "home var" in told
