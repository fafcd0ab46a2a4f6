"""Whose numbers a report prints: a fund's own, or those of another one (E122).

A file of one fund that is saved under another's name reads well. Its numbers show it: of the days
that were there before, none is as it was, and they are another fund's. Such a report waits for a
person. The index keeps a digest of each label's numbers for some weeks of a report: its newest, and
one in eight of those before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import polars as pl

from pipelines.errors import Where
from pipelines.ingest.holds import OnHold
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading
from pipelines.report import Report

_KNOWN_BY = ("nav", "market_price", "net_flow", "aum")
"""What a fund is known by, best first: its NAV stays when its shares are restated."""
_NEWEST, _ONE_IN, _MOST = 6, 8, 60
_ENOUGH = 6
"""So many numbers that are not zero do not agree by accident, nor differ all together."""
_WEEKS = 3
"""In so many weeks no number is as it was before: that is no restatement of one of them."""


def series_of(source: Source, reading: Reading) -> dict[dt.date, list[dict[str, Any]]]:
    """Return the digests of the weeks that are kept: label, digest, numbers that are not zero."""
    if source.prints == "week":
        return {}
    rank = pl.col("measure").replace_strict(
        {name: place for place, name in enumerate(_KNOWN_BY)}, default=len(_KNOWN_BY)
    )
    printed = (
        reading.observations.filter(
            ~pl.col("dimension").is_in(["check", "total"]), pl.col("value") != 0
        )
        .filter(rank == rank.min().over("label"))
        .select("week_ending", "label", "measure", "period_end", pl.col("value").cast(pl.String))
    )
    weeks = sorted(printed.get_column("week_ending").unique(), reverse=True)
    sampled = [week for week in weeks[_NEWEST:] if week.toordinal() // 7 % _ONE_IN == 0]
    kept = [*weeks[:_NEWEST], *sampled[:_MOST]]
    lines = printed.filter(pl.col("week_ending").is_in(kept)).sort(printed.columns)
    found: dict[dt.date, list[dict[str, Any]]] = {}
    for (week, label, measure), of_label in groupby(lines.iter_rows(), key=lambda line: line[:3]):
        numbers = [line[2:] for line in of_label]
        digest = hashlib.sha256(repr(numbers).encode()).hexdigest()[:12]
        found.setdefault(week, []).append(
            {"label": label, "measure": measure, "digest": digest, "numbers": len(numbers)}
        )
    return found


def misfiled(
    source: Source, rows: pl.DataFrame, usable: Iterable[Report], accepted: Collection[str]
) -> dict[str, OnHold]:
    """Return the reports whose numbers are another series', with the reason.

    Each is compared with what had been received before it, but for reports that are held.

    Args:
        source: declares what its reports print.
        rows: the index.
        usable: the reports that can be read.
        accepted: the reports that a person has let through, by id.
    """
    reports = sorted(usable, key=lambda each: (each.received_at, each.report_id))
    if source.prints == "week" or len(reports) < 2:  # noqa: PLR2004 (one and one before it)
        return {}
    order = pl.DataFrame(
        [(each.report_id, place) for place, each in enumerate(reports)],
        {"report_id": pl.String, "place": pl.Int64},
        orient="row",
    )
    prints = (
        rows.filter(pl.col("fingerprint") == source.fingerprint, pl.col("series").is_not_null())
        .join(order, on="report_id")
        .select("place", "week_ending", "series")
        .explode("series")
        .unnest("series")
    )
    held: dict[str, OnHold] = {}
    passed = {place for place, each in enumerate(reports) if each.report_id in accepted}
    while (first := next(_strangers(source, prints, passed), None)) is not None:
        report = reports[first["place"]]
        held[report.report_id] = _waits(source, report, first, reports)
        prints = prints.filter(pl.col("place") != first["place"])
    return held


def _strangers(
    source: Source, prints: pl.DataFrame, passed: Collection[int]
) -> Iterator[Mapping[str, Any]]:
    """Yield the labels of reports that print none of their own numbers, oldest first."""
    series = ["place", "label", "measure"]
    key = ["week_ending", "label", "measure"]
    firsts = pl.col("place").min()
    known = prints.with_columns(
        is_known=firsts.over(key) < pl.col("place"),
        is_same=firsts.over([*key, "digest"]) < pl.col("place"),
    )
    own = known.group_by(series).agg(
        known=pl.col("is_known").sum(),
        same=pl.col("is_same").sum(),
        numbers=pl.col("numbers").filter(pl.col("is_known")).sum(),
    )
    odd = own.filter(pl.col("same") == 0, ~pl.col("place").is_in(list(passed)))
    others = (
        known.join(odd.select(series), on=series)
        .join(prints, on=["week_ending", "measure", "digest"], suffix="_other")
        .filter(pl.col("label_other") != pl.col("label"), pl.col("place_other") < pl.col("place"))
        .unique([*series, "week_ending", "label_other"])
        .group_by(*series, other="label_other")
        .agg(alike=pl.col("numbers").sum(), other_place=pl.col("place_other").min())
        .filter(pl.col("alike") >= _ENOUGH)
        .sort("alike", "other", descending=[True, False])
        .unique(series, keep="first", maintain_order=True)
    )
    here = prints.select("place", other="label", is_here=pl.lit(value=True)).unique()
    compared = odd.join(others, on=series, how="left").join(here, on=["place", "other"], how="left")
    is_others = pl.col("other").is_not_null() & (
        (pl.col("known") > 0)
        | pl.col("is_here").fill_null(value=False)
        | pl.lit(source.report_covers == "one fund")
    )
    # A window is restated as a whole, and so is a history after a split.
    is_whole = source.prints == "history" and not source.is_split_adjusted
    is_nobodys = pl.lit(is_whole) & (pl.col("known") >= _WEEKS) & (pl.col("numbers") >= _ENOUGH)
    yield from compared.filter(is_others | is_nobodys).sort(series).iter_rows(named=True)


def _waits(
    source: Source, report: Report, found: Mapping[str, Any], reports: list[Report]
) -> OnHold:
    label, other = found["label"], found["other"]
    whose = f"those of {other} in {reports[found['other_place']].name}" if other else "others"
    before = f"in {found['known']} weeks none is as it was before, and they are {whose}"
    return OnHold(
        "The report is on hold: its numbers are another series'.",
        where=Where(source=source.name, file=report.name),
        expected=f"numbers of {label}, as earlier reports have them",
        found=before if found["known"] else f"numbers that are {whose}",
        fix="give the file the name of its own fund and add it again; if it is right: "
        f"fundflows accept {report.report_id[:12]} --because TEXT",
    )
