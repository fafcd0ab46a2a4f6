"""The reference rows of sql/reference (or of a world's own folder), asked as on a day."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

UNMAPPED = "unmapped"
ALWAYS = dt.date(1900, 1, 1)
Row = dict[str, str]

SOURCES = Path(__file__).parents[2] / "pipelines" / "defs" / "sources"


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund, by its internal id."""

    fund: str
    name: str
    asset: str
    listing_country: str
    domicile: str
    product_type: str
    exposure: int
    is_hedged: bool
    currency: str
    underlying_currency: str


@dataclass(frozen=True, slots=True)
class Span:
    """What holds from a day to a day, both included."""

    value: str
    first: dt.date
    last: dt.date | None

    def holds(self, day: dt.date) -> bool:
        """Whether it holds on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Action:
    """A corporate action of a fund."""

    kind: str
    day: dt.date
    fund: str
    counterpart: str
    shares_new: Decimal
    shares_old: Decimal
    fraction: Decimal
    amount_usd: Decimal
    per_share: Decimal


@dataclass(frozen=True, slots=True)
class Holding:
    """A fund that holds another one, over time (E20, E21)."""

    holds: str
    weight: Decimal
    span: Span


class Reference:
    """All reference rows, with the questions that the oracle asks of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._funds: dict[str, list[tuple[Span, Fund]]] = defaultdict(list)
        for row in self._rows("fund"):
            self._funds[row["fund"]].append((_span(row, row["fund"]), _fund(row)))
        self.directions = {row["asset"]: int(row["direction"]) for row in self._rows("asset")}
        self.actions = [_action(row) for row in self._rows("corporate_action")]
        self.fx_holidays = {_day(row["holiday"]) for row in self._rows("fx_holiday")}
        self._calendars = {
            row["market"]: (_day(row["first_day"]), _day(row["last_day"]))
            for row in self._rows("market")
        }
        self._exceptions = {
            (row["market"], _day(row["day"])): row["is_open"] == "true"
            for row in self._rows("market_exception")
        }
        self._issuers = _spans(self._rows("fund_issuer"), "fund", "issuer")
        self._sponsors = _spans(self._rows("issuer_sponsor"), "issuer", "sponsor")
        self._holdings: dict[str, list[Holding]] = defaultdict(list)
        for row in self._rows("fund_holding"):
            holding = Holding(row["holds"], Decimal(row["weight"]), _span(row, row["holds"]))
            self._holdings[row["fund"]].append(holding)
        self._labels: dict[tuple[str, str], list[Span]] = defaultdict(list)
        for row in [*self._rows("alias"), *_labels_of_sources()]:
            key = row["dimension"], row["label"].lower()
            self._labels[key].append(_span(row, row["member"]))
        for row in self._rows("fund_identifier"):
            self._labels["fund", row["identifier"].lower()].append(_span(row, row["fund"]))
        self._names = self._member_names()

    def member(self, dimension: str, label: str, day: dt.date) -> str:
        """Return what a printed label means in tables of a dimension, on a day (E41, E42)."""
        if dimension == "total" or label.lower() == "total":
            return "total"
        return _on(self._labels.get((dimension, label.lower()), []), day)

    def is_session(self, market: str, day: dt.date) -> bool | None:
        """Return whether a market trades on a day; None: its calendar does not reach so far."""
        first, last = self._calendars[market]
        if not first <= day <= last:
            return None
        return self._exceptions.get((market, day), day.isoweekday() < 6)

    def fund(self, fund: str, day: dt.date) -> Fund | None:
        """Return what a fund is on a day (E109)."""
        return next((each for span, each in self._funds[fund] if span.holds(day)), None)

    def since(self, fund: str, day: dt.date) -> dt.date:
        """Return from which day on a fund is what it is on a day, and whose (E39, E84, E109)."""
        spans = [span for span, _ in self._funds[fund]]
        for issuer in self._issuers[fund]:
            spans += [issuer, *self._sponsors[issuer.value]]
        edges = [each.first for each in spans]
        edges += [each.last + dt.timedelta(days=1) for each in spans if each.last]
        return max((each for each in edges if each <= day), default=ALWAYS)

    def issuer(self, fund: str, day: dt.date) -> str:
        """Return the issuer of a fund on a day (E39)."""
        return _on(self._issuers[fund], day)

    def issuer_today(self, fund: str) -> str:
        """Return the issuer that a fund still has."""
        return next((each.value for each in self._issuers[fund] if each.last is None), UNMAPPED)

    def sponsor(self, issuer: str, day: dt.date) -> str:
        """Return the firm behind an issuer on a day (E40)."""
        return _on(self._sponsors[issuer], day)

    def holdings(self, fund: str, day: dt.date) -> list[Holding]:
        """Return which funds a fund holds on a day."""
        return [each for each in self._holdings[fund] if each.span.holds(day)]

    def name(self, dimension: str, member: str) -> str:
        """Return a member's name for display; a member without one goes by its code."""
        return self._names.get((dimension, member), member)

    def of(self, fund: str, *kinds: str) -> list[Action]:
        """Return the corporate actions of a fund, by day."""
        found = [each for each in self.actions if each.fund == fund and each.kind in kinds]
        return sorted(found, key=lambda each: (each.day, each.kind))

    def structural(self, fund: str, after: dt.date, last: dt.date) -> Decimal:
        """Return the money that only changed vehicles after a day, up to another (E18)."""
        actions = self.of(fund, "structural")
        return sum((each.amount_usd for each in actions if after < each.day <= last), Decimal(0))

    def _member_names(self) -> dict[tuple[str, str], str]:
        names = {("total", "total"): "Total"}
        for dimension in ("fund", "asset", "issuer", "country", "product_type"):
            for row in sorted(self._rows(dimension), key=lambda row: row.get("valid_from") or ""):
                names[dimension, row[dimension]] = row[f"{dimension}_name"]
        for row in self._rows("issuer"):
            names["issuer_as_is", row["issuer"]] = row["issuer_name"]
        for dimension in ("asset", "issuer", "country"):
            names[dimension, "other-derived"] = "Other (derived)"
        every = ("fund", "asset", "issuer", "issuer_as_is", "sponsor", "country", "product_type")
        for dimension in every:
            names[dimension, UNMAPPED] = "Unmapped"
        return names

    def _rows(self, table: str) -> list[Row]:
        with (self._folder / f"{table}.csv").open(encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))


def _labels_of_sources() -> list[Row]:
    """Return the labels that only one source prints; they stand beside its layouts."""
    files = sorted(SOURCES.glob("*/labels.csv"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [row for text in texts for row in csv.DictReader(io.StringIO(text))]


def _on(spans: list[Span], day: dt.date) -> str:
    return next((each.value for each in spans if each.holds(day)), UNMAPPED)


def _spans(rows: list[Row], key: str, value: str) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(_span(row, row[value]))
    return found


def _span(row: Row, value: str) -> Span:
    return Span(value, _day(row["valid_from"]), _day(row["valid_to"]) if row["valid_to"] else None)


def _fund(row: Row) -> Fund:
    return Fund(
        fund=row["fund"],
        name=row["fund_name"],
        asset=row["asset"],
        listing_country=row["listing_country"] or UNMAPPED,
        domicile=row["domicile"] or UNMAPPED,
        product_type=row["product_type"],
        exposure=int(row["leverage"]) * int(row["direction"]),
        is_hedged=row["is_hedged"] == "true",
        currency=row["currency"],
        underlying_currency=row["underlying_currency"],
    )


def _action(row: Row) -> Action:
    return Action(
        kind=row["kind"],
        day=_day(row["effective_date"]),
        fund=row["fund"],
        counterpart=row["counterpart"],
        shares_new=Decimal(row["shares_new"] or 1),
        shares_old=Decimal(row["shares_old"] or 1),
        fraction=Decimal(row["fraction"] or 0),
        amount_usd=Decimal(row["amount_usd"] or 0),
        per_share=Decimal(row["per_share"] or 0),
    )


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
