"""The money and the risk that all scrips share, as one value: cash, margins, greeks, and how far it is down."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace


class BookRisk(Struct, frozen=True, rename="camel"):
    """What a scrip's book can do to the account, all in paise; made by `core/book_risk.py`.

    `delta` is what the underlying of its net delta is worth, `gamma` the change of that for a move of 1 %, `vega` the
    gain for a point of volatility, `theta` that of a day. Delta and vega are the largest (either way) and `scenarios`
    (one gain each of `book_risk.SCENARIOS`) the least that any part of the working orders can lead to. `worth` is what
    is held, at the middle: of futures the gain since they were settled. `short` is the strike value of options sold, by
    day of expiry. `unknown` names a contract that could not be valued.
    """

    delta: int = 0
    gamma: int = 0
    vega: int = 0
    theta: int = 0
    worth: int = 0
    scenarios: tuple[int, ...] = ()
    short: dict[str, int] = {}
    beta: float = 1.0
    sector: str = ""
    unknown: str = ""

    @property
    def beta_delta(self) -> int:
        """The delta in terms of the whole market (paise)."""
        return round(self.delta * self.beta)


class Portfolio(Struct, frozen=True, rename="camel"):
    """What the books of all other scrips can do together (paise), as `BookRisk` has it of one.

    `delta` is that of one long bet on the market: deltas times betas; `sector_delta` that of the books in the same
    sector as the scrip that is decided on, plain. `unknown` names a scrip that uses margin and cannot be valued.
    """

    delta: int = 0
    sector_delta: int = 0
    gamma: int = 0
    vega: int = 0
    theta: int = 0
    worth: int = 0
    scenarios: tuple[int, ...] = ()
    short: dict[str, int] = {}
    unknown: str = ""


class Account(Struct, frozen=True, rename="camel"):
    """Paise. `used` is margin by scrip, `reserved` margin by order that is claimed and not yet filled.

    `peak` is the most that the account was worth at the end of a day; `others` what the other scrips' books can do.
    """

    capital: int
    cash: int
    used: dict[str, int] = {}
    reserved: dict[str, int] = {}
    peak: int = 0
    others: Portfolio = Portfolio()

    @property
    def committed(self) -> int:
        """Margin in use and reserved."""
        return sum(self.used.values()) + sum(self.reserved.values())

    @property
    def fault(self) -> str:
        """Why these figures cannot be, or an empty string: a margin below nothing would be room that is not there."""
        margins = (("used by", self.used), ("reserved by", self.reserved))
        for done, parts in margins:
            for name, margin in parts.items():
                if margin < 0:
                    return f"the margin {done} {name} is {margin:,} paise"
        return f"its best close is {self.peak:,} paise" if self.peak < 0 else ""

    @property
    def free(self) -> int:
        """Cash that no position and no order has a claim on."""
        return self.cash - self.committed

    def drawdown(self, own_worth: int) -> int:
        """How far it is worth less than at its best close, or than its capital where none is known."""
        return max(0, (self.peak or self.capital) - self.cash - self.others.worth - own_worth)


def reserve(account: Account, margins: dict[str, int]) -> Account:
    """The account with margin set aside for these orders (order id -> paise)."""
    return replace(account, reserved={**account.reserved, **{k: v for k, v in margins.items() if v > 0}})


def release(account: Account, order_id: str, margin_left: int = 0) -> Account:
    """The account with an order's reservation cut to `margin_left`; at 0 it is gone."""
    reserved = {k: v for k, v in account.reserved.items() if k != order_id}
    if margin_left > 0 and order_id in account.reserved:
        reserved[order_id] = min(margin_left, account.reserved[order_id])
    return replace(account, reserved=reserved)


def post(account: Account, scrip: str, cash: int, used: int) -> Account:
    """The account after a book event: cash moved, and the scrip's margin in use as it now is."""
    margins = {k: v for k, v in account.used.items() if k != scrip}
    if used > 0:
        margins[scrip] = used
    return replace(account, cash=account.cash + cash, used=margins)


def together(risks: Mapping[str, BookRisk], sector: str, used: Iterable[str]) -> Portfolio:
    """The books of several scrips as one; `used` are the scrips among them that use margin, so must be known."""
    uses = [scrip for scrip in used if scrip not in risks]
    if not risks:
        return Portfolio(unknown=min(uses, default=""))
    short: dict[str, int] = {}
    for day, value in (item for risk in risks.values() for item in risk.short.items()):
        short[day] = short.get(day, 0) + value
    scenarios = [risk.scenarios for risk in risks.values() if risk.scenarios]
    return Portfolio(
        delta=sum(risk.beta_delta for risk in risks.values()),
        sector_delta=sum(risk.delta for risk in risks.values() if sector and risk.sector == sector),
        gamma=sum(risk.gamma for risk in risks.values()),
        vega=sum(risk.vega for risk in risks.values()),
        theta=sum(risk.theta for risk in risks.values()),
        worth=sum(risk.worth for risk in risks.values()),
        scenarios=tuple(sum(gains) for gains in zip(*scenarios, strict=True)),
        short=short,
        unknown=min([*uses, *(s for s, r in risks.items() if r.unknown)], default=""),
    )
