"""What the header line of a delimited file says: the delimiter, which column is which field, and what the rows are.

Names are matched without case and punctuation, so that `Bid Size`, `bidSize` and `BID_SIZE` are one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from feedsim.errors import ConfigError, SourceError

_ALIASES: dict[str, str] = {
    "ts": "ts timestamp tsevent eventtime datetime dateandtime exchangetime exchangetimestamp transacttime "
    "siptimestamp participanttimestamp epoch epochms unixtime timems timeus timens tsms tsus tsns timestampms "
    "timestampus timestampns",
    "recv": "tsrecv recvtime recvts receivetime receivedtime localtimestamp localtime",
    "date": "date tradedate tradingdate",
    "time": "time tradetime timeofday",
    "symbol": "symbol sym ticker contract instrument rawsymbol ric security",
    "type": "type action recordtype eventtype messagetype msgtype ticktype",
    "price": "price px tradeprice tradepx last lastprice lastpx lasttradeprice",
    "size": "size qty quantity volume vol amount tradesize tradeqty tradevolume lastsize lastqty lastvolume",
    "side": "side aggressor aggressorside tradeside takerside buysell direction",
    "trade_id": "tradeid id execid aggtradeid",
    "bid": "bid bidprice bidpx bidpx00 bestbid bestbidprice bestbidpx bid1 bidprice1",
    "ask": "ask askprice askpx askpx00 bestask bestaskprice bestaskpx ask1 askprice1 offer offerprice bestoffer",
    "bid_size": "bidsize bidsz bidsz00 bidqty bidquantity bidvolume bidvol bidamount bq bestbidsize "
    "bestbidqty bidsize1",
    "ask_size": "asksize asksz asksz00 askqty askquantity askvolume askvol askamount aq bestasksize "
    "bestaskqty asksize1 offersize offerqty",
}
FIELDS = tuple(_ALIASES)
KINDS = ("trade", "quote", "both")
TRADE = ("price", "size")
QUOTE = ("bid", "ask", "bid_size", "ask_size")
_BARS = ("open", "high", "low")


class Layout(NamedTuple):
    """Where each field is in a row, and what a row is: a trade, a quote, or a quote and then a trade."""

    delimiter: str
    names: tuple[str, ...]
    at: dict[str, int]
    kind: str
    has_side_letters: bool
    """Sides are Databento's: A sold, B bought."""

    @property
    def unread(self) -> list[str]:
        return [name for index, name in enumerate(self.names) if index not in self.at.values()]


def read_header(line: str, columns: Mapping[str, str], kind: str | None) -> Layout:
    """The layout of a file by its first line; `columns` names headers by field, over what their names say.

    Raises ConfigError for a field or kind that there is not, SourceError for a header that will not do.
    """
    _check_options(columns, kind)
    delimiter = max(",;\t", key=line.count)
    try:
        names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error as error:
        raise SourceError(f"the header line cannot be read: {str(error).partition(' - ')[0]}", row=1) from None
    if len(names) < 2 or not all(any(letter.isalpha() for letter in name) for name in names if name):
        raise _error("expected a header line with the names of the columns, separated by , ; or tabs", names)
    at = _places(names, columns)
    if "ts" not in at and "time" in at and "date" not in at:
        at["ts"] = at.pop("time")
    if "ts" not in at and "date" not in at:
        raise _error("no column has the time; --option column.ts=<header> names it", names)
    kind = kind or _kind_of(names, at, columns)
    needed = {"trade": TRADE, "quote": QUOTE, "both": (*TRADE, *QUOTE)}[kind]
    if lacking := [name for name in needed if name not in at]:
        raise _error(f"rows of kind {kind} need columns for {', '.join(lacking)}; none has these names", names)
    letters = {"rtype", "bidpx00"} & {_key(name) for name in names}
    return Layout(delimiter, names, at, kind, bool(letters))


def _check_options(columns: Mapping[str, str], kind: str | None) -> None:
    for name in columns:
        if name not in FIELDS:
            raise ConfigError(f"there is no such field; there are {', '.join(FIELDS)}", field=f"option column.{name}")
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"{kind!r}: expected one of {', '.join(KINDS)}", field="option kind")


def _places(names: tuple[str, ...], columns: Mapping[str, str]) -> dict[str, int]:
    keys = [_key(name) for name in names]
    at: dict[str, int] = {}
    for name, header in columns.items():
        if header not in names:
            raise _error(f"no column {header!r}, which is to be {name}", names)
        at[name] = names.index(header)
    for name in FIELDS:
        found = [index for alias in _ALIASES[name].split() for index, key in enumerate(keys) if key == alias]
        free = [index for index in found if index not in at.values()]
        if free and name not in at:
            at[name] = free[0]
    return at


def _key(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _kind_of(names: tuple[str, ...], at: Mapping[str, int], columns: Mapping[str, str]) -> str:
    trades, quotes = all(name in at for name in TRADE), all(name in at for name in QUOTE)
    if trades and not quotes and "price" not in columns and all(name in map(_key, names) for name in _BARS):
        raise _error("these are bars, expected trades or quotes", names)
    if trades and quotes:
        # A last price beside a quote repeats until there is another; a row is a trade only where it says so.
        repeats = _key(names[at["price"]]).startswith("last") and "type" not in at
        return "quote" if repeats else "both"
    if not trades and not quotes:
        raise _error("expected columns for price and size of trades, or for bid, ask, bid_size and ask_size", names)
    return "trade" if trades else "quote"


def _error(problem: str, names: Iterable[str]) -> SourceError:
    return SourceError(f"{problem}; the header has: {', '.join(names)}", row=1)
