"""The strategies that installed packages offer: entry points of the group `participant.strategies`.

They are taken into the table of strategies before a configuration is read, a worker starts or a logged decision is made
again; the gateway, which holds the broker's secrets, never imports one.
"""

from collections import Counter
from importlib.metadata import EntryPoint, entry_points

from participant.core.strategies.table import SHIPPED, STRATEGIES
from participant.core.strategy import Plugin

GROUP = "participant.strategies"


class BadPlugin(Exception):
    """A strategy that an installed package offers cannot be used: what, whose, how to mend it, in one line."""


def load_plugins() -> None:
    """Complete the table of strategies. Raises BadPlugin, and adds none of them, where one cannot be used."""
    offered = tuple(entry_points(group=GROUP))
    count = Counter(one.name for one in offered)
    for one in offered:
        if one.name in SHIPPED:
            raise BadPlugin(f"{_said(one)} has the name of one that ships: give it another name in its pyproject.toml")
        if count[one.name] > 1:
            owners = " and ".join(sorted(_owner(other) for other in offered if other.name == one.name))
            raise BadPlugin(f"strategy {one.name!r} is offered twice, by {owners}: uninstall one of them")
    STRATEGIES.update({one.name: _loaded(one) for one in offered})


def _loaded(one: EntryPoint) -> Plugin:
    try:
        plugin = one.load()
    except Exception as fault:  # a stranger's module may raise anything
        why = f"{type(fault).__name__}: {fault}"
        raise BadPlugin(f"{_said(one)} cannot be imported: {why}; mend or uninstall the package") from fault
    if not isinstance(plugin, Plugin):
        raise BadPlugin(f"{_said(one)} is no Plugin of participant.core.strategy: docs/write-a-strategy.md shows one")
    wrong = _fault(plugin)
    if wrong:
        raise BadPlugin(f"{_said(one)} {wrong}")
    return plugin


def _fault(plugin: Plugin) -> str:
    """What is wrong with a plug-in itself, or an empty string."""
    decide: object = plugin.decide
    if not callable(decide):
        return "decides nothing: the first argument of its Plugin is a function"
    if type(plugin.version) is not int or plugin.version < 1:
        return f"has version = {plugin.version!r}: give it a whole number from 1 on, and raise it with every change"
    if plugin.settings is not None and not plugin.settings.__struct_config__.forbid_unknown_fields:
        return "lets unknown settings pass: say forbid_unknown_fields=True of its struct of settings"
    return ""


def _said(one: EntryPoint) -> str:
    return f"strategy {one.name!r} of {_owner(one)} ({one.value})"


def _owner(one: EntryPoint) -> str:
    return f"the package {one.dist.name}" if one.dist is not None else "an unknown package"
