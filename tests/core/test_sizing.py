"""How many lots a budget allows: the guess from the first lot's cost must never change the answer."""

from hypothesis import given
from hypothesis import strategies as st

from participant.core.sizing import LOTS_MAX, _most

COSTS = st.lists(st.integers(0, 1_000), min_size=LOTS_MAX + 1, max_size=LOTS_MAX + 1)


def brute(budget: int, costs: list[int]) -> int:
    return max((lots for lots in range(1, LOTS_MAX + 1) if costs[lots] <= budget), default=0)


@given(steps=COSTS, budget=st.integers(-10, 600_000))
def test_the_most_lots_are_those_that_counting_finds_however_costs_grow(steps: list[int], budget: int) -> None:
    costs = [sum(steps[: lots + 1]) for lots in range(LOTS_MAX + 1)]
    assert _most(budget, costs[1], costs.__getitem__) == brute(budget, costs)


@given(lot=st.integers(1, 10**9), budget=st.integers(0, 10**12), rise=st.integers(0, 1_000))
def test_a_cost_that_grows_almost_evenly_is_hit_at_once_or_searched_for(lot: int, budget: int, rise: int) -> None:
    costs = [lots * lot + rise * lots // 7 for lots in range(LOTS_MAX + 2)]
    assert _most(budget, costs[1], costs.__getitem__) == brute(budget, costs)


def test_an_even_cost_is_asked_for_three_times() -> None:
    asked: list[int] = []

    def cost(lots: int) -> int:
        asked.append(lots)
        return 7 * lots

    assert _most(100, cost(1), cost) == 14
    assert asked == [1, 14, 15]
