"""What a brain job runs: bytes in, bytes out, nothing kept."""

import pytest

from participant.core.brain import decide
from participant.core.decision import Decision, DecisionInput, PositionInfo
from participant.core.scrip import Scrip
from participant.stages.decide import run
from participant.wire.json import Malformed, decode, encode
from tests.core.worlds import RULES, account, chain_state, position

STATE = chain_state()
GIVEN = DecisionInput(Scrip("NIFTY"), STATE, PositionInfo(position(), account()))


def test_the_bytes_of_an_input_become_the_bytes_of_the_brains_decision() -> None:
    said = run(encode(GIVEN), RULES)
    assert decode(said, Decision) == decide(GIVEN.scrip, STATE, position(), account(), RULES)


def test_the_same_bytes_give_the_same_bytes() -> None:
    body = encode(GIVEN)
    assert run(body, RULES) == run(body, RULES)


def test_bytes_that_are_no_input_are_refused() -> None:
    with pytest.raises(Malformed, match="no DecisionInput"):
        run(b'{"scrip": {}}', RULES)
