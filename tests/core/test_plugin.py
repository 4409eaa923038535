"""A strategy's own settings: what cannot be is said, and never raised."""

from msgspec import Struct

from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Plugin


class Own(Struct, forbid_unknown_fields=True):
    width: int = 5


def test_settings_that_cannot_be_are_named() -> None:
    plugin = Plugin(covered_call, 1, Own)
    assert plugin.fault({"width": "wide"}) == "Expected `int`, got `str` - at `$.width`"
    assert "unknown field `depth`" in plugin.fault({"depth": 1})
    assert plugin.fault({"width": 7}) == ""
    assert Plugin(covered_call).fault({"width": 7}) == "it has no settings of its own, and width is set"
