"""The layout language: how a source's reports print their numbers, as dated data.

Models of a source's own file and nothing else: no bytes are read here. A difference between
sources is a value in these models, never a branch on a source's name. The language works on
grids, so it is the same for workbooks, CSV files and pages.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from pipelines.reports.errors import LayoutError, Where
from pipelines.reports.grids import Container
from pipelines.reports.numbers import NULL_REASONS, Unit, clean, parse_unit
from pipelines.reports.weeks import Weekday
from schemas.measures import MEASURES, NULL_KINDS, PERIODS

Period = Literal[PERIODS]  # type: ignore[valid-type]
Dimension = Literal["fund", "asset", "issuer", "country", "currency", "total", "check"]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiled)]
"""A regular expression of a whole text; case counts."""

Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text or several, any of which will do."""


class _Model(pydantic.BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _kind_of_unit(base: str) -> str:
    """Return a base unit with any currency as `money`."""
    currency = Unit(base).currency
    return base.replace(currency, "money") if currency else base


class Printed(_Model):
    """What a printed number means: its measure, unit, sign and period."""

    measure: str
    unit: str = Field(description="As publishers print it: US$m, thousand shares, USD/share, %.")
    period: Period = Field("close", description="What span of time a flow covers.")
    dimension: Dimension | None = Field(None, description="`total` for a column of row totals.")
    sign: Literal[1, -1] = Field(1, description="-1 where the publisher prints outflows positive.")
    decimals: int | None = Field(
        None, ge=0, le=10, description="Printed precision of a file that drops trailing zeros."
    )

    @pydantic.model_validator(mode="after")
    def _known(self) -> Self:
        if self.measure not in MEASURES:
            raise ValueError(f"measure {self.measure!r} is not one of {', '.join(MEASURES)}")
        unit = parse_unit(self.unit)
        if unit is None or unit.base is None:
            raise ValueError(f"unit {self.unit!r} is not a unit such as US$m, shares, USD/share")
        measure = MEASURES[self.measure]
        kind = measure.kind
        if _kind_of_unit(unit.base) != _kind_of_unit(measure.base):
            raise ValueError(f"{self.measure} is in {measure.base}: {self.unit!r} does not fit it")
        if (kind == "flow") == (self.period == "close"):
            raise ValueError(f"{self.measure} is a {kind}: period {self.period!r} does not fit it")
        return self

    @cached_property
    def in_unit(self) -> Unit:
        """The unit, parsed."""
        unit = parse_unit(self.unit)
        assert unit is not None  # noqa: S101 (the validator has parsed it)
        return unit


class KeyColumn(_Model):
    """A column that says what its row is about: its date, its label or a second label."""

    key: Literal["date", "label", "sublabel"]
    formats: Texts = Field((), description="strptime formats of a printed date.")
    also: Texts = Field((), description="Other spellings of the header.")


class NumberColumn(Printed):
    """A column of printed numbers."""

    optional: bool = Field(False, description="May be absent.")
    also: Texts = Field((), description="Other spellings of the header.")


class IgnoredColumn(_Model):
    """A column that is known and deliberately not read; the bytes stay in the archive."""

    ignore: str = Field(description="Why.")
    also: Texts = Field((), description="Other spellings of the header.")


def _kind_of_column(column: Any) -> str:
    named = column if isinstance(column, dict) else column.model_dump()
    return next((kind for kind in ("key", "ignore") if kind in named), "measure")


Column = Annotated[
    Annotated[KeyColumn, Tag("key")]
    | Annotated[NumberColumn, Tag("measure")]
    | Annotated[IgnoredColumn, Tag("ignore")],
    Discriminator(_kind_of_column),
]


class Across(Printed):
    """Columns that are members themselves (tickers across, dates down): melted into rows.

    Whatever header matches `label` is a member: a new fund needs no new layout.
    """

    label: Pattern = Field(description="Of the whole header; group 1 is the label.")
    dimension: Dimension


class RowRule(_Model):
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


class LabelFrom(_Model):
    """Where the label of a whole table stands, if not in a column: sheet, file name or here."""

    sheet: Pattern | None = Field(None, description="Of the sheet's name; group 1 is the label.")
    file: Pattern | None = Field(None, description="Of the file's name; group 1 is the label.")


class Table(_Model):
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
    totals: Literal["reconcile", "as_declared", "none"] = Field(
        "reconcile",
        description="Parts must equal printed totals; or only if the report says it is complete.",
    )
    position: bool = Field(False, description="AUM = NAV x shares outstanding on every row.")

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        keys = {column.key for column in self.columns.values() if isinstance(column, KeyColumn)}
        if "label" not in keys and not self.across and not self.label:
            raise ValueError(f"table {self.name}: nothing gives the label of a row")
        if self.across is None and not self.numbers:
            raise ValueError(f"table {self.name}: no column of numbers")
        return self

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
        """The header of the column whose text tells rows apart: the date, else the label."""
        keys = {
            column.key: header
            for header, column in self.columns.items()
            if isinstance(column, KeyColumn)
        }
        return keys.get("date") or keys["label"]


class Fact(_Model):
    """A fact printed once a report, beside or after its caption: "Data as of", "Published"."""

    caption: Texts
    formats: Texts = ()
    optional: bool = False


class Layout(_Model):
    """How reports of one form print their numbers, from a date until replaced."""

    name: str
    container: Container
    valid_from: dt.date
    valid_until: dt.date | None = Field(None, description="Last content date, if it was replaced.")
    facts: dict[Literal["as_of", "published", "completeness"], Fact] = {}
    nulls: dict[str, Literal[NULL_KINDS]] = Field(  # type: ignore[valid-type]
        {}, description="Further words for a missing number: reason."
    )
    tables: tuple[Table, ...] = Field(min_length=1)

    @cached_property
    def null_reasons(self) -> dict[str, str]:
        """All words for a missing number, lower case, with the reason."""
        return {**NULL_REASONS, **{clean(word).lower(): why for word, why in self.nulls.items()}}


class WeekRule(_Model):
    """How the source's weeks run (E31)."""

    ends: Weekday
    first: dt.date = Field(description="The first week that the source can have, by its end.")
    in_progress: bool = Field(
        False,
        description="Prints single days, so that the current week can be read before it ends.",
    )
    ended_early: tuple[dt.date, ...] = Field(
        (), description="Days before `ends` on which the publisher ended a week: E32."
    )

    @pydantic.model_validator(mode="after")
    def _ends_on_its_day(self) -> Self:
        if f"{self.first:%A}".lower() != self.ends:
            raise ValueError(f"first week {self.first} is a {self.first:%A}, not a {self.ends}")
        for day in self.ended_early:
            if f"{day:%A}".lower() == self.ends:
                raise ValueError(f"week ended early {day} is a {day:%A}, as every week")
        return self


class Release(_Model):
    """When the report of a week is expected: the calendar by which it is late."""

    weekday: Weekday = Field(description="Day on which it comes out: the first after the week.")
    grace_days: int = Field(
        0, ge=0, le=60, description="Further days that may pass until it counts as late."
    )
    holidays: tuple[dt.date, ...] = Field(
        (), description="Days on which nothing is published: it is expected a day later."
    )
    no_report: tuple[dt.date, ...] = Field(
        (), description="Weeks, by their end, for which the publisher prints none."
    )


class SourceFile(_Model):
    """The attributes of a source's own file (`defs.yaml`)."""

    title: str
    publisher: str
    url: str
    universe: str = Field(description="Which products the figures cover.")
    notes: str = ""
    owner: str = Field("team:data", description="Who looks after the source.")
    country_basis: Literal["listing", "domicile", "exchange country"] = "listing"
    asset_classes: tuple[str, ...] = Field(
        (), description="Classes of assets that a typed workbook lists; none: all."
    )
    report_covers: Literal["all funds", "one fund"] = Field(
        "all funds",
        description="Whether a fund that a report lacks has left, or stands in another file.",
    )
    is_split_adjusted: bool = Field(
        False, description="The history is restated in today's shares after a split."
    )
    price_basis: Literal["nav", "market"] = Field(
        "nav", description="Flows are made of NAV; of the market price only where said so (E03)."
    )
    week: WeekRule
    release: Release | None = Field(
        None, description="Without one no report of the source is ever late."
    )
    layouts: tuple[Layout, ...] = Field(min_length=1)


class Source(SourceFile):
    """A publisher's series of reports. Its name is its folder's name and is typed nowhere else."""

    name: str

    def __hash__(self) -> int:
        return hash((self.name, self.fingerprint))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that decides how a report is read: the layouts, the week rule, the code."""
        said = self.model_dump_json(include={"name", "week", "layouts"})
        return hashlib.sha256(f"{said}{_reader_code()}".encode()).hexdigest()[:16]


def _reader_code() -> str:
    here = Path(__file__).parent
    modules = [
        f"{name}.py" for name in ("captions", "layout", "numbers", "reader", "tables", "weeks")
    ]
    files = [here / name for name in modules] + sorted((here / "grids").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def source_of(folder: Path) -> Source:
    """Load a source from its folder (`defs/sources/<name>/defs.yaml`).

    Raises:
        LayoutError: with the path in the file and what is wrong there.
    """
    file = folder / "defs.yaml"
    return _source_in(folder.name, str(file), file.read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def _source_in(name: str, file: str, text: str) -> Source:
    """Parse a source's file once a process for each text that it had."""
    try:
        declared = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _not_a_source(name, file, str(error)) from error
    attributes = declared.get("attributes") if isinstance(declared, dict) else declared
    return parse_source(name, {} if attributes is None else attributes, file)


def _not_a_source(name: str, file: str, found: str) -> LayoutError:
    return LayoutError(
        f"The file of source {name} is not usable.",
        where=Where(source=name, file=file),
        expected="`type:` and `attributes:`, as docs/add-a-source.md describes",
        found=found,
        fix="correct the file",
    )


def parse_source(name: str, attributes: dict[str, Any], file: str) -> Source:
    """Check the attributes of a source's file and return the source.

    Raises:
        LayoutError: with the path in the file and what is wrong there.
    """
    if not isinstance(attributes, dict):
        raise _not_a_source(name, file, repr(attributes)[:200])
    try:
        return Source(name=name, **attributes)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise LayoutError(
            f"The file of source {name} is not usable.",
            where=Where(source=name, file=file, cell=".".join(map(str, first["loc"]))),
            expected="the fields that docs/add-a-source.md describes",
            found="; ".join(
                f"{'.'.join(map(str, each['loc']))}: {each['msg']}, not {str(each['input'])[:60]!r}"
                for each in error.errors()[:5]
            ),
            fix="correct these lines of the file",
        ) from error


def sources(folder: Path | None = None) -> dict[str, Source]:
    """Load all sources, by name."""
    root = folder or Path(__file__).parents[1] / "defs" / "sources"
    return {file.parent.name: source_of(file.parent) for file in sorted(root.glob("*/defs.yaml"))}


def label_in(pattern: str, text: str) -> str | None:
    """Return the label that a pattern finds in a text: group 1, else the whole match.

    Case counts: a ticker such as ARKB must not be found in the name "Ark".
    """
    match = re.fullmatch(pattern, text)
    if match is None:
        return None
    return clean(match[1] if match.re.groups else match[0])
