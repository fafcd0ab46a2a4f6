"""Worlds of funds by day: they start, stop, split, merge, spin off, change issuer and currency.

A world is made from a seed and nothing else. Cells, days and weeks are missing, reports come in any
order, some restate earlier ones, some cannot be read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from random import Random

from tests.oracle.fund_references import FundPath, declare
from tests.oracle.worlds import DAY, Report, World

MODES = (
    ("flow",),
    ("flow", "aum"),
    ("shares", "nav"),
    ("nav", "aum"),
    ("aum",),
    ("shares", "nav", "aum"),
    ("flow", "shares", "nav"),
    ("flow", "nav", "aum"),
)


def fund_worlds(seed: str, count: int) -> Iterator[World]:
    """Return random worlds; the same of the same seed."""
    for number in range(count):
        yield _world(Random(f"{seed}-{number}"), f"{seed}{number}")


def _world(chance: Random, name: str) -> World:
    ends = chance.choice(["friday", "friday", "friday", "wednesday"])
    world = World(
        name,
        {
            "week": {
                "ends": ends,
                "first": {"friday": "1990-01-05", "wednesday": "1990-01-03"}[ends],
                "in_progress": True,
            },
            "report_covers": chance.choice(["all funds", "all funds", "one fund"]),
            "country_basis": chance.choice(["listing", "domicile"]),
            "price_basis": chance.choice(["nav", "nav", "nav", "market"]),
            "is_split_adjusted": chance.random() < 0.1,
        },
    )
    sessions = sessions_of(chance)
    world.sessions = {day: _week_of(day, ends) for day in sessions}
    columns = chance.choice(MODES)
    paths = [_path(chance, name, number, sessions) for number in range(chance.randint(1, 4))]
    for path in paths:
        declare(chance, world, path, sessions, paths)
    for path in paths:
        _walk(chance, world, path, sessions, columns)
    _blanks(chance, world, paths, columns)
    _holidays(chance, world, paths)
    _reports(chance, world, paths, columns)
    return world


def _week_of(day: dt.date, ends: str) -> dt.date:
    weekday = {"friday": 4, "wednesday": 2}[ends]
    return day + DAY * ((weekday - day.weekday()) % 7)


def sessions_of(chance: Random) -> list[dt.date]:
    """Two to seven weeks somewhere between 2024 and 2026, with holidays; by day or by week."""
    weekdays = chance.choice([range(1, 6), range(1, 6), range(1, 6), (1, 3, 5), (3,), (5,)])
    first = dt.date(2024, 1, 1) + DAY * chance.randint(0, 700)
    days = [first + DAY * each for each in range(7 * chance.randint(2, 7))]
    kept = [each for each in days if each.isoweekday() in weekdays and chance.random() > 0.04]
    return kept or days[:1]


def _path(chance: Random, world: str, number: int, sessions: list[dt.date]) -> FundPath:
    last = len(sessions) - 1
    label = f"{world}{chr(97 + number)}".upper()
    first, end = 0, last
    if chance.random() < 0.35:
        first = chance.randint(0, last)
    if chance.random() < 0.3:
        end = chance.randint(first, last)
    return FundPath(
        fund=f"{label.lower()}-{chance.choice(['us', 'ca', 'de'])}",
        labels=[label, f"{label}X"] if chance.random() < 0.1 else [label],
        currency=chance.choice(["USD", "USD", "USD", "CAD", "EUR"]),
        first=first,
        last=end,
        shares=Decimal(chance.randint(1, 40_000)) / 10_000,
        nav=Decimal(chance.randint(100_000, 900_000)) / 10_000,
    )


# -- days ------------------------------------------------------------------------------------------


def _walk(
    chance: Random,
    world: World,
    path: FundPath,
    sessions: list[dt.date],
    columns: tuple[str, ...],
) -> None:
    actions = [row for table, row in world.references if table == "corporate_action"]
    own = {row["effective_date"]: row for row in actions if row["fund"] == path.fund}
    late = chance.choice([0, 0, 0, 1, -1])
    switch = chance.choice(sessions) if chance.random() < 0.1 else None
    shares, nav, k = path.shares, path.nav, Decimal(1)
    for number in range(path.first, path.last + 1):
        day = sessions[number]
        nav = max(_to(nav * (1 + Decimal(chance.randint(-300, 300)) / 10_000), 4), Decimal("0.01"))
        if chance.random() < 0.5:
            shares = max(shares + Decimal(chance.randint(-2000, 3000)) / 10_000, Decimal("0.0001"))
        action = own.get(day, {})
        if action.get("kind") == "split" and not world.attributes["is_split_adjusted"]:
            k *= Decimal(action["shares_new"]) / Decimal(action["shares_old"])
        if action.get("kind") == "spin_off":
            nav = _to(nav * Decimal("0.9"), 4)
        earlier = min(max(number - late, path.first), path.last)
        flow = Decimal(chance.choice([0, 0, chance.randint(-900, 900)])) / 10
        known = {
            "shares": _to(shares * k, 6),
            "nav": _to(nav / k, 4),
            "aum": _to(shares * nav, chance.choice([1, 6, 8])),
            "flow": flow,
        }
        if late and own.get(sessions[earlier], {}).get("kind") == "split":
            known["shares"] = _to(shares, 6)
        path.rows[day] = {name: known[name] for name in columns}
        path.currencies[day] = "EUR" if switch and day >= switch else path.currency


def _to(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits))


def _blanks(chance: Random, world: World, paths: list[FundPath], columns: tuple[str, ...]) -> None:
    """Take out cells, rows, days and weeks, and put in zeros."""
    often = chance.choice([0, 0, 0.03, 0.1])
    weeks = sorted(set(world.sessions.values()))
    gone = chance.choice(weeks) if often and chance.random() < 0.1 else None
    silent = {day for day in world.sessions if chance.random() < often / 3}
    for path in paths:
        own = chance.choice(weeks) if often and chance.random() < 0.1 else None
        for day in list(path.rows):
            if day in silent or world.sessions[day] in (gone, own) or chance.random() < often / 2:
                del path.rows[day]
                continue
            for name in columns:
                if chance.random() < often:
                    path.rows[day][name] = None
                elif chance.random() < often / 5 and not _is_refused_at_zero(name, columns):
                    path.rows[day][name] = Decimal(0)


def _is_refused_at_zero(name: str, columns: tuple[str, ...]) -> bool:
    """Whether a zero beside the other numbers of a position contradicts them (E105)."""
    return name == "nav" or (name == "aum" and {"shares", "nav"} <= set(columns))


def _holidays(chance: Random, world: World, paths: list[FundPath]) -> None:
    """Let one fund print a row on a day that is no session (E79)."""
    first, last = min(world.sessions), max(world.sessions)
    days = [first + DAY * each for each in range((last - first).days)]
    closed = [each for each in days if each not in world.sessions and each.isoweekday() < 6]
    path = chance.choice(paths)
    before = [each for each in path.rows if closed and each < closed[-1]]
    if before and closed[-1] < max(path.rows):
        path.rows[closed[-1]] = dict(path.rows[max(before)])
        path.currencies[closed[-1]] = path.currencies[max(before)]


# -- reports ---------------------------------------------------------------------------------------


def _reports(chance: Random, world: World, paths: list[FundPath], columns: tuple[str, ...]) -> None:
    """Print what stands, after vintages that said otherwise; and reports that must be refused."""
    printed = _lines(chance, world, paths)
    if not printed:
        return
    last = max(day for day, *_ in printed)
    clock = dt.datetime.combine(last + DAY, dt.time(12), dt.UTC)
    market = world.attributes["price_basis"] == "market"
    header = [("close" if market and name == "nav" else name) for name in columns]
    vintages = chance.choice([1, 1, 2, 3])
    for vintage in range(vintages):
        is_last = vintage == vintages - 1
        often = 0.7 if not is_last else 1 if vintages == 1 else 0.9
        lines = [line for line in printed if chance.random() < often]
        for currency in sorted({line[2] for line in lines}):
            rows = []
            for day, label, _, cells in (line for line in lines if line[2] == currency):
                said = {name: _otherwise(chance, cells[name], is_last) for name in columns}
                world.stands |= {(label, name, day): said[name] for name in columns}
                rows.append([str(day), label, *(_text(said[name]) for name in columns)])
            chance.shuffle(rows)
            text = "\n".join(",".join(row) for row in [["date", "fund", *header], *rows])
            received = clock + vintage * DAY
            world.reports.append(Report(text, currency, received))
    if chance.random() < 0.15:
        first = world.reports[0]
        spoilt = "\n".join(f"{line},surprise" for line in first.text.splitlines())
        world.reports.append(Report(spoilt, first.currency, clock + 9 * DAY))
    chance.shuffle(world.reports)


def _lines(
    chance: Random, world: World, paths: list[FundPath]
) -> list[tuple[dt.date, str, str, dict[str, Decimal | None]]]:
    lines = []
    for path in paths:
        for day, cells in path.rows.items():
            labels = [each for each in path.labels if chance.random() < 0.8] or path.labels[:1]
            lines += [(day, label, path.currencies[day], cells) for label in labels]
    return lines


def _otherwise(chance: Random, value: Decimal | None, is_last: bool) -> Decimal | None:
    """An earlier vintage says something else of one number in ten, or nothing."""
    if is_last or chance.random() > 0.1:
        return value
    return None if value is None or chance.random() < 0.3 else value + Decimal("0.1")


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
