"""Made F&O bhavcopies in both formats: chains by Black-76 around a spot, futures at carry."""

import csv
import datetime
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from participant.core.pricing import price

OLD = (
    "INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS,VAL_INLAKH,OPEN_INT,"
    "CHG_IN_OI,TIMESTAMP,"
)
UDIFF = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,"
    "ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
)
CARRY, VOLATILITY = 0.06, 0.16


class Row(NamedTuple):
    """A contract's day: its kind is CE, PE or XX (a future); traded lots and open units."""

    symbol: str
    expiry: datetime.date
    strike: float
    kind: str
    close: float
    settle: float
    lots: int
    open_units: int
    spot: float
    lot: int = 75


def chain(
    day: datetime.date, symbol: str, spot: float, expiries: Sequence[datetime.date], strikes: Iterable[float]
) -> list[Row]:
    """Futures and options of these expiries; each trades, and on its last day settles at its underlying's close."""
    rows = []
    for expiry in expiries:
        years = (expiry - day).days / 365
        forward = round(spot * (1 + CARRY * years), 1)
        is_last = expiry == day
        rows.append(Row(symbol, expiry, 0, "XX", forward, spot if is_last else forward, 900, 75_000, spot))
        for strike in strikes:
            for kind in ("CE", "PE"):
                fair = price(kind == "CE", forward, float(strike), 1.0, VOLATILITY * max(years, 1e-6) ** 0.5)
                close = max(0.05, round(fair * 20) / 20)
                rows.append(Row(symbol, expiry, strike, kind, close, spot if is_last else close, 40, 7_500, spot))
    return rows


def old(day: datetime.date, rows: Iterable[Row]) -> str:
    """A bhavcopy of before July 2024: nobody's spot, nobody's lot, and no settlement of options on their last day."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(OLD.split(","))
    for one in rows:
        what = "FUTIDX" if one.kind == "XX" else "OPTIDX"
        settle = 0 if one.kind != "XX" and one.expiry == day else one.settle
        figures = (0, 0, 0, one.close, settle, one.lots, 0, one.open_units, 0)
        name = (what, one.symbol, f"{one.expiry:%d-%b-%Y}", f"{one.strike:g}", one.kind)
        write.writerow([*name, *figures, f"{day:%d-%b-%Y}".upper(), ""])
    return out.getvalue()


def udiff(day: datetime.date, rows: Iterable[Row], *, is_stock: bool = False) -> str:
    """A bhavcopy of since July 2024."""
    out = io.StringIO()
    write = csv.DictWriter(out, UDIFF.split(","), restval="", lineterminator="\n")
    write.writeheader()
    for one in rows:
        what = ("ST" if is_stock else "ID") + ("F" if one.kind == "XX" else "O")
        write.writerow({
            "TradDt": day, "BizDt": day, "Sgmt": "FO", "Src": "NSE", "FinInstrmTp": what, "TckrSymb": one.symbol,
            "XpryDt": one.expiry, "StrkPric": f"{one.strike:.2f}", "OptnTp": "" if one.kind == "XX" else one.kind,
            "ClsPric": f"{one.close:.2f}", "LastPric": f"{one.close:.2f}", "UndrlygPric": f"{one.spot:.2f}",
            "SttlmPric": f"{one.settle:.2f}", "OpnIntrst": one.open_units, "TtlTradgVol": one.lots,
            "NewBrdLotQty": one.lot,
        })  # fmt: skip
    return out.getvalue()


def udiff_name(day: datetime.date) -> str:
    """What the exchange calls it."""
    return f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv"


def old_name(day: datetime.date) -> str:
    """What the exchange called it."""
    return f"fo{day:%d%b%Y}bhav.csv".replace(f"{day:%b}", f"{day:%b}".upper())


def zipped(folder: Path, name: str, text: str) -> Path:
    """A CSV in a zip of its own, as the exchange serves it."""
    file = folder / f"{name}.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, text)
    return file
