"""Small worlds for tests of the bridge: synthetic reports in, mart rows out.

A world has its own warehouse and its own reference rows (the project's, and what a test appends).
Every example is a source of its own, so that one build answers many tests. Nothing here asserts.

Reports are long tables `date,fund,shares,nav,aum,flow,coins,earned,close` of which a test writes
the columns that it needs. Shares and money are in millions, as METHODOLOGY prints its examples;
NAV is money a share. A report is in one currency; a source may have reports in several.
"""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import steps

from pipelines.database.models import SQL
from pipelines.ingest.sources import source_of
from pipelines.layouts.source import Source, parse_source
from pipelines.store import archive
from pipelines.store.paths import PROJECT, Warehouse
from schemas import catalog

ECB = source_of(PROJECT / "pipelines" / "defs" / "sources" / "ecb")
CURRENCIES = ("USD", "CAD", "EUR")
EFFECTS = ("net_flow", "market_effect", "fx_effect", "corporate_action", "universe_effect")
DIMENSIONS = (
    "fund", "asset", "issuer", "issuer_as_is", "sponsor", "country", "product_type", "total",
)  # fmt: skip
Rows = list[dict[str, Any]]


def m(millions: str | int) -> Decimal:
    """Return an amount printed in millions as money, to the cent."""
    return (Decimal(millions) * 1_000_000).quantize(Decimal("0.01"))


def day(text: str) -> dt.date:
    """Return a date from its ISO form."""
    return dt.date.fromisoformat(text)


def _layout(currency: str) -> dict[str, Any]:
    """One layout a currency, told apart by the header of the label."""
    stock = {"optional": True}
    flow = {"optional": True, "period": "day"}
    return {
        "name": f"days_{currency.lower()}",
        "container": "csv",
        "valid_from": "1990-01-01",
        "tables": [
            {
                "name": "days",
                "header": ["date", f"fund_{currency.lower()}"],
                "totals": "none",
                "columns": {
                    "date": {"key": "date", "formats": ["%Y-%m-%d"]},
                    f"fund_{currency.lower()}": {"key": "label"},
                    "shares": {**stock, "measure": "shares_outstanding", "unit": "million shares"},
                    "nav": {**stock, "measure": "nav", "unit": f"{currency}/share"},
                    "close": {**stock, "measure": "market_price", "unit": f"{currency}/share"},
                    "aum": {**stock, "measure": "aum", "unit": f"{currency} m"},
                    "flow": {**flow, "measure": "net_flow", "unit": f"{currency} m"},
                    "coins": {**stock, "measure": "coins_held", "unit": "coins"},
                    "earned": {**flow, "measure": "coins_earned", "unit": "coins"},
                },
            }
        ],
    }


def _weekly_assets() -> dict[str, Any]:
    return {
        "name": "weekly_assets",
        "container": "csv",
        "valid_from": "1990-01-01",
        "tables": [
            {
                "name": "assets",
                "header": ["date", "asset"],
                "totals": "none",
                "dimension": "asset",
                "columns": {
                    "date": {"key": "date", "formats": ["%Y-%m-%d"]},
                    "asset": {"key": "label"},
                    "flow": {"measure": "net_flow", "unit": "USD m", "period": "week"},
                },
            }
        ],
    }


def source(name: str, **attributes: Any) -> Source:
    """Return a synthetic source; attributes replace those of a plain one."""
    declared = {
        "title": name,
        "publisher": "The test",
        "url": "https://example.org",
        "universe": "synthetic funds",
        "prints": "week",  # else a report that lacks a day would be put on hold
        "week": {"ends": "friday", "first": "1990-01-05", "in_progress": True},
        "layouts": [*map(_layout, CURRENCIES), _weekly_assets()],
    }
    return parse_source(name, {**declared, **attributes}, "inline")


@dataclass
class BridgeWorld:
    """A warehouse and a folder of reference rows, filled first, published once, then queried."""

    root: Path
    sources: dict[str, Source] = field(default_factory=dict)
    reports: int = 0
    funds: set[str] = field(default_factory=set)
    markets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        shutil.copytree(SQL / "reference", self.reference)

    @property
    def reference(self) -> Path:
        return self.root / "reference"

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root / "warehouse")

    # -- reference rows ------------------------------------------------------------------------

    def refer(self, table: str, **values: object) -> None:
        """Append one row to a reference table: of all times, and columns not named are empty."""
        file = self.reference / f"{table}.csv"
        if not file.exists():
            columns = catalog.columns(catalog.contract_of(f"reference.{table}"))
            file.write_text(",".join(column.name for column in columns) + "\n", encoding="utf-8")
        columns = file.read_text(encoding="utf-8").splitlines()[0].split(",")
        assert set(values) <= set(columns), (table, values)
        if "valid_from" in columns:
            values = {"valid_from": "1900-01-01", **values}
        with file.open("a", newline="", encoding="utf-8") as opened:
            csv.writer(opened, lineterminator="\n").writerow(
                [_text(values.get(column)) for column in columns]
            )

    def issuer(self, issuer: str, *, sponsor: str | None = None) -> None:
        """Add an issuer, and the firm behind it."""
        self.refer("issuer", issuer=issuer, issuer_name=issuer.title())
        self.refer(
            "issuer_sponsor",
            issuer=issuer,
            brand=issuer.title(),
            sponsor=sponsor or f"{issuer.title()} Inc.",
            valid_from="1900-01-01",
        )

    def fund(
        self,
        fund: str,
        *labels: str,
        issuer: str | None = "other",
        asset: str = "BTC",
        **values: object,
    ) -> None:
        """Add a fund with its labels (else its id before the dash, in capitals) and issuer.

        Or, of a fund that is there, what it is from some day on.
        """
        country = fund[-2:].upper()
        self.refer(
            "fund",
            **{
                "fund": fund,
                "fund_name": fund.title(),
                "asset": asset,
                "currency": "USD",
                "listing_country": country,
                "domicile": country,
                "product_type": "spot_etf",
                "leverage": 1,
                "direction": 1,
                "is_hedged": False,
                "underlying_currency": "USD",
                **values,
            },
        )
        if fund in self.funds:
            return
        self.funds.add(fund)
        for label in labels or (fund[:-3].upper(),):
            self.refer("fund_identifier", fund=fund, kind="ticker", identifier=label)
        if issuer:
            self.refer("fund_issuer", fund=fund, issuer=issuer)

    def action(self, kind: str, effective_date: str, fund: str, **values: object) -> None:
        """Add a corporate action."""
        self.refer(
            "corporate_action",
            kind=kind,
            effective_date=effective_date,
            fund=fund,
            read_from="the test",
            **values,
        )

    # -- reports -------------------------------------------------------------------------------

    def report(
        self,
        name: str,
        table: str | Iterable[Mapping[str, object]],
        *,
        currency: str = "USD",
        received: str | None = None,
        **attributes: Any,
    ) -> None:
        """Archive a report of a source: CSV text, or rows; attributes declare the source."""
        declared = self.sources.get(name)
        if declared is None or attributes:
            declared = self.sources[name] = source(name, **attributes)
        text = textwrap.dedent(table).strip() if isinstance(table, str) else _csv(table)
        header, _, body = text.partition("\n")
        header = header.replace("fund", f"fund_{currency.lower()}")
        self._archive(name, f"{header}\n{body}\n".replace(" ", ""), received)

    def rates(self, rates: Mapping[str, Mapping[str, object]]) -> None:
        """Archive euro reference rates in the form of the ECB's file: units for one euro."""
        self.sources["ecb"] = ECB
        currencies = list(dict.fromkeys(name for each in rates.values() for name in each))
        lines = [f"Date,{','.join(currencies)},"]
        for date in sorted(rates, reverse=True):
            printed = [_text(rates[date].get(name, "N/A")) for name in currencies]
            lines.append(f"{date},{','.join(printed)},")
        self._archive("ecb", "\n".join(lines) + "\n", None)

    def _archive(self, source: str, text: str, received: str | None) -> None:
        self.reports += 1
        file = self.root / "files" / f"{self.reports}.csv"
        file.parent.mkdir(exist_ok=True)
        # The same bytes in two sources would be one report: blank lines tell them apart.
        file.write_text(text + "\n" * self.reports, encoding="utf-8")
        clock = dt.datetime.fromisoformat(received) if received else None
        archive.add(self.warehouse, source, file, received=clock)

    # -- built ---------------------------------------------------------------------------------

    def publish(self, *, as_of: str | None = None, target: str | None = None) -> BridgeWorld:
        """Read all reports and publish the database, with this world's reference rows."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FUNDFLOWS_REFERENCE", str(self.reference))
            for each in self.sources.values():
                weeks = steps.due(self.warehouse, each)
                failed = [
                    line
                    for result in steps.ingest(self.warehouse, each, weeks)
                    for line in result.failures
                ]
                assert not failed, failed
            steps.publish(
                self.warehouse,
                list(self.sources.values()),
                as_of=dt.datetime.fromisoformat(as_of) if as_of else None,
                target=self.root / target if target else None,
            )
        return self

    def rows(self, sql: str, *parameters: object, target: str | None = None) -> Rows:
        """Query the published database; each row by column."""
        file = self.root / target if target else self.warehouse.database
        with closing(duckdb.connect(str(file), read_only=True)) as connection:
            connection.execute("set timezone = 'UTC'")
            answer = connection.execute(sql, parameters)
            names = [column[0] for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def one(self, sql: str, *parameters: object, target: str | None = None) -> dict[str, Any]:
        """Return the single row of a query."""
        (row,) = self.rows(sql, *parameters, target=target)
        return row

    def bridge(self, source: str, week: str, fund: str | None = None) -> dict[str, Any]:
        """Return the bridge of a source's fund (or of its only one) in a week."""
        return self.one(
            "from mart.fund_bridge "
            "where source = ? and week_ending = ? and fund = coalesce(?, fund)",
            source,
            day(week),
            fund,
        )

    def flow(
        self, source: str, week: str, dimension: str = "total", member: str = "total"
    ) -> dict[str, Any]:
        """Return a row of mart.flows."""
        return self.one(
            "from mart.flows where source = ? and week_ending = ? and dimension = ? and member = ?",
            source,
            day(week),
            dimension,
            member,
        )

    def flows(self, source: str, week: str, dimension: str) -> dict[str, Decimal]:
        """Return the net flow of every member of a dimension."""
        return {
            row["member"]: row["net_flow_usd"]
            for row in self.rows(
                "from mart.flows where source = ? and week_ending = ? and dimension = ?",
                source,
                day(week),
                dimension,
            )
        }

    def change(
        self, source: str, week: str, dimension: str = "total", member: str = "total"
    ) -> dict[str, Any]:
        """Return a row of mart.aum_change."""
        return self.one(
            "from mart.aum_change "
            "where source = ? and week_ending = ? and dimension = ? and member = ?",
            source,
            day(week),
            dimension,
            member,
        )


def effects(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return flow, market, FX, corporate action and universe of a bridge."""
    return {name: row[f"{name}_usd"] for name in EFFECTS}


def expected(**millions: str | int) -> dict[str, Decimal]:
    """Return effects in money from millions; those not named are 0."""
    names = dict(zip(("F", "M", "X", "C", "U"), EFFECTS, strict=True))
    return {name: m(millions.get(letter, 0)) for letter, name in names.items()}


def closes(row: Mapping[str, Any]) -> bool:
    """F4: the opening AUM and all effects make the closing AUM, to the cent."""
    explained = sum((row[f"{name}_usd"] or 0 for name in EFFECTS), start=row["aum_open_usd"])
    return bool(explained == row["aum_close_usd"])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)


def _csv(rows: Iterable[Mapping[str, object]]) -> str:
    listed = list(rows)
    columns = list(dict.fromkeys(name for row in listed for name in row))
    lines = [",".join(columns)]
    lines += [",".join(_text(row.get(name)) for name in columns) for row in listed]
    return "\n".join(lines)
