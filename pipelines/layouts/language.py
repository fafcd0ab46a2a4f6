"""The layout language: how a source's reports print their numbers, as dated data.

Models of a source's own file, nothing else: no bytes are read here. A difference between sources
is a value in these models, never a branch on a source's name. The language works on grids, so it
is the same for workbooks, CSV files and pages.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cached_property
from typing import Literal, Self

import pydantic
from pydantic import Field

from pipelines.layouts.columns import (
    Across,
    Column,
    Dates,
    Dimension,
    KeyColumn,
    Model,
    NumberColumn,
    Pattern,
    Period,
    Texts,
)
from pipelines.layouts.consistency import undated, wrong_columns, wrong_tables
from pipelines.layouts.units import CELL_SCALES, NULL_REASONS, SCALES, clean
from schemas.measures import MEASURES, NULL_KINDS

Container = Literal["xlsx", "csv", "html"]
"""Each is read by the module of that name in `reading.containers`."""


class RowRule(Model):
    """Rows that are not members: totals, footers, notes. Matched on the row's key text or label."""

    text: Texts = Field(description="The key text or label, compared without case.")
    role: Literal["total", "subtotal", "check", "skip"]
    of: Pattern | None = Field(None, description="Of a subtotal: the whole labels of its parts.")
    measure: str | None = Field(None, description="What a footer row measures, if not the flow.")
    period: Period | None = Field(None, description="What span of time the row covers.")

    @pydantic.model_validator(mode="after")
    def _known(self) -> Self:
        if self.measure is not None and self.measure not in MEASURES:
            raise ValueError(f"measure {self.measure!r} is not one of {', '.join(MEASURES)}")
        if (self.role == "subtotal") != (self.of is not None):
            raise ValueError("a subtotal says `of` which labels it is, and no other row does")
        return self


class LabelFrom(Model):
    """Where the label of a whole table stands, if not in a column: sheet, file name or here."""

    sheet: Pattern | None = Field(None, description="Of the sheet's name; group 1 is the label.")
    file: Pattern | None = Field(None, description="Of the file's name; group 1 is the label.")


class Table(Model):
    """One printed table: how to find it and what its columns and rows mean."""

    name: str
    header: tuple[str, ...] = Field(description="Header texts by which the table is found.")
    header_rows: int = Field(1, ge=1, le=10, description="At most so many rows make the header.")
    sheet: Pattern | None = Field(None, description="Of the sheet's whole name.")
    dimension: Dimension = "fund"
    label: LabelFrom | None = None
    columns: dict[str, Column]
    across: Across | None = None
    rows: tuple[RowRule, ...] = ()
    end: Pattern | None = Field(None, description="Of a key text below the table.")
    inception: dt.date | None = Field(None, description="First day of since-inception figures.")
    filling: bool = Field(
        False, description="The newest dated rows are filled in by and by: preliminary until full."
    )
    totals: Literal["reconcile", "exact", "as_declared", "none"] = Field(
        "reconcile",
        description="Parts must equal printed totals within rounding; to the last digit, where the "
        "publisher adds up the printed parts; or only if the report says it is complete.",
    )
    where: dict[str, Texts] = Field(
        {},
        description="Only rows that print one of these texts in a column: one breakdown of many.",
    )
    yields_to: Texts = Field(
        (), description="Tables whose number stands where both print one of a member and period."
    )
    position: bool = Field(False, description="AUM = NAV x shares outstanding on every row.")
    position_within: Decimal = Field(
        Decimal("0.05"),
        gt=0,
        description="By what part of AUM a row may miss that until it is refused (E105).",
    )
    positions_dated: Literal["trade", "settlement"] = Field(
        "trade",
        description="settlement: the shares of a row are those after the session before it (F18).",
    )
    ragged: bool = Field(
        False, description="Rows end with their last value: what is missing at their end is blank."
    )

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        wrong = wrong_columns(self)
        if wrong:
            raise ValueError(f"table {self.name}: {wrong}")
        return self

    @property
    def keys(self) -> list[str]:
        """What the key columns are: date, label..."""
        columns = self.columns.values()
        return [column.key for column in columns if isinstance(column, KeyColumn)]

    @property
    def numbers(self) -> dict[str, NumberColumn]:
        """The columns of numbers, by header."""
        return {
            header: column
            for header, column in self.columns.items()
            if isinstance(column, NumberColumn)
        }

    @cached_property
    def key_column(self) -> str:
        """The header of the column that identifies a row: the date, else the label."""
        keys = {
            column.key: header
            for header, column in self.columns.items()
            if isinstance(column, KeyColumn)
        }
        return keys.get("date") or keys["label"]


class Fact(Model):
    """A fact printed once per report, beside or after its caption: "Data as of", "Published"."""

    caption: Texts
    formats: Dates = ()
    optional: bool = False


class Layout(Model):
    """How reports of one form print their numbers, from a date until the next layout."""

    name: str
    container: Container
    valid_from: dt.date
    valid_until: dt.date | None = Field(None, description="Last content date, if it was replaced.")
    facts: dict[Literal["as_of", "published", "completeness"], Fact] = Field({})
    nulls: dict[str, Literal[NULL_KINDS]] = Field(  # type: ignore[valid-type]
        {}, description="Further words for a missing number: reason."
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="The decimal mark, where the numbers of a report do not show it."
    )
    scales: dict[str, str] = Field(
        {}, description="Scales that cells print, whatever their column does: {b: bn, bn: bn}."
    )
    marks: Texts = Field((), description="Status marks behind a number, no part of it: p, r.")
    tables: tuple[Table, ...] = Field(min_length=1)

    @pydantic.field_validator("scales")
    @classmethod
    def _known_scales(cls, scales: dict[str, str]) -> dict[str, str]:
        for name, scale in scales.items():
            if scale not in SCALES or not (name in CELL_SCALES or re.fullmatch("[a-zA-Z]", name)):
                raise ValueError(f"{name!r}: {scale!r} is no letter and scale, such as b: bn")
        return scales

    @cached_property
    def cell_scales(self) -> dict[str, Decimal]:
        """The declared scales of cells, by what is printed, in lower case."""
        return {name.lower(): SCALES[scale] for name, scale in self.scales.items()}

    @pydantic.model_validator(mode="after")
    def _agree(self) -> Self:
        wrong = wrong_tables(self.tables) or undated(self.tables, self.facts)
        if wrong:
            raise ValueError(wrong)
        return self

    @cached_property
    def null_reasons(self) -> dict[str, str]:
        """All words for a missing number, lower case, with the reason."""
        return {**NULL_REASONS, **{clean(word).lower(): why for word, why in self.nulls.items()}}


def label_in(pattern: str, text: str) -> str | None:
    """Return the label that a pattern finds in a text: group 1, else the whole match.

    Case counts: a ticker such as ARKB must not be found in the name "Ark".
    """
    match = re.fullmatch(pattern, text)
    if match is None:
        return None
    return clean(match[1] if match.re.groups else match[0])
