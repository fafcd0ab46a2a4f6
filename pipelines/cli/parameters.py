"""What people type behind an option or an argument: times, days, weeks."""

from __future__ import annotations

import datetime as dt

import click

from pipelines.database import as_known


class Time(click.ParamType):
    """A moment in ISO form; without a zone it is UTC, and a date is its first moment."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """Return the moment."""
        try:
            moment = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-26T14:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


class PastTime(Time):
    """A moment that has been: what comes later can have been known to nobody."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """Return the moment, if it has been."""
        moment = super().convert(value, param, ctx)
        if moment > dt.datetime.now(dt.UTC):
            self.fail(f"{value!r} is in the future: give the time at which it came", param, ctx)
        return moment


class Moment(click.ParamType):
    """A day, which means its end, or a moment; in UTC."""

    name = "DATE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """Return the moment, of a day its end."""
        try:
            return as_known.moment_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-01-27", param, ctx)


class Weeks(click.ParamType):
    """Week-ending dates A..B, or one of them."""

    name = "A..B"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[dt.date, dt.date]:
        """Return the first and the last week."""
        first, dots, last = str(value).partition("..")
        try:
            span = dt.date.fromisoformat(first), dt.date.fromisoformat(last if dots else first)
        except ValueError:
            self.fail(f"{value!r} is not two dates such as 2026-01-02..2026-01-30", param, ctx)
        if span[0] > span[1]:
            self.fail(f"{span[0]} is after {span[1]}", param, ctx)
        return span
