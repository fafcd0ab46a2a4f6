"""A fund from one position to the next: opening AUM, flow, FX, transfers, closing AUM (F4).

A position is a day with AUM. The flow of a day is the printed one; else, on a day with a position,
what shares (F1) or assets (F2) make since the position before, less what was printed in between.
The step that ends on a position holds the flows of all days since the one before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.oracle.amounts import ZERO, added, cents, rounded
from tests.oracle.observed import Source
from tests.oracle.positions import FundDay, Ground, countable
from tests.oracle.reference import Reference
from tests.oracle.transfers import Moved, Transfers

WEEK = dt.timedelta(days=7)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKLY_FROM = 4
"""A step of more days than this is a weekly one (E05)."""


@dataclass(frozen=True, slots=True)
class Step:
    """A day of a fund; on a day with a position, the step that ends on it.

    Without a position the effects are not known; but a fund in US dollars has no FX.
    """

    label: str
    fund: str
    day: dt.date
    week: dt.date
    before: dt.date | None = None
    is_weekly: bool = False
    method: str | None = None
    flow: Decimal | None = None
    flow_half_unit: Decimal | None = None
    seed: Decimal = ZERO
    open: Decimal | None = None
    step_flow: Decimal | None = None
    fx: Decimal | None = ZERO
    corporate: Decimal | None = None
    universe: Decimal | None = None
    close: Decimal | None = None
    aum_half_unit: Decimal | None = None
    lacks_flow: bool = False
    is_known: bool = True
    is_session: bool = False
    is_preliminary: bool = False
    is_unrated: bool = False
    is_opening_unknown: bool = False


@dataclass(slots=True)
class Walk:
    """Where a fund stands: its last position, and what has happened since."""

    position: FundDay | None = None
    printed: Decimal = Decimal(0)
    flows: list[tuple[dt.date, Decimal | None]] = field(default_factory=list)
    lacking: bool = False


def flow_by_positions(before: FundDay | None, now: FundDay) -> tuple[str, Decimal] | None:
    """Return the flow since a position, in the fund's currency: by shares (F1), else assets (F2).

    Shares and AUM of the position before are those of one day (E73). Across a change of the
    currency only shares can tell (E29).
    """
    if before is None or now.aum is None:
        return None
    k = now.basis[0] * before.basis[1] / (now.basis[1] * before.basis[0])
    if now.shares is not None and before.shares is not None and now.nav is not None:
        return "shares", rounded(now.shares - k * before.shares, 6) * now.nav
    if now.aum == before.aum == 0:
        return "assets", now.aum  # of a fund that is liquidated (E75)
    if now.nav is None or not before.nav or before.aum is None or before.currency != now.currency:
        return None
    return "assets", now.aum - rounded(before.aum * now.nav * k / before.nav, 4)


def week_of(source: Source, day: dt.date) -> dt.date:
    """Return the end of a day's week, by the weekday on which the source's weeks end (F17)."""
    return day + dt.timedelta(days=(DAYS.index(source.week_ends) - day.weekday()) % 7)


def steps_of(
    ground: Ground, days: list[FundDay], sessions: Collection[dt.date], transfers: Transfers
) -> list[Step]:
    """Return a row for every usable day of a fund."""
    walk = Walk()
    return [_step(ground, walk, day, sessions, transfers) for day in countable(days)]


def own_flows(days: list[FundDay]) -> dict[dt.date, Decimal]:
    """Return the known flows of a fund in its own currency, transfers not taken out."""
    position, printed, flows = None, Decimal(0), {}
    for day in days:
        made = flow_by_positions(position, day)
        if day.flow is not None:
            flows[day.day] = day.flow
        elif made:
            flows[day.day] = made[1] - printed
        printed += day.flow or 0
        if day.aum is not None:
            position, printed = day, Decimal(0)
    return flows


def _step(
    ground: Ground,
    walk: Walk,
    day: FundDay,
    sessions: Collection[dt.date],
    transfers: Transfers,
) -> Step:
    before = walk.position
    is_entering = before is None and day.aum is not None
    moved = transfers.into(day, before) if day.aum is not None else None
    method, flow = _flow(ground.reference, walk, day, moved)
    rate = _flow_rate(ground, before, day)
    usd = None if flow is None else cents(flow * rate)
    is_session = day.day in sessions
    is_unknown = is_entering and method != "launch" and _is_history_unread(ground.source, day)
    lacks = is_session and flow is None and not is_entering
    walk.flows.append((day.week, usd))
    walk.lacking = lacks or (walk.lacking and not is_entering)
    walk.printed += day.flow or 0
    step = Step(
        label=day.label,
        fund=day.fund,
        day=day.day,
        week=day.week,
        before=before.day if before else None,
        is_weekly=_is_weekly(before, day),
        method=method,
        flow=usd,
        flow_half_unit=_dollars(day.flow_half_unit, day) if method == "printed" else None,
        seed=usd if method == "launch" and usd is not None else ZERO,
        fx=ZERO if before is None or day.currency == "USD" else None,
        lacks_flow=lacks,
        is_known=not (walk.lacking or day.is_preliminary or is_unknown),
        is_opening_unknown=is_unknown,
        is_session=is_session,
        is_preliminary=day.is_preliminary,
        is_unrated=day.rate is None,
    )
    return step if day.aum is None else _arrived(walk, step, day, moved, rate)


def _arrived(walk: Walk, step: Step, day: FundDay, moved: Moved | None, flow_rate: Decimal) -> Step:
    """Close a step on a position, from which the next one starts."""
    before, rate = walk.position, day.rate or Decimal(1)
    close = cents((day.aum or Decimal(0)) * rate)
    corporate = cents(moved.amount * rate) if moved else ZERO
    # A fund that enters brings its AUM along; flows of the weeks before are not of this step.
    step_flow = added(flow for week, flow in walk.flows if before or week == step.week)
    opened = ZERO if before is None else cents((before.aum or Decimal(0)) * (before.rate or 1))
    walk.position, walk.printed, walk.flows, walk.lacking = day, Decimal(0), [], False
    return replace(
        step,
        open=None if step.is_opening_unknown else opened,
        step_flow=step_flow,
        fx=_fx(before, day, flow_rate),
        corporate=corporate,
        universe=None
        if step.is_opening_unknown
        else close - (step_flow or ZERO) - corporate
        if before is None
        else ZERO,
        close=close,
        aum_half_unit=_dollars(day.aum_half_unit, day),
    )


def _is_history_unread(source: Source, day: FundDay) -> bool:
    """Whether nobody knows if a fund enters, since earlier weeks have not been read (E107)."""
    return min(source.unread, default=day.week) < day.week


def _dollars(amount: Decimal | None, day: FundDay) -> Decimal | None:
    return None if amount is None or day.rate is None else cents(amount * day.rate)


def _is_weekly(before: FundDay | None, day: FundDay) -> bool:
    return before is not None and (day.day - before.day).days > WEEKLY_FROM


def _flow_rate(ground: Ground, before: FundDay | None, day: FundDay) -> Decimal:
    """Flows whose days are unknown are converted at the average of the fixings (E26)."""
    rate = day.rate or Decimal(1)
    if before is None or not _is_weekly(before, day) or day.flow is not None:
        return rate
    if day.currency == "USD":
        return rate
    return ground.rates.average(day.currency, before.day, day.day) or rate


def _flow(
    reference: Reference, walk: Walk, day: FundDay, moved: Moved | None
) -> tuple[str | None, Decimal | None]:
    """Return how the flow of a day is known, and the flow in the fund's currency."""
    if day.flow is not None:
        return "printed", day.flow
    if day.aum is None:
        return None, None
    arrived = moved.with_shares if moved else Decimal(0)
    if walk.position is None:
        is_new = moved is not None or _is_launched(day, reference)
        return ("launch", day.aum - arrived - walk.printed) if is_new else (None, None)
    if day.nav == 0 and day.aum == 0 and walk.position.aum:
        return "closure", -walk.position.aum - walk.printed  # E16, E75
    made = flow_by_positions(walk.position, day)
    return (made[0], made[1] - arrived - walk.printed) if made else (None, None)


def _is_launched(day: FundDay, reference: Reference) -> bool:
    """Whether the reference knows this day as the first one of the fund (E15)."""
    launches = reference.of(day.fund, "launch")
    return any(each.day <= day.day < each.day + WEEK for each in launches)


def _fx(before: FundDay | None, day: FundDay, flow_rate: Decimal) -> Decimal:
    """X = A0 (e1 - e0) + (F + M + C) (e1 - e of the flow), in one currency only (F4, E27, E29)."""
    if before is None or day.currency == "USD" or before.currency != day.currency:
        return ZERO
    opened, closed = before.aum or Decimal(0), day.aum or Decimal(0)
    now, then = day.rate or Decimal(1), before.rate or Decimal(1)
    return cents(opened * (now - then) + (closed - opened) * (now - flow_rate))


def exit_of(
    ground: Ground, steps: list[Step], weeks_with_aum: set[dt.date], replaced: dt.date | None
) -> Step | None:
    """Return the day on which a fund ends: closure or merger, or nothing after its last position.

    A closure is a flow (E16), a merger a transfer (E17). Without either, a fund leaves in the next
    week in which its source has AUM of others (decision 9, E76), or when another fund takes over
    its label (E94); a source of one file
    a fund says nothing of a fund whose file is not renewed.
    """
    last = next((each for each in reversed(steps) if each.close is not None), None)
    if last is None or not last.close:
        return None
    if any(each.is_unrated and each.day > last.day for each in steps):
        return None  # it is there, only its dollars are not known (E99)
    actions = ground.reference.of(last.fund, "closure", "merger")
    action = next((each for each in actions if last.day < each.day + WEEK), None)
    if action is not None:
        day = max(action.day, last.day + dt.timedelta(days=1))
    elif replaced is not None and replaced > last.day:
        day = replaced
    elif ground.source.has_all_funds and max(weeks_with_aum) > last.week:
        day = min(each for each in weeks_with_aum if each > last.week)
    else:
        return None
    week = week_of(ground.source, day)
    return _gone(last, day, week, action.kind if action else "disappearance")


def _gone(last: Step, day: dt.date, week: dt.date, kind: str) -> Step:
    gone = -(last.close or ZERO)
    return Step(
        label=last.label,
        fund=last.fund,
        day=day,
        week=week,
        before=last.day,
        is_weekly=last.is_weekly,
        method="closure" if kind == "closure" else None,
        flow=gone if kind == "closure" else None,
        open=last.close,
        step_flow=gone if kind == "closure" else ZERO,
        corporate=gone if kind == "merger" else ZERO,
        universe=gone if kind == "disappearance" else ZERO,
        close=ZERO,
        aum_half_unit=ZERO,
    )


def ended(steps: list[Step], end: Step | None) -> list[Step]:
    """Add the row that ends a fund; dashes after its last position say nothing."""
    if end is None:
        return steps
    last = end.before or end.day

    def says_nothing(step: Step) -> bool:
        is_after = step.day > last and step.flow is None
        return step.close is None and (step.day == end.day or is_after)

    return [*(each for each in steps if not says_nothing(each)), end]
