"""A source's own file: who publishes what, how its weeks run, when it comes out, and its layouts.

Parsed from a mapping or a text; `ingest.sources` knows where the files are.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cached_property, lru_cache
from typing import Any, Literal, Self

import pydantic
import yaml
from pydantic import Field

from pipelines.errors import LayoutError, Where
from pipelines.layouts.columns import Model
from pipelines.layouts.consistency import reaches_no_table
from pipelines.layouts.language import Layout
from pipelines.layouts.names import wrong_name
from pipelines.versions import READING
from pipelines.weeks import Weekday


class WeekRule(Model):
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


class Release(Model):
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


class SourceFile(Model):
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
    prints: Literal["history", "window", "week"] = Field(
        "history",
        description="What a report covers: all days, the newest ones, or its week. One that covers "
        "less than one of more than a week before it is put on hold (E120); a window may begin "
        "later.",
    )
    is_split_adjusted: bool = Field(
        False, description="After a split the whole history is restated in new shares."
    )
    price_basis: Literal["nav", "market"] = Field(
        "nav", description="What flows by shares are made of: NAV, or the market price (E03)."
    )
    calendar: str | None = Field(
        None,
        pattern="^[A-Z0-9]{4}$",
        description="The market, by its MIC in `sql/reference/market.csv`, of whose sessions the "
        "source prints every one: a session without a row makes its week partial (E74), a row on a "
        "holiday no other one (E79). Without it a day counts if the source has a row of any fund.",
    )
    week: WeekRule
    release: Release | None = Field(
        None, description="Without one no report of the source is ever late."
    )
    layouts: tuple[Layout, ...] = Field(min_length=1)

    @pydantic.model_validator(mode="after")
    def _reaches_a_table(self) -> Self:
        if reaches_no_table([table for layout in self.layouts for table in layout.tables]):
            raise ValueError(
                "no number of the source reaches a table: declare a net flow of a day or "
                "week, AUM, or shares and NAV"
            )
        return self


class Source(SourceFile):
    """A publisher's series of reports. Its name is its folder's name and is typed nowhere else."""

    name: str

    def __hash__(self) -> int:
        return hash((self.name, self.fingerprint))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what decides how a report is read: layouts, week rule, reader's version."""
        declared = self.model_dump_json(include={"name", "week", "layouts"})
        return hashlib.sha256(f"{declared}{READING}".encode()).hexdigest()[:16]


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
    if wrong := wrong_name(name):
        raise LayoutError(
            "A source cannot have this name.",
            where=Where(source=name, file=file),
            expected=f"a name that is a schema of the database: {wrong}",
            found=name,
            fix="rename the source's folder",
        )
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


@lru_cache(maxsize=256)
def parse_source_file(name: str, file: str, text: str) -> Source:
    """Parse the text of a source's file (`defs/sources/<name>/defs.yaml`).

    Raises:
        LayoutError: with the path in the file and what is wrong there.
    """
    try:
        declared = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _not_a_source(name, file, str(error)) from error
    attributes = declared.get("attributes") if isinstance(declared, dict) else declared
    return parse_source(name, {} if attributes is None else attributes, file)
