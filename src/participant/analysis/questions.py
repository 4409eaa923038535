"""Questions that are asked of a log again and again, by name, each with what its answer says and what it does not.

In their SQL `{d}` are the decisions and `{o}` the orders, of one scrip where one is asked for; named once in a WITH and
used twice, the log would be kept whole in memory: DuckDB took twice the time. Prices are shown in rupees.
What is first or last goes by `epoch_ns`: by the time as it is, DuckDB takes a detour that costs as much as the rest.
"""

from collections.abc import Iterable

from msgspec import Struct

from participant.analysis.log_query import Answer, BadQuestion, LogTable, Wanted
from participant.analysis.order_rows import COLUMNS as ORDER
from participant.links.log_table import LINE


class Question(Struct, frozen=True):
    """A name, the question in words, what the answer says, and its SQL; `of_orders` needs the books of a home."""

    name: str
    asks: str
    says: str
    sql: str
    of_orders: bool = False


WHY_NOTHING = Question(
    "why-nothing",
    "Why was nothing done?",
    "The sentences of all decisions to maintain, figures left out: how often, in how many scrips, first and last when.",
    """
    SELECT said AS reason, count(*) AS times, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent,
      count(DISTINCT symbol) AS scrips, min(decided_at) AS first, max(decided_at) AS last
    FROM {d} WHERE action = 'maintain' AND outcome = 'decided'
    GROUP BY said ORDER BY times DESC, reason
    """,
)
REFUSALS = Question(
    "refusals",
    "Which orders were refused, and why?",
    "Orders that a control of ours denied, that the broker rejected or that were handed to a person, by control and "
    "reason, figures left out.",
    """
    SELECT status, denied_by AS control, said AS reason, count(*) AS times,
      count(DISTINCT symbol) AS scrips, min(decided_at) AS first, max(decided_at) AS last
    FROM {o} WHERE status IN ('denied', 'rejected', 'dead')
    GROUP BY status, denied_by, said ORDER BY times DESC, reason
    """,
    of_orders=True,
)
SLIPPAGE = Question(
    "slippage",
    "How far from the price that the decision saw did it fill?",
    "By scrip, kind and side: the price of what filled less the price of the decision, a unit, against us positive; "
    "the worst order; and what it comes to with all units. Charges stand beside it and are not in it.",
    """
    WITH filled AS (
      SELECT *, "limit" / 10000.0 AS seen, value / 100.0 / filled AS paid,
        CASE side WHEN 'buy' THEN 1 ELSE -1 END * (value / 100.0 / filled - "limit" / 10000.0) AS slip
      FROM {o} WHERE filled > 0)
    SELECT symbol, kind, side, count(*) AS orders, sum(filled)::BIGINT AS units,
      round(sum(slip * filled) / sum(filled), 4) + 0 AS slip_a_unit,
      round(10000 * sum(slip * filled) / sum(seen * filled), 3) + 0 AS slip_bp,
      round(max(slip), 4) + 0 AS worst_a_unit, round(sum(slip * filled), 2) + 0 AS slip_rupees,
      round(sum(charges) / 100.0, 2) AS charges_rupees
    FROM filled GROUP BY symbol, kind, side ORDER BY slip_rupees DESC, symbol, kind, side
    """,
    of_orders=True,
)
IN_THE_MONEY = Question(
    "in-the-money",
    "Which of the calls that were sold went in the money?",
    "Each call of a decision whose strike a later logged spot exceeded, until it expired or the log ends: on which day "
    "first, the highest spot then, and the last one seen. What was decided counts, filled or not; between two logged "
    "spots nothing is seen.",
    """
    WITH calls AS MATERIALIZED (
      SELECT decided_at, day, symbol, spot, leg.contract, leg.strike, leg.expiry, leg.quantity
      FROM (SELECT decided_at, day, symbol, spot, unnest(legs) AS leg FROM {d} WHERE action <> 'maintain')
      WHERE leg.kind = 'CE' AND leg.side = 'sell'),
    days AS MATERIALIZED (
      SELECT symbol, day, max(spot) AS high, arg_max(epoch_ns(decided_at), spot) AS high_at,
        arg_max(spot, epoch_ns(decided_at)) AS last FROM {d} GROUP BY symbol, day),
    near AS MATERIALIZED (
      SELECT c.*, s.day AS on_day, s.high, s.day > c.day OR s.high_at > epoch_ns(c.decided_at) AS is_after
      FROM calls c JOIN days s ON s.symbol = c.symbol AND s.day BETWEEN c.day AND c.expiry AND s.high > c.strike),
    same AS (
      SELECT n.symbol, n.decided_at, n.contract, max(l.spot) AS high FROM near n JOIN {d} l
        ON l.symbol = n.symbol AND l.day = n.day AND l.decided_at > n.decided_at AND l.spot > n.strike
      WHERE NOT n.is_after GROUP BY ALL),
    beyond AS MATERIALIZED (
      FROM near WHERE is_after UNION ALL
      SELECT n.* REPLACE (same.high AS high) FROM near n JOIN same USING (symbol, decided_at, contract)
      WHERE NOT is_after),
    ends AS (
      SELECT b.symbol, b.decided_at, b.contract, max(s.day) AS last_day, arg_max(s.last, s.day) AS last
      FROM (SELECT DISTINCT decided_at, contract, symbol, day, expiry FROM beyond) b JOIN days s
        ON s.symbol = b.symbol AND s.day BETWEEN b.day AND b.expiry GROUP BY ALL)
    SELECT decided_at, symbol, contract, quantity AS units, strike / 10000.0 AS strike,
      any_value(spot) / 10000.0 AS spot, min(on_day) AS first_day, max(high) / 10000.0 AS highest,
      any_value(last) / 10000.0 AS last_spot, any_value(last_day) AS last_day, any_value(last) > strike AS is_in_at_last
    FROM beyond JOIN ends USING (symbol, decided_at, contract)
    GROUP BY decided_at, symbol, contract, quantity, beyond.strike ORDER BY decided_at, symbol, contract
    """,
)
ACTIONS = Question(
    "actions",
    "What was opened and what was closed?",
    "Every decision that asked for orders, with its legs at the prices that it saw; `participant explain ID` says why.",
    """
    SELECT decided_at, symbol, action, spot / 10000.0 AS spot,
      list_aggregate(list_transform(legs, lambda l: concat(l.side, ' ', l.quantity, ' ', l.contract, ' at ',
        l."limit" / 10000.0)), 'string_agg', ', then ') AS legs,
      list_sum(list_transform(legs, lambda l: l.margin)) / 100.0 AS margin_rupees, decision_id
    FROM {d} WHERE action <> 'maintain' ORDER BY decided_at, symbol
    """,
)
UNDECIDED = Question(
    "undecided",
    "Where was there no decision?",
    "Jobs that timed out or were parked, by day, scrip and outcome, and which share of the scrip's day that is.",
    """
    SELECT * FROM (
      SELECT day, symbol, outcome, count(*) AS times, any_value(said) AS reason,
        round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY day, symbol), 2) AS percent
      FROM {d} GROUP BY day, symbol, outcome)
    WHERE outcome <> 'decided' ORDER BY times DESC, day, symbol
    """,
)
RICHNESS = Question(
    "richness",
    "How rich was volatility, and when most?",
    "By scrip: the rank of implied volatility and its ratio to the realised one, as the decisions had them; unknown "
    "ones are counted apart.",
    """
    SELECT symbol, count(*) AS decisions, round(100.0 * avg(iv30), 2) AS iv30_percent,
      round(100.0 * avg(iv_rank), 1) AS rank_percent, round(100.0 * max(iv_rank), 1) AS rank_highest,
      arg_max(decided_at, iv_rank) AS highest_at, round(avg(iv_over_realised), 3) AS over_realised,
      count(*) - count(iv_rank) AS unknown
    FROM {d} GROUP BY symbol ORDER BY rank_percent DESC NULLS LAST, symbol
    """,
)
DATA_AGE = Question(
    "data-age",
    "Whose market was decided on, and how old was it when it came?",
    "By provider: from the exchange's time of an instant to when it was received, in milliseconds; the percentiles are "
    "approximate. In lockstep it is 0.",
    """
    SELECT * EXCLUDE (ages, worst), round(ages[1] / 1e6, 1) AS p50_ms, round(ages[2] / 1e6, 1) AS p99_ms,
      round(worst / 1e6, 1) AS worst_ms
    FROM (
      SELECT provider, count(*) AS decisions, count(DISTINCT symbol) AS scrips, count(DISTINCT day) AS days,
        approx_quantile(delay_ns, [0.5, 0.99]) AS ages, max(delay_ns) AS worst
      FROM {d} GROUP BY provider)
    ORDER BY decisions DESC, provider
    """,
)
MOVES = Question(
    "moves",
    "Did the market move more than its volatility said?",
    "By scrip, over its logged days: from the first to the last spot, against a day's deviation by the first 30-day IV "
    "(over 252 sessions), both in percent, and how many days went beyond it. Gaps between the days are not in it.",
    """
    WITH days AS (
      SELECT symbol, day, arg_min(spot, epoch_ns(decided_at)) AS first, arg_max(spot, epoch_ns(decided_at)) AS last,
        max(spot) AS high, min(spot) AS low, arg_min(iv30, epoch_ns(decided_at)) AS iv
      FROM {d} WHERE spot > 0 GROUP BY symbol, day)
    SELECT symbol, count(*) AS days, round(100.0 * avg(abs(last - first) / first), 3) AS moved_percent,
      round(100.0 * avg(iv / sqrt(252)), 3) AS said_percent,
      round(100.0 * avg((high - low) / first), 3) AS range_percent,
      count(*) FILTER (abs(last - first) / first > iv / sqrt(252)) AS beyond, count(*) - count(iv) AS unknown
    FROM days GROUP BY symbol ORDER BY beyond DESC, symbol
    """,
)
BUILDS = Question(
    "builds",
    "Which build decided under which rules, and when?",
    "Every pair of build and rules, with its decisions by action and its first and last; outcomes without a decision "
    "have neither.",
    """
    SELECT build_id AS build, rules_hash AS rules, count(*) AS decisions, count(*) FILTER (action = 'open') AS open,
      count(*) FILTER (action = 'close') AS close, min(decided_at) AS first, max(decided_at) AS last
    FROM {d} GROUP BY build_id, rules_hash ORDER BY first
    """,
)
QUESTIONS = {
    question.name: question
    for question in (
        WHY_NOTHING,
        REFUSALS,
        SLIPPAGE,
        IN_THE_MONEY,
        ACTIONS,
        UNDECIDED,
        RICHNESS,
        DATA_AGE,
        MOVES,
        BUILDS,
    )
}


def wanted_by(question: Question) -> Wanted:
    """The columns that a question names."""

    def named(columns: Iterable[str], view: str) -> frozenset[str]:
        return frozenset(name for name in columns if view in question.sql and name in question.sql)

    return Wanted(named(LINE, "{d}"), named(ORDER, "{o}"))


def ask(log: LogTable, name: str, scrip: str = "") -> Answer:
    """The answer to a question of this name, of one scrip or of all. Raises BadQuestion."""
    if name not in QUESTIONS:
        raise BadQuestion(f"no question {name!r}; there are: {', '.join(QUESTIONS)}")
    chosen = " WHERE symbol = $scrip" if scrip else ""
    sql = QUESTIONS[name].sql.format(d=f"(FROM decisions{chosen})", o=f"(FROM orders{chosen})")
    return log.ask(sql, {"scrip": scrip} if scrip else None)
