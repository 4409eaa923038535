"""What a tear sheet says in words and figures: how to read the result, and the summary for a terminal."""

from collections.abc import Iterable
from itertools import pairwise

from participant.core.scrip import Weights
from participant.core.wording import counted, rupees
from participant.research.sheet import SERIES, Line, Month, Sheet
from participant.research.statistics import A_YEAR, LEVEL, RESAMPLES, RETURNS_MIN, SEED, block_length

JUMP = 0.25  # an index or a stock that trades futures hardly moves so far between two closes
RATIOS = ("Sharpe ratio", "Sortino ratio", "skewness", "beta to the other", "up capture", "down capture")


def share(value: float, digits: int = 1) -> str:
    """A share with its sign, in per cent: `+1.8 %`."""
    return f"{100 * value:+.{digits}f} %"


def figure(name: str, value: float | None) -> str:
    """A statistic as its kind is written; a dash where it is not defined."""
    if value is None:
        return "–"
    if name in RATIOS:
        return f"{round(value, 2) + 0.0:.2f}"  # never -0.00
    return share(value) if "return" in name else f"{100 * value:.1f} %"


def interval(line: Line) -> str:
    """Between what it lies, or nothing."""
    if line.interval is None:
        return ""
    return f"{figure(line.name, line.interval.low)} to {figure(line.name, line.interval.high)}"


def method(sheet: Sheet) -> str:
    """How the intervals were made."""
    count = len(sheet.returns["worth"])
    if count < RETURNS_MIN:
        return f"Fewer than {RETURNS_MIN} days: no intervals are given."
    return (
        f"Intervals hold {LEVEL:.0%} of {RESAMPLES:,} resamples of the daily returns (circular block bootstrap, blocks "
        f"of {counted(block_length(count), 'day')}, seed {SEED}). They know of no day that is not in the sample."
    )


def readings(sheet: Sheet) -> list[str]:
    """What is to be borne in mind with this result: sentences, the weightiest first."""
    return [
        *_jumps(sheet),
        *_status(sheet),
        *_length(sheet),
        *_held(sheet),
        *_costs(sheet),
        *_quotes(sheet),
        *_weights(sheet),
    ]


def _jumps(sheet: Sheet) -> Iterable[str]:
    """The books know of no split and no bonus: shares, strikes and benchmarks stay as they were bought."""
    for scrip, rows in sheet.of_scrips.items():
        for before, after in pairwise(row for row in rows if row["spot"]):
            move = after["spot"] / before["spot"] - 1
            if abs(move) > JUMP:
                said = f"{scrip} moved {share(move)} from {before['day']} to {after['day']}"
                yield f"{said}: if that is a split or a bonus, nothing was adjusted for it, and all is wrong by it."


def _status(sheet: Sheet) -> Iterable[str]:
    skipped = sheet.of.counts.get("days not played", 0)
    if sheet.of.status == "stopped":
        yield "The run was stopped before its end: what was held could not be settled at an official price."
    if skipped:
        yield f"{counted(skipped, 'recorded day')} could not be played."
    if gaps := sheet.of.counts.get("sessions not recorded", 0):
        yield f"Of {counted(gaps, 'session')} nothing is recorded of some underlying: nothing was decided on it there."
    for name in SERIES:
        if name not in sheet.series:
            yield f"There is nothing to say of the {SERIES[name]}: an official close or a call of it is not known."


def _length(sheet: Sheet) -> Iterable[str]:
    days, contracts = len(sheet.days), len(sheet.written)
    few = f"{counted(days, 'day')} and {counted(contracts, 'option contract')}"
    if days < A_YEAR:
        yield f"{few} are a thin history: no return is annualised, and what a year has in it may not be in here."
    if not contracts:
        yield "Nothing was sold: this is a result of waiting, not of the strategy."
        return
    for name, lines in sheet.beside.items():
        line = lines[0]
        if line.interval is not None and line.value is not None:
            is_sure = line.interval.low > 0 or line.interval.high < 0
            said = "more than chance makes, at this level" if is_sure else "0 is among them, it may be chance"
            yield f"The return less that of the {SERIES[name]} is {share(line.value)} ({interval(line)}): {said}."


def _held(sheet: Sheet) -> Iterable[str]:
    if sheet.written:
        mean = sum(sheet.exposure) / len(sheet.exposure)
        yield (
            f"On average the cover held was worth {100 * mean:.0f} % of the book; cover alone and the overwrite hold "
            "100 %. The desk's cash earned nothing here, nor did it pay for futures beyond their margin."
        )


def _costs(sheet: Sheet) -> Iterable[str]:
    received, charges = sum(one.received for one in sheet.sold), -sheet.attribution["charges"]
    if received:
        basis = sheet.attribution["cover: basis, spread and roll"]
        yield (
            f"Charges took {100 * charges / received:.1f} % of the premium received ({rupees(charges)} of "
            f"{rupees(received)}); basis, spread and roll of the cover made {rupees(basis)}."
        )


def _quotes(sheet: Sheet) -> Iterable[str]:
    (options, modelled), (covers, derived) = sheet.modelled["options"], sheet.modelled["covers"]
    if options and modelled:
        of = f"{modelled:,} of {counted(options, 'fill')} of options"
        yield f"{of} were at quotes of a model of the spread, not at recorded ones."
    if covers and derived:
        said = f"{derived:,} of {counted(covers, 'fill')} of covers were at derived quotes"
        errors = sorted(error for found in sheet.derived_errors.values() for error in found)
        if errors:
            off = errors[len(errors) // 2]
            value = sum(row["value"] for row in sheet.fills if not row["contract"].endswith(("CE", "PE")))
            said += f"; derived futures lay {off:.0f} basis points from their official closes at the ends of the days, "
            said += (
                f"at the median: on each of these fills, all one way, that would be {rupees(round(value * off / 1e4))}"
            )
        yield f"{said}."


def _weights(sheet: Sheet) -> Iterable[str]:
    shipped = {name: getattr(Weights(), name) for name in Weights.__struct_fields__}
    others = {
        f"{name}={value}"
        for weights in sheet.of.weights.values()
        for name, value in weights.items()
        if name in shipped and shipped[name] != value
    }
    if others:
        yield f"These are not the weights that ship: {', '.join(sorted(others))}."


def summary(sheet: Sheet) -> str:
    """The sheet for a terminal."""
    of, days = sheet.of, counted(len(sheet.days), "day")
    lines = [
        f"{of.strategy} on {', '.join(of.scrips)}, {of.since} to {of.until} ({of.status}), {days}",
        f"{rupees(of.capital)} became {rupees(of.worth)}: {rupees(sheet.gain)} after charges",
        "",
        f"{'':<26}" + "".join(f"{SERIES[name]:>34}" for name in sheet.series),
    ]
    for rows in zip(*(sheet.lines[name] for name in sheet.series), strict=True):
        cells = [f"{figure(line.name, line.value)}  ({interval(line) or 'no interval'})" for line in rows]
        lines.append(f"{rows[0].name:<26}" + "".join(f"{cell:>34}" for cell in cells))
    lines += ["", "made by"]
    lines += [f"  {name:<34}{rupees(paise):>16}" for name, paise in sheet.attribution.items()]
    lines += [f"  {'in all':<34}{rupees(sheet.gain):>16}", ""]
    lines += [_month(month) for month in sheet.months]
    return "\n".join([*lines, "", *(f"- {said}" for said in readings(sheet)), f"- {method(sheet)}"])


def _month(month: Month) -> str:
    return f"{month.month}  " + "   ".join(f"{SERIES[name]} {share(r, 2)}" for name, r in month.returns.items())


def figures(sheet: Sheet) -> dict[str, object]:
    """The same for machines: returns and shares as fractions, money in paise."""
    return {
        "days": len(sheet.days),
        "capital": sheet.of.capital,
        "gain": sheet.gain,
        "statistics": {name: _of(lines) for name, lines in sheet.lines.items()},
        "beside": {name: _of(lines) for name, lines in sheet.beside.items()},
        "attribution": sheet.attribution,
        "months": {month.month: month.returns for month in sheet.months},
        "exposure": sum(sheet.exposure) / len(sheet.exposure),
        "readings": readings(sheet),
    }


def _of(lines: list[Line]) -> dict[str, object]:
    return {line.name: {"value": line.value, "interval": line.interval} for line in lines}
