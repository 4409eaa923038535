"""Chains for the tests of the kernels: made ones, some with numbers beyond all measure, and a small one."""

from hypothesis import strategies as st

from participant.core.market import Quote, Strike

NOON = 1_760_000_000_000_000_000

prices = st.integers(0, 40).map(lambda ticks: 500 * ticks)
sizes = st.integers(0, 5).map(lambda lots: 65 * lots)
quotes = st.none() | st.builds(Quote, prices, prices, sizes, sizes, st.integers(0, 9).map(lambda s: NOON - s * 10**9))
strikes = st.integers(1, 60).map(lambda step: 500_000 * step)
chains = st.lists(st.builds(Strike, strikes, quotes, quotes), max_size=25, unique_by=lambda row: row.strike).map(
    lambda found: tuple(sorted(found, key=lambda row: row.strike))
)
wide = st.integers(-(2**70), 2**70) | st.integers(-(2**53), 2**53) | st.integers(-100, 100)
wide_quotes = st.none() | st.builds(Quote, wide, wide, wide, wide, wide)
wide_chains = st.lists(
    st.builds(Strike, wide, wide_quotes, wide_quotes), max_size=4, unique_by=lambda row: row.strike
).map(lambda found: tuple(sorted(found, key=lambda row: row.strike)))

CALL, PUT = Quote(1_000, 1_500, 65, 130, NOON), Quote(2_000, 2_500, 195, 65, NOON - 3 * 10**9)
SMALL = (Strike(1_000_000, CALL, None), Strike(1_500_000, CALL, PUT), Strike(2_500_000, None, PUT))
