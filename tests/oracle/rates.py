"""US dollars for a unit of a currency, from euro reference rates.

A day without a fixing has the last one only at weekends and on the fixing's own holidays; on any
other day there is no rate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from tests.oracle.amounts import rounded
from tests.oracle.observed import Observation

DAY = dt.timedelta(days=1)
LONGEST = 6
"""The last fixing that there is is carried for less than so many days."""


class Rates:
    """The rate of a currency on a day, and the average of the fixings between two days."""

    def __init__(self, observations: Iterable[Observation], holidays: set[dt.date]) -> None:
        self._holidays = holidays
        said: dict[tuple[str, dt.date], tuple[dt.datetime, str, Decimal]] = {}
        for each in observations:
            if each.dimension == "currency" and each.measure == "fx_rate" and each.value:
                key = each.label, each.period_end
                fixing = each.known_at, each.source, each.value
                said[key] = max(fixing, said.get(key, fixing))
        per_euro = {key: value for key, (_, _, value) in said.items()}
        self._fixings: dict[str, dict[dt.date, Decimal]] = {}
        for (currency, day), units in per_euro.items():
            dollars = per_euro.get(("USD", day))
            if dollars is None:
                continue
            self._fixings.setdefault(currency, {})[day] = rounded(dollars / units, 10)
            self._fixings.setdefault("EUR", {})[day] = rounded(dollars, 10)

    def on(self, currency: str, day: dt.date) -> Decimal | None:
        """Return US dollars for a unit of a currency on a day."""
        if currency == "USD":
            return Decimal(1)
        fixings = self._fixings.get(currency, {})
        if day in fixings:
            return fixings[day]
        if day.isoweekday() <= 5 and day not in self._holidays:
            return None
        before = [each for each in fixings if each < day]
        if not before:
            return None
        last = max(before)
        is_followed = any(each > day for each in fixings)
        return fixings[last] if is_followed or (day - last).days < LONGEST else None

    def average(self, currency: str, after: dt.date, to: dt.date) -> Decimal | None:
        """Return the average of the fixings after a day, to a day (E26)."""
        within = [
            rate for day, rate in self._fixings.get(currency, {}).items() if after < day <= to
        ]
        return rounded(sum(within, Decimal(0)) / len(within), 10) if within else None

    def dollars(self, printed: Observation) -> Observation:
        """Return an amount in US dollars, or without a value where there is no rate (F3, E99)."""
        currency = printed.currency or "USD"
        if printed.period in ("day", "close"):
            rate = self.on(currency, printed.period_end)
        elif currency == "USD":
            rate = Decimal(1)
        else:
            rate = self.average(currency, printed.period_start - DAY, printed.period_end)

        def converted(amount: Decimal | None) -> Decimal | None:
            return None if amount is None or rate is None else rounded(amount * rate, 10)

        return replace(
            printed, value=converted(printed.value), half_unit=converted(printed.half_unit)
        )
