"""The brain as the first risk manager: what a verdict that opens must pass, in this order, before it is a decision.

Each check is a pure function of a plan: the account, the scrip's book, and the legs to come. It allows or refuses with
the figure and the limit that it compared. What does not raise the worst loss of the book is held to the first group
alone: nothing that reduces is refused for exposure, greeks or margin. The gateway judges every order again, by limits
of its own (docs/controls.md).
"""

from collections.abc import Callable, Generator, Sequence
from math import isfinite

from msgspec.structs import replace

from participant.core.account import Account, BookRisk
from participant.core.book_risk import book_risk
from participant.core.decision import Action
from participant.core.delivery import ends_physical, sessions_until
from participant.core.in_force import doubts
from participant.core.market_checks import aged, basis, freshness, halt, operating_range, position_limit, price_range
from participant.core.plan import Check, Found, Plan, figures_of, naked_units, refusal, worst
from participant.core.rulebook import OutsideRules
from participant.core.scrip import Contract, Kind
from participant.core.sound import unsound
from participant.core.strategy import Case, Gate, Strategy, Verdict, ask, maintain
from participant.core.wording import counted, rupees


def judged(strategy: Strategy, case: Case) -> tuple[Verdict, BookRisk | None]:
    """What is decided on a case, and the risk of its book thereafter.

    Where no rule covers the day, or its weights cannot be, nothing is done, and why; a book is then of unknown risk.
    """
    try:
        if case.weights.fault:
            refused = f"nothing is done on weights that cannot be: {case.weights.fault}"
            return maintain(refused, {"spot": case.market.spot}), book_risk(case)
        if strange := case.stranger:
            refused = f"nothing is done for {case.scrip.symbol} on {strange}"
            return maintain(refused, {"spot": case.market.spot}), _unknown(case)
        if case.market.spot <= 0:  # its book has no worth that could be reckoned, nor a risk
            return maintain("the underlying has no price", {"spot": case.market.spot}), _unknown(case)
        if not case.scrip.is_enabled:
            refused = f"nothing is done for {case.scrip.symbol}: it is disabled in the watchlist (is_enabled = false)"
            return maintain(refused, {"spot": case.market.spot}), book_risk(case)
        raw = strategy(case.scrip, case.market, case.position, _copied(case.account), case.rules)
        plan = Plan(case, raw)
        verdict = _passed(plan)
        return verdict, plan.risk if verdict.legs else book_risk(case)
    except OutsideRules as unknown:
        return maintain(f"nothing is done without a rule: {unknown}", {"spot": case.market.spot}), _unknown(case)


def _copied(account: Account) -> Account:
    """The account for a strategy: what it does to the margins and shorts in there is not done to those judged by."""
    others = replace(account.others, short={**account.others.short})
    return replace(account, used={**account.used}, reserved={**account.reserved}, others=others)


def _unknown(case: Case) -> BookRisk | None:
    """The risk of a book that cannot be valued; None where there is no book."""
    is_empty = case.position.is_flat and not case.position.working
    return None if is_empty else BookRisk(unknown=case.scrip.symbol)


def _passed(plan: Plan) -> Verdict:
    """The verdict where it may be; a maintain with the first refusal and its figures where one that opens may not.

    What opens says on how many rules of low confidence (`rules_low`).
    """
    verdict, fault = plan.verdict, unsound(plan)
    if fault:
        return maintain(f"nothing is done on a verdict that cannot be: {fault}", {"spot": plan.case.market.spot})
    if verdict.action is not Action.OPEN:
        old = aged(plan)
        return maintain(f"nothing is closed: {old}", verdict.figures, verdict.gates) if old else verdict
    if plan.case.account.fault:
        return maintain(f"nothing is opened on an account that cannot be: {plan.case.account.fault}", verdict.figures)
    asked = ask(_gates(plan), NAMES)
    figures, gates = verdict.figures | asked.figures, (*verdict.gates, *asked.gates)
    if asked.said:
        return maintain(asked.said, figures, gates)
    case = plan.case
    figures["rules_low"] = doubts(case.rules, case.scrip.symbol, case.day)
    legs = verdict.legs if plan.legs is None else plan.legs
    return replace(verdict, figures=figures, gates=gates, legs=legs)


def _gates(plan: Plan) -> Generator[Gate, None, None]:
    for check in BRAIN_CHECKS:
        found = None if plan.is_reducing and not check.binds_all else check.judge(plan)
        if found is not None:
            said = "" if found.is_ok else refusal(check, found)
            yield Gate(check.name, said, found.value, found.limit, figures_of(check, found))


# --- what binds every verdict that opens ------------------------------------------------------------------------------


def covered(plan: Plan) -> Found:
    """Calls sold never exceed the cover, nor puts sold the puts held, whichever orders fill and however far legs get.

    A long call covers a sold one: beyond both strikes they move as one.
    """
    naked = max(naked_units(plan.fills, Kind.CALL), naked_units(plan.fills, Kind.PUT))
    return Found(naked, 0, lambda: f"{naked:,} units of options sold would have no cover")


def slicing(plan: Plan) -> Found:
    """The orders that it takes within the exchange's quantity of one order."""
    orders = sum(leg.order_count for leg in plan.verdict.legs)
    return Found(orders, plan.limits.orders_max, lambda: f"it takes {counted(orders, 'order')}")


# --- what binds what adds to the risk ---------------------------------------------------------------------------------


def lots(plan: Plan) -> Found | None:
    """The lots of the largest part of the book, if everything fills; of what reduces only where it makes them more."""
    most = _most_lots(plan, plan.fills.legs)
    if plan.is_reducing and most <= _most_lots(plan, ()):
        return None
    return Found(most, plan.limits.lots_max, lambda: f"{counted(most, 'lot')} would be held")


def _most_lots(plan: Plan, legs: Sequence[tuple[Contract, int]]) -> int:
    units: dict[Kind, int] = {}
    lot = max((c.lot for c in plan.fills.contracts if c.kind is not Kind.STOCK), default=1)
    every = (*_held(plan), *plan.fills.working, *legs)
    for kind in Kind:
        parts = [c.covers(q) if kind is Kind.STOCK else q for c, q in every if c.kind is kind]
        units[kind] = max(sum(q for q in parts if q > 0), -sum(q for q in parts if q < 0))
    return -(-max(units.values()) // lot)


def _held(plan: Plan) -> list[tuple[Contract, int]]:
    """What is held, but for the shares that a person has declared: no lot of the desk's."""
    is_declared = bool(plan.case.position.adopted)
    return [(c, q) for c, q in plan.fills.held if not (is_declared and c.kind is Kind.STOCK)]


def delivery(plan: Plan) -> Found | None:
    """The sessions left until what is opened is settled in shares; of what is settled in cash nothing."""
    rules, case = plan.case.rules, plan.case
    traded = [leg.contract for leg in plan.verdict.legs if leg.contract.kind is not Kind.STOCK]
    ends = [c.expiry for c in traded if ends_physical(rules, c) is not False]  # of which no rule says it: it may be
    if not ends:
        return None
    left = sessions_until(rules, case.day, min(ends))
    return Found(
        left,
        plan.limits.delivery_sessions_min,
        lambda: f"{left} sessions are left until the shares are delivered",
        is_floor=True,
    )


def expiry(plan: Plan) -> Found:
    """The strike value of options sold that expire on one day, of all scrips."""
    sold = dict(plan.after.short)
    for day, value in plan.others.short.items():
        sold[day] = sold.get(day, 0) + value
    day, value = max(sold.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return _of_capital(
        plan,
        value,
        plan.limits.expiry_share_max,
        lambda: f"options sold worth {rupees(value)} at their strikes would expire on {day}",
    )


def margin(plan: Plan) -> Found:
    """The margin that all scrips and orders use, with that of the legs to come, as the brain itself reckons it."""
    return _of_margin(plan, plan.case.account.committed, "be committed", plan.case.weights.margin_share_max)


def concentration(plan: Plan) -> Found:
    """The margin of this scrip alone, with that of the legs to come."""
    symbol = plan.case.scrip.symbol
    return _of_margin(plan, plan.case.account.used.get(symbol, 0), f"lie in {symbol}", plan.limits.margin_share_max)


def _of_margin(plan: Plan, used: int, where: str, limit: float | None) -> Found:
    needed = used + plan.margin
    if isfinite(needed):
        return _of_capital(plan, needed, limit, lambda: f"{rupees(int(needed))} of margin would {where}")
    return _of_capital(plan, needed, limit, lambda: "its margin cannot be reckoned without a price and a volatility")


def drawdown(plan: Plan) -> Found:
    """How far the account is worth less than at its best close."""
    down = plan.case.account.drawdown(plan.before.worth)
    return _of_capital(
        plan, down, plan.limits.drawdown_share_max, lambda: f"the account is {rupees(down)} below its best close"
    )


def known(plan: Plan) -> Found:
    """Every book of the account can be valued, this one and the others'."""
    strange = [name for name in (plan.others.unknown, plan.after.unknown) if name]
    return Found(len(strange), 0, lambda: f"the risk of {' and '.join(strange)} is not known")


def delta(plan: Plan) -> Found:
    """What the underlying of this book's net delta is worth."""
    value = abs(plan.after.delta)
    return _of_capital(plan, value, plan.limits.delta_share_max, lambda: f"net delta would be worth {rupees(value)}")


def vega(plan: Plan) -> Found:
    """What this book gains or loses for a point of volatility."""
    value = abs(plan.after.vega)
    return _of_capital(
        plan, value, plan.limits.vega_share_max, lambda: f"a point of volatility would be worth {rupees(value)}"
    )


def scenario(plan: Plan) -> Found:
    """The worst loss of this book where spot moves by up to a tenth and volatility by up to a half."""
    loss = worst(plan.after.scenarios)
    return _of_capital(
        plan,
        loss,
        plan.limits.scenario_share_max,
        lambda: f"a tenth of spot and half of volatility could lose {rupees(loss)}",
    )


def portfolio_delta(plan: Plan) -> Found:
    """The one long bet on the market that all books together are: deltas times betas."""
    value = abs(plan.others.delta + plan.after.beta_delta)
    return _of_capital(
        plan,
        value,
        plan.limits.portfolio_delta_share_max,
        lambda: f"all books together would be a bet of {rupees(value)} on the market",
    )


def sector_delta(plan: Plan) -> Found | None:
    """The same of the scrips of one sector; a scrip without one stands for itself."""
    sector = plan.case.scrip.sector
    if not sector:
        return None
    value = abs(plan.after.delta + plan.others.sector_delta)
    return _of_capital(
        plan,
        value,
        plan.limits.sector_delta_share_max,
        lambda: f"the books of {sector} together would be worth {rupees(value)} in delta",
    )


def portfolio_scenario(plan: Plan) -> Found:
    """The worst loss of all books where all spots move alike by up to a tenth, and volatilities by up to half."""
    books = [scenarios for scenarios in (plan.after.scenarios, plan.others.scenarios) if scenarios]
    sums = tuple(sum(gains) for gains in zip(*books, strict=True))
    loss = worst(sums)
    return _of_capital(
        plan,
        loss,
        plan.limits.portfolio_scenario_share_max,
        lambda: f"all books together could lose {rupees(loss)} in a tenth of spot and half of volatility",
    )


def _of_capital(plan: Plan, paise: float, limit: float | None, reason: Callable[[], str]) -> Found:
    return Found(plan.share(paise), limit, reason, is_share=True)


BRAIN_CHECKS: tuple[Check, ...] = (
    Check(covered, binds_all=True),
    Check(slicing, binds_all=True),
    Check(price_range, binds_all=True),
    Check(freshness, binds_all=True),
    Check(operating_range, binds_all=True),
    Check(basis, binds_all=True),
    Check(halt, binds_all=True),
    Check(lots, binds_all=True),
    Check(position_limit),
    Check(delivery),
    Check(expiry),
    Check(margin),
    Check(concentration),
    Check(drawdown),
    Check(known),
    Check(delta),
    Check(vega),
    Check(scenario),
    Check(portfolio_delta),
    Check(sector_delta),
    Check(portfolio_scenario),
)
NAMES = tuple(check.name for check in BRAIN_CHECKS)
