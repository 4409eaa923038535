"""The gateway: what it sends, when it refuses to, and what becomes of an order whose fate is not known."""
import pytest
from tests.stages.floor import *
def test_x():
    floor=Floor()
    d=floor.decide()
    g=floor.gateway()
    g.step(0.0)
    print(floor.orders())
    print(floor.exchange.state.ledger, floor.account())
    g.step(0.0)
    print([m for m in floor.queues['fills'].take(10,0)])
