"""`participant catalogue`: recorded days brought into one format, listed, and checked."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from participant.commands.bar import bar
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.core.session import day_of
from participant.history import bhavcopy, catalogue
from participant.history.official_files import official_files, read_official
from participant.history.pages import BadData, Page
from participant.history.readers import Source, days_of, find
from participant.history.survey import DaySurvey, SourceSurvey, Surveyor, by_set
from participant.history.units import UNCHECKED


class Checked(Struct, frozen=True):
    """What a check found, source by source, and what was left aside."""

    sources: tuple[SourceSurvey, ...]
    aside: tuple[str, ...]


class Listed(Struct, frozen=True):
    """A symbol and day of a catalogue, and why it cannot be read where that is so."""

    symbol: str
    day: str
    damage: str = ""


def check(args: Namespace) -> int:
    """Read and screen without writing, and say what was found."""
    try:
        sources, aside = found(args, args.paths)
        surveyor = Surveyor(read_official(args.paths), load_rules())
        surveys = [surveyor.survey(source, args.date) for source in _shown(args, sources)]
    except BadData as fault:
        raise Refused(f"catalogue: {fault}") from fault
    say(args, "\n".join(table(surveys, aside)), Checked(tuple(surveys), tuple(aside)))
    return DONE


def bring_in(args: Namespace) -> int:
    """Import what may be traded on, and keep the rest apart beside it."""
    try:
        sources, aside = found(args, args.paths)
        args.into.mkdir(parents=True, exist_ok=True)
        catalogue.keep_official(args.into, official_files(args.paths))
        for source in sources:
            if source.layout == bhavcopy.NAME:
                catalogue.keep_prices(args.into, bhavcopy.prices(source.path, args.date))
        surveyor = Surveyor(read_official(args.paths), load_rules())
        surveys = [_import(args, surveyor, source) for source in _shown(args, sources)]
    except BadData as fault:
        raise Refused(f"catalogue: {fault}") from fault
    except OSError as fault:
        raise Refused(f"catalogue: {args.into} cannot be written: {fault.strerror}; choose another --into") from fault
    say(args, "\n".join(table(surveys, aside)), Checked(tuple(surveys), tuple(aside)))
    return DONE


def show(args: Namespace) -> int:
    """List what a catalogue holds."""
    if not catalogue.is_catalogue(args.folder):
        raise Refused(
            f"{args.folder} is no catalogue: `participant catalogue import PATH --into {args.folder}` makes one"
        )
    try:
        days = [Listed(s, str(d), catalogue.damage(args.folder, s, d)) for s, d in catalogue.days(args.folder)]
    except BadData as fault:
        raise Refused(f"catalogue: {fault}") from fault
    good, bad = [one for one in days if not one.damage], [one for one in days if one.damage]
    lines = []
    for symbol in sorted({one.symbol for one in good}):
        mine = [one.day for one in good if one.symbol == symbol]
        lines.append(f"{symbol:<12} {len(mine):>4} days  {min(mine)} .. {max(mine)}")
    lines += [f"{one.symbol:<12} {one.day} cannot be read: {one.damage}; import it again" for one in bad]
    say(args, "\n".join(lines), tuple(days))
    return NEEDS_A_PERSON if bad else DONE


def found(args: Namespace, paths: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """What can be read at these places of what is asked for; BadData where nothing can."""
    done = [path for path in paths if catalogue.is_catalogue(path)]
    if done:
        raise BadData(f"{done[0]} is a catalogue already; `participant catalogue list {done[0]}` says what it holds")
    sources, aside = find(paths, args.mapping)
    sources = [replace(source, symbols=frozenset(args.symbols or ())) for source in sources]
    if not sources:
        why = f" (left aside: {aside[0]})" if aside else ""
        raise BadData(f"{', '.join(map(str, paths))}: no recorded chain is in there{why}")
    if args.date and not any(args.date[0] <= day <= args.date[1] for s in sources for day, _ in days_of(s)):
        first, last = args.date
        span = f"{first}" if first == last else f"{first}..{last}"
        raise BadData(f"nothing is recorded of --date {span}; leave it out to see what is")
    if args.symbols and not any(days_of(source) for source in sources):
        raise BadData(f"nothing is recorded of --symbols {','.join(args.symbols)}; leave it out to see what is")
    return sources, aside


def _import(args: Namespace, surveyor: Surveyor, source: Source) -> SourceSurvey:
    kept: dict[tuple[str, str], list[Page]] = {}
    apart: dict[tuple[str, str], list[tuple[Page, str]]] = {}
    surveyor.keep = lambda page: kept.setdefault(_name(page), []).append(page)
    surveyor.apart = lambda page, why: apart.setdefault(_name(page), []).append((page, why))
    survey = surveyor.survey(source, args.date)
    for day in survey.days:
        name = (day.symbol, str(day.day))
        counted = (day.pages, day.rows, day.bad_rows, day.bad_quotes)
        done = catalogue.Import(day.symbol, day.day, survey.source, *counted)
        if name in kept or name in apart:
            catalogue.write_day(args.into, done, kept.get(name, []), apart.get(name, []))
    return survey


def _name(page: Page) -> tuple[str, str]:
    return page.symbol, str(day_of(page.at))


def _shown(args: Namespace, sources: Sequence[Source]) -> Iterator[Source]:
    """The sources, with a bar."""
    with bar(args, "reading", len(sources)) as advance:
        for source in sources:
            yield source
            advance(1)


# --- the table --------------------------------------------------------------------------------------------------------

HEAD = (
    "set / symbol | days | none accepted | contracts a day | quotes | rows | rows apart | future error, bp | why apart"
)


def table(surveys: Sequence[SourceSurvey], aside: Iterable[str]) -> list[str]:
    """A line a set and symbol, the totals, and what was left aside."""
    lines = [HEAD, " | ".join("-" * len(part) for part in HEAD.split(" | "))]
    lines += [_line(f"{name} {symbol}", days) for name, symbol, days in by_set(list(surveys))]
    days = [day for survey in surveys for day in survey.days]
    rows, unread = sum(s.rows for s in surveys), sum(n for s in surveys for n in s.left_out.values())
    lines.append(_line("in all", days))
    why = f", of which {unread:,} are of no page ({_reasons([s.left_out for s in surveys])})" if unread else ""
    lines.append(f"rows read: {rows:,}{why}")
    unchecked = sorted({day.symbol for day in days if day.pages and not day.is_checked})
    lines += [f"{UNCHECKED}: {', '.join(unchecked)}"] if unchecked else []
    return [*lines, *(f"left aside: {sentence}" for sentence in aside)]


def _line(name: str, days: Sequence[DaySurvey]) -> str:
    accepted = [day for day in days if day.pages]
    errors = [abs(day.error_bp) for day in days if day.error_bp is not None]
    apart = sum(day.rows - day.accepted_rows for day in days)
    fields = [
        name,
        f"{len(accepted)}",
        f"{len(days) - len(accepted)}",
        f"{median(day.contracts for day in accepted):g}" if accepted else "0",
        f"{sum(day.quotes for day in days):,}",
        f"{sum(day.rows for day in days):,}",
        f"{apart:,}",
        f"{median(errors):.1f} / {max(errors):.1f}" if errors else "-",
    ]
    rows, quotes = (_reasons(day.bad_rows for day in days), _reasons(day.bad_quotes for day in days))
    why = "; ".join(part for part in (rows, f"quotes: {quotes}" if quotes else "") if part)
    return " | ".join([*fields, why or "-"])


def _reasons(counts: Iterable[dict[str, int]]) -> str:
    total: dict[str, int] = {}
    for some in counts:
        for reason, count in some.items():
            total[reason] = total.get(reason, 0) + count
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(total.items(), key=lambda item: -item[1]))
