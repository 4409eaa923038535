"""One option's prices in many cases and the worst loss of a book over them: kernel and twin give the same bits."""

import importlib
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core import pricing_plain
from participant.core.pricing import price, prices, worst_loss
from tests.twins import is_compiled

KERNEL = "participant.core._pricing"
KERNELS = [pricing_plain, *([importlib.import_module(KERNEL)] if is_compiled(KERNEL) else [])]

worths = st.floats(-1e6, 1e6)
covers = st.floats(0.0, 1.0)
units = st.integers(-5_000, 5_000)
books = st.integers(0, 6).flatmap(
    lambda cases: st.tuples(
        st.lists(st.tuples(units, st.tuples(*[worths] * (cases + 1))), max_size=4), st.tuples(*[covers] * cases)
    )
)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
@given(st.booleans(), st.lists(st.tuples(st.floats(0.5, 2.0), st.floats(0.0, 3.0)), max_size=5))
def test_prices_in_cases_are_those_of_each_case_alone(
    kernel: ModuleType, is_call: bool, cases: list[tuple[float, float]]
) -> None:
    alone = tuple(price(is_call, forward, 1.1, 0.2, sigma) for forward, sigma in cases)
    assert kernel.prices(is_call, 1.1, 0.2, tuple(cases)) == prices(is_call, 1.1, 0.2, tuple(cases)) == alone


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
@given(books)
def test_the_worst_loss_is_the_largest_fall_in_worth_that_counts(kernel: ModuleType, book: tuple) -> None:  # type: ignore[type-arg] # of the strategy above
    legs, counted = book
    quantities, of_each = tuple(q for q, _ in legs), tuple(w for _, w in legs)
    now, *then = [sum((q * w[at] for q, w in legs), 0.0) for at in range(len(counted) + 1)]
    least = max([0.0, *(cover * (now - worth) for cover, worth in zip(counted, then, strict=True))])
    found = kernel.worst_loss(quantities, of_each, counted)
    assert found == worst_loss(quantities, of_each, counted)
    assert found == pytest.approx(least, abs=1e-3)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_what_there_is_none_of_loses_nothing_whatever_its_worth(kernel: ModuleType) -> None:
    assert kernel.worst_loss((0, 2), ((float("nan"), 1.0), (5.0, 2.0)), (0.5,)) == 3.0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
@pytest.mark.parametrize("of_each", [((1.0, 2.0),) * 2, ((1.0,),), ((1.0, 2.0, 3.0),)], ids=["legs", "few", "many"])
def test_worths_of_another_book_are_refused(kernel: ModuleType, of_each: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match="not those of these quantities"):
        kernel.worst_loss((1,), of_each, (1.0,))
