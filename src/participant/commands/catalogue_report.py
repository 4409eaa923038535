"""`participant catalogue report`: how good recorded days are, as a page with plots and in short."""

from argparse import Namespace
from datetime import date
from pathlib import Path

from participant.commands.bar import bar
from participant.commands.catalogue import found
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.history import catalogue
from participant.history.measured import Gauge, Measured
from participant.history.official_files import read_official
from participant.history.pages import BadData
from participant.history.readers import days_of
from participant.research.quality_figures import QualityFigures
from participant.research.quality_page import page, summary

PAGE = Path("data-quality.html")


def report(args: Namespace) -> int:
    """Measure catalogues and files and write the page; status 1 where a day of a catalogue cannot be read."""
    target = args.out or PAGE
    try:
        figures = QualityFigures(_measured(args))
        target.write_text(page(figures), encoding="utf-8")
    except BadData as fault:
        raise Refused(f"catalogue: {fault}") from fault
    except OSError as fault:
        raise Refused(f"catalogue: {target} cannot be written: {fault.strerror}; choose another with --out") from fault
    told = {"totals": figures.totals, "scrips": figures.scrips, "days": figures.of.days, "damaged": figures.of.damaged}
    say(args, "\n".join([*summary(figures), "", f"page: {target}"]), told)
    return NEEDS_A_PERSON if figures.of.damaged else DONE


def _measured(args: Namespace) -> Measured:
    folders = [path for path in args.paths if catalogue.is_catalogue(path)]
    others = [path for path in args.paths if path not in folders]
    sources, aside = found(args, others) if others else ([], [])
    wanted = {folder: _names(args, folder) for folder in folders}
    total = sum(map(len, wanted.values())) + sum(len(days_of(source)) for source in sources)
    with bar(args, "measuring", total) as advance:
        gauge = Gauge(read_official(args.paths), load_rules(), lambda: advance(1))
        for source in sources:
            gauge.source(source, args.date)
        for folder, names in wanted.items():
            gauge.catalogue(folder, names)
    return gauge.measured(aside)


def _names(args: Namespace, folder: Path) -> list[tuple[str, date]]:
    """The scrips' days of a catalogue that are asked for, those of which nothing could be used among them."""
    names = {*catalogue.days(folder), *((one.symbol, one.day) for one in catalogue.imports(folder))}
    first, last = args.date or (date.min, date.max)
    asked = sorted((s, day) for s, day in names if (not args.symbols or s in args.symbols) and first <= day <= last)
    if not asked:
        raise BadData(f"{folder} has nothing of these --symbols and --date: `participant catalogue list {folder}`")
    return asked
