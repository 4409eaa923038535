"""The money that all scrips share: what is reserved, used, released and posted adds up."""

from hypothesis import given
from hypothesis import strategies as st

from participant.core.account import Account, post, release, reserve
from tests.core.desk import CRORE

margins = st.dictionaries(st.sampled_from("abcde"), st.integers(-10, 1_000), max_size=5)


def test_what_is_reserved_and_used_is_not_free() -> None:
    account = post(reserve(Account(CRORE, CRORE), {"o1": 300, "o2": 200}), "NIFTY", -50, 1_000)
    assert account.committed == 1_500
    assert account.free == CRORE - 50 - 1_500


@given(margins)
def test_a_reservation_and_its_release_leave_the_account_as_it_was(asked: dict[str, int]) -> None:
    account = Account(CRORE, CRORE, {"NIFTY": 7}, {"z": 5})
    after = reserve(account, asked)
    assert after.committed == account.committed + sum(m for m in asked.values() if m > 0)
    for order_id in asked:
        after = release(after, order_id)
    assert after == account


@given(margins, margins)
def test_reserving_again_replaces_and_never_adds_up(first: dict[str, int], again: dict[str, int]) -> None:
    once = reserve(Account(CRORE, CRORE), first)
    assert reserve(reserve(once, again), again) == reserve(once, again)


@given(st.integers(1, 1_000), st.lists(st.integers(-5, 1_500), max_size=6))
def test_a_release_never_raises_what_is_reserved(margin: int, left: list[int]) -> None:
    account = reserve(Account(CRORE, CRORE), {"o1": margin})
    for remaining in left:
        before, account = account, release(account, "o1", remaining)
        assert account.reserved.get("o1", 0) == max(0, min(remaining, before.reserved.get("o1", 0)))


def test_releasing_what_was_never_reserved_changes_nothing() -> None:
    account = reserve(Account(CRORE, CRORE), {"o1": 5})
    assert release(account, "o2", 10) == account


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-99, 99), st.integers(0, 99)), max_size=8))
def test_cash_is_the_sum_of_what_was_posted_and_margin_the_last_word_of_each_scrip(
    posts: list[tuple[str, int, int]],
) -> None:
    account = Account(CRORE, CRORE)
    for scrip, cash, used in posts:
        account = post(account, scrip, cash, used)
    assert account.cash == CRORE + sum(cash for _, cash, _ in posts)
    assert account.committed == sum({scrip: used for scrip, _, used in posts}.values())
