"""The columns of the layout language: what a printed number or text means. Parsed, nothing else."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from pipelines.layouts.day_formats import of_days
from pipelines.layouts.units import ROW, Unit, declared_unit
from schemas.dimensions import LABELLED
from schemas.measures import MEASURES, PERIODS

Period = Literal[PERIODS]  # type: ignore[valid-type]
Dimension = Literal[LABELLED]  # type: ignore[valid-type]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiled)]
"""A regular expression that must match the whole text, with case."""

Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text, or several of which any may match."""

Dates = Annotated[Texts, AfterValidator(of_days)]
"""strptime formats of a printed day."""


class Model(pydantic.BaseModel):
    """A part of a source's file; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _kind_of_unit(base: str) -> str:
    """Return a base unit with any currency as `money`."""
    currency = Unit(base).currency or (ROW if Unit(base).is_of_the_row else None)
    return base.replace(currency, "money") if currency else base


class Jump(Model):
    """How far a number may be from the other days of its member in the report (E112).

    A stock is compared with the median of the five days before it and of the five after it: it
    jumps if it is `times` as much, or as little, as both. A flow is compared with the median of the
    days that are not zero: it jumps if it is `times` their median absolute deviation away.
    """

    times: Decimal = Field(gt=1, description="As measured on the source's own history.")
    at_the_ends: Decimal | None = Field(
        None, gt=1, description="For a stock's first and last days, of which one side is not known."
    )


class Printed(Model):
    """What a printed number means: its measure, unit, sign and period."""

    measure: str
    unit: str = Field(description="As publishers print it: US$m, thousand shares, USD/share, %.")
    period: Period = Field("close", description="What span of time a flow covers.")
    dimension: Dimension | None = Field(None, description="`total` for a column of row totals.")
    sign: Literal[1, -1] = Field(1, description="-1 where the publisher prints outflows positive.")
    decimals: int | None = Field(
        None, ge=0, le=10, description="Printed precision of a file that drops trailing zeros."
    )
    jump: Jump | None = Field(
        None, description="How far from its member's other days a number is refused (E112)."
    )

    @pydantic.model_validator(mode="after")
    def _known(self) -> Self:
        if self.measure not in MEASURES:
            raise ValueError(f"measure {self.measure!r} is not one of {', '.join(MEASURES)}")
        unit = declared_unit(self.unit)
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
        unit = declared_unit(self.unit)
        assert unit is not None  # noqa: S101 (the validator has parsed it)
        return unit


class KeyColumn(Model):
    """A column that says what its row is about: date, label, second label or currency."""

    key: Literal["date", "label", "sublabel", "currency"]
    formats: Dates = Field((), description="strptime formats of a printed date.")
    also: Texts = Field((), description="Other spellings of the header.")


class NumberColumn(Printed):
    """A column of printed numbers."""

    optional: bool = Field(False, description="May be absent.")
    also: Texts = Field((), description="Other spellings of the header.")


class IgnoredColumn(Model):
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
