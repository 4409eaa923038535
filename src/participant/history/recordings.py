"""From files and folders to a recorded day that can be played: found, read, screened, and with its sessions before."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.core.board import Board, observe
from participant.core.market import LookBack, Reference, Ticks
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.core.snapshot import snapshot
from participant.core.volatility import iv30
from participant.core.wording import counted as counted_as
from participant.history import catalogue, heard, readers
from participant.history.checks import DayFound, Findings, screen
from participant.history.derived import look_back, own_look_back
from participant.history.official import NOTHING, Official
from participant.history.official_files import read_official
from participant.history.pages import BadData, Page, Tally, rounds
from participant.history.readers import Source
from participant.history.recorded import INDICES, RecordedMarket, Recording
from participant.history.shown import ADJUSTED
from participant.history.survey import lots_of
from participant.history.terms import DayTerms, read_terms
from participant.history.units import UNCHECKED, Scale

# A page that repeats the session before is known by it; the longest run of holidays is shorter. What was imported was
# screened then, and is read without the days before.
BEFORE_DAYS = 7
LOOK_BACK_DAYS = 400
ASIDE_SHOWN = 3
WHOLLY_APART = "nothing of it is traded on"
ONE_DAY = datetime.timedelta(days=1)
WATCHLIST = "on the watchlist"

Counted = tuple[str, DayFound]


class Recordings(Struct, frozen=True):
    """What a user points at: chains and official series, in files, folders or a catalogue, and folders of `heard` days.

    `change` is done to every page of the files as it is read: so a check can ask what another future would have done.
    """

    sources: tuple[Source, ...]
    catalogues: tuple[Path, ...]
    official: Official
    aside: tuple[str, ...] = ()
    change: Callable[[Page], Page] | None = None
    heard: tuple[Path, ...] = ()


def open_recordings(paths: Sequence[Path], mapping: Path | None = None) -> Recordings:
    """Find what can be read at these places; BadData where one of them cannot, or where nothing is a chain."""
    catalogues = tuple(path for path in paths if catalogue.is_catalogue(path))
    listened = tuple(path for path in paths if heard.days(path))
    others = [path for path in paths if path not in (*catalogues, *listened)]
    sources, aside = readers.find(others, mapping) if others else ([], [])
    if not sources and not catalogues and not listened:
        why = f" (left aside: {aside[0]})" if aside else ""
        where = ", ".join(map(str, paths))
        raise BadData(f"--data {where}: no recorded chain is in there{why}; docs/catalogue.md says what can be read")
    official = read_official([path for path in paths if path not in listened])
    return Recordings(tuple(sources), catalogues, official, tuple(aside), heard=listened)


def load_day(
    recordings: Recordings,
    day: datetime.date,
    rules: Rulebook,
    symbols: Sequence[str] | None = None,
    where: str = WATCHLIST,
) -> RecordedMarket:
    """The day as it can be played, of all symbols recorded or of these, which stand `where` a person can add to them.

    A day of which nothing can be traded on still settles, if the exchange published its prices: BadData if not.
    """
    tally, counted = Tally(), list[Counted]()
    pages: dict[str, list[Page]] = {}
    origin: dict[str, Source | Path] = {}
    places: list[Source | Path] = [*recordings.sources, *recordings.catalogues]
    for place in places:
        span, found = (day if isinstance(place, Path) else day - BEFORE_DAYS * ONE_DAY, day), Findings()
        by_symbol = _pages(recordings, place, span, rules, (found, tally))
        counted += _counted(place, day, found)
        for symbol, mine in by_symbol.items():
            today = [page for page in mine if _day(page) == day]
            if not today or (symbols is not None and symbol not in symbols):
                continue
            if symbol in origin:
                both = f"{_name(origin[symbol])} and in {_name(place)}"
                raise BadData(f"{symbol} on {day} is in {both}: give one of them")
            pages[symbol], origin[symbol] = today, place
    counted.sort(key=lambda one: one[0])
    official = recordings.official
    notes = [*_notes(counted, symbols), *_unplayed(counted, symbols, where)]
    notes += [*_uncounted(origin, counted), *_left_out(tally), *_aside(recordings.aside)]
    notes += _unchecked(sorted(pages), day, official)
    if not pages and not any(day in closes for closes in official.closes.values()):
        names = ", ".join(symbols or ["any scrip"])
        raise BadData(f"--data has nothing of {names} on {day} that can be traded on: {'; '.join(notes) or 'no rows'}")
    backs = {symbol: _look_back(recordings, place, symbol, day, rules) for symbol, place in origin.items()}
    adjusted = frozenset(symbol for symbol, of in counted if ADJUSTED in of.bad_rows)
    return RecordedMarket(
        day, Recording(pages, backs, tuple(notes), adjusted, _terms(recordings, day)), official, rules
    )


def _terms(recordings: Recordings, day: datetime.date) -> DayTerms:
    """What the masters in all catalogues tell of a day."""
    told = [read_terms(folder, day) for folder in recordings.catalogues]
    of = {key: term for one in told for key, term in one.of.items()}
    return DayTerms(of, {symbol: freeze for one in told for symbol, freeze in one.freezes.items()})


def screened(
    recordings: Recordings, days: tuple[datetime.date, datetime.date], rules: Rulebook
) -> dict[str, list[Page]]:
    """The pages of a span of days that may be traded on, by symbol; BadData where two places have the same day."""
    found: dict[str, list[Page]] = {}
    places: list[Source | Path] = [*recordings.sources, *recordings.catalogues]
    for place in places:
        for symbol, pages in _pages(recordings, place, days, rules, (Findings(), Tally())).items():
            both = {_day(page) for page in pages} & {_day(page) for page in found.get(symbol, [])}
            if both:
                raise BadData(f"{symbol} on {min(both)} is in {_name(place)} and in another place: give one of them")
            found.setdefault(symbol, []).extend(pages)
    return found


def days_in(recordings: Recordings) -> set[datetime.date]:
    """Every day of which anything is recorded, whether it can be traded on or not."""
    days = {day for source in recordings.sources for day, _ in readers.days_of(source)}
    days |= {day for folder in recordings.catalogues for _, day in catalogue.days(folder)}
    days |= {day for folder in recordings.heard for day in heard.days(folder)}
    return days | {one.day for folder in recordings.catalogues for one in catalogue.imports(folder)}


def days_settled(recordings: Recordings) -> set[datetime.date]:
    """Every day of which official closes are known: what is held can be settled on it, recorded or not."""
    return {day for closes in recordings.official.closes.values() for day in closes}


def _pages(
    recordings: Recordings,
    place: Source | Path,
    days: tuple[datetime.date, datetime.date],
    rules: Rulebook,
    counted: tuple[Findings, Tally],
) -> dict[str, list[Page]]:
    """The pages of a span of days that may be traded on, by symbol; the last day's rows are counted."""
    (found, tally), (first, last), change = counted, days, recordings.change
    pages: Iterable[Page]
    if isinstance(place, Path):
        kept = (page for symbol, day in catalogue.days(place) if first <= day <= last
                for page in catalogue.read_day(place, symbol, day))  # fmt: skip
        pages = _near(map(change, kept) if change else kept, rules, recordings.official)
    else:
        lots, eve = lots_of(rules), last - ONE_DAY
        before = readers.read(place, (first, eve), lots, Tally()) if first <= eve else iter(())
        read = chain(before, readers.read(place, (last, last), lots, tally))
        pages = screen(map(change, read) if change else read, rules, found, recordings.official)
    by_symbol: dict[str, list[Page]] = {}
    for page in pages:
        by_symbol.setdefault(page.symbol, []).append(page)
    return by_symbol


def _near(pages: Iterable[Page], rules: Rulebook, official: Official) -> Iterator[Page]:
    """Imported pages, held against official closes that the import may not have known."""
    scale = Scale(rules, official)
    for page in pages:
        if why := scale.far_spot(page):
            raise BadData(
                f"{page.symbol} on {_day(page)}, imported from {page.source}: {why} import it again with them"
            )
        yield page


def _left_out(tally: Tally) -> list[str]:
    """What of the day's rows became no page."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items())
    return [f"left out while reading: {reasons}"] if reasons else []


def _aside(sentences: Sequence[str]) -> list[str]:
    """The first files that were left aside, and how many more sentences there would be."""
    more = len(sentences) - ASIDE_SHOWN
    shown = [f"left aside: {sentence}" for sentence in sentences[:ASIDE_SHOWN]]
    return [*shown, f"left aside: {more} more, which `participant catalogue check` names"] if more > 0 else shown


def _unchecked(symbols: Iterable[str], day: datetime.date, official: Official) -> list[str]:
    """The scrips whose spots were held against nothing that the exchange published."""
    unchecked = [symbol for symbol in symbols if not official.closes_before(symbol, day, 1)]
    return [f"{UNCHECKED}: {', '.join(unchecked)}"] if unchecked else []


def is_wholly_apart(note: str) -> bool:
    """Whether a note says that a scrip's whole day was kept apart."""
    return note.endswith(WHOLLY_APART)


def _counted(place: Source | Path, day: datetime.date, found: Findings) -> list[Counted]:
    """What became of a day's rows, by symbol: as found just now, or in a catalogue as it was when imported."""
    if not isinstance(place, Path):
        return [(symbol, found.days[symbol, on]) for symbol, on in sorted(found.days) if on == day]
    mine = [(one, Path(one.source).name) for one in catalogue.imports(place) if one.day == day]
    return [
        (one.symbol, DayFound(name, one.pages, one.rows, bad_rows=one.apart, bad_quotes=one.bad_quotes))
        for one, name in mine
    ]


def _notes(counted: Sequence[Counted], symbols: Sequence[str] | None) -> list[str]:
    """What was taken and what kept apart of the scrips asked for: rows and quotes by reason.

    Days that are kept apart whole come first.
    """
    notes = []
    for symbol, of in counted:
        if symbols is None or symbol in symbols:
            apart = [f"{counted_as(count, 'row')} {reason}" for reason, count in of.bad_rows.items()]
            apart += [f"{counted_as(count, 'quote')} {reason}" for reason, count in of.bad_quotes.items()]
            taken = f"{of.accepted_rows:,} of {counted_as(of.rows, 'row')} of {of.source} in {of.pages} pages"
            said = f"{symbol}: {taken}" + (f"; kept apart: {', '.join(apart)}" if apart else "")
            notes.append(said if of.pages else f"{said}; {WHOLLY_APART}")
    return sorted(notes, key=lambda note: not is_wholly_apart(note))


def _unplayed(counted: Sequence[Counted], symbols: Sequence[str] | None, where: str) -> list[str]:
    """The scrips that are recorded and were not asked for, and how each is played."""
    rows: dict[str, int] = {}
    for symbol, of in counted:
        if symbols is not None and symbol not in symbols:
            rows[symbol] = rows.get(symbol, 0) + of.rows
    alike = {name.casefold(): name for name in symbols or ()}
    notes = [
        f"{symbol}: {counted_as(count, 'row')} not played: {where} stands {alike[symbol.casefold()]}, in other case; "
        f'a mapping file mends it: [symbol] rename = {{ "{symbol}" = "{alike[symbol.casefold()]}" }}'
        for symbol, count in rows.items()
        if symbol.casefold() in alike
    ]
    others = [
        f"{symbol} ({counted_as(count, 'row')})" for symbol, count in rows.items() if symbol.casefold() not in alike
    ]
    mend = "`participant watchlist set NAME --add is_enabled=true --note WHY` plays one from the next session on"
    mend += "" if where == WATCHLIST else f", if it is {where}"
    return [*notes, f"recorded, but not {where}, so not played: {', '.join(others)}; {mend}"] if others else notes


def _uncounted(origin: Mapping[str, Source | Path], counted: Sequence[Counted]) -> list[str]:
    """The scrips that a catalogue has without a line of their import."""
    known = {symbol for symbol, _ in counted}
    return [
        f"{symbol}: what was kept apart is not known, {place / catalogue.IMPORTS} has no line of it"
        for symbol, place in origin.items()
        if isinstance(place, Path) and symbol not in known
    ]


def _look_back(
    recordings: Recordings, place: Source | Path, symbol: str, day: datetime.date, rules: Rulebook
) -> LookBack:
    """What was known of the sessions before: of an index officially, of a stock from its own recorded days."""
    if symbol in INDICES:
        return look_back(recordings.official, symbol, day)
    # Of its own recorded days: each one's last spot, and the 30-day IV of its last round.
    span = (day - LOOK_BACK_DAYS * ONE_DAY, day - ONE_DAY)
    by_day: dict[datetime.date, list[Page]] = {}
    unchecked = replace(recordings, official=NOTHING)
    for page in _pages(unchecked, place, span, rules, (Findings(), Tally())).get(symbol, []):
        by_day.setdefault(_day(page), []).append(page)
    closes = {on: max(pages, key=lambda page: page.at).spot for on, pages in by_day.items()}
    return own_look_back(closes, {on: _last_iv30(symbol, on, pages, rules) for on, pages in by_day.items()})


def _last_iv30(symbol: str, day: datetime.date, pages: Sequence[Page], rules: Rulebook) -> float:
    """The 30-day IV of a day's last round; `nan` where its chain does not show one."""
    *_, last = rounds(pages)
    market = RecordedMarket(day, Recording({symbol: last}, {}), Official(), rules)
    instant = next(market.instants())
    board = observe(Board("recorded"), Ticks("recorded", instant.at, instant.ticks, is_snapshot=True))
    state = snapshot(board, Reference(symbol, market.contracts(), LookBack()))
    return iv30(state, rules) if state is not None else float("nan")


def _day(page: Page) -> datetime.date:
    return day_of(page.at)


def _name(place: Source | Path) -> str:
    return str(place if isinstance(place, Path) else place.path)
