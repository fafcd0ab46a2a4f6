"""What the tables of a report say together: net flow of its parts, and whose number stands.

Parts are kept as they are printed. Numbers are combined, never read, here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pipelines.layouts.language import Layout
from schemas.measures import NET_FLOW_OF, REFUSED

_SAME = ("dimension", "label", "period", "period_start", "period_end")
Observed = dict[str, Any]


def combined(layout: Layout, observed: Iterable[Observed]) -> list[Observed]:
    """Return the observations that stand, and the net flows of which only parts are printed."""
    in_force = _in_force(layout, _refused_once(list(observed)))
    return [*in_force, *_net_flows(in_force)]


def _refused_once(observed: list[Observed]) -> list[Observed]:
    """Leave out a refused number where the report has another one for the same member and day.

    One that stays is in no currency: it may be just that which is wrong.
    """
    refused = [row for row in observed if row["null_reason"] == REFUSED]
    if not refused:
        return observed
    taken = {_key(row) for row in observed if row["null_reason"] != REFUSED}
    first = {_key(row): row for row in reversed(refused)}
    return [
        {**row, "currency": None} if row["null_reason"] == REFUSED else row
        for row in observed
        if row["null_reason"] != REFUSED or (_key(row) not in taken and first[_key(row)] is row)
    ]


def _key(row: Observed) -> tuple[Any, ...]:
    return row["printed_table"], row["measure"], *(row[name] for name in _SAME)


def _in_force(layout: Layout, observed: list[Observed]) -> list[Observed]:
    """Leave out the numbers of a table that yields to another one which has them, too (E116)."""
    yields = {table.name: table.yields_to for table in layout.tables if table.yields_to}
    if not yields:
        return observed
    printed = {
        (row["printed_table"], row["measure"], *(row[name] for name in _SAME))
        for row in observed
        if row["value"] is not None
    }
    return [
        row
        for row in observed
        if not any(
            (other, row["measure"], *(row[name] for name in _SAME)) in printed
            for other in yields.get(row["printed_table"], ())
        )
    ]


def _net_flows(observed: list[Observed]) -> list[Observed]:
    """Return a net flow for each member and period of which its parts are printed (E101)."""
    measures = {row["measure"] for row in observed}
    signs = next((parts for parts in NET_FLOW_OF if set(parts) <= measures), None)
    if signs is None or "net_flow" in measures:
        return []
    groups: dict[tuple[Any, ...], dict[str, Observed]] = defaultdict(dict)
    twice = set()
    for row in observed:
        if row["measure"] not in signs or row["dimension"] == "check":
            continue
        key = tuple(row[name] for name in _SAME)
        if row["measure"] in groups[key]:
            twice.add(key)
        groups[key][row["measure"]] = row
    return [
        _net_flow(parts, signs)
        for key, parts in groups.items()
        if key not in twice and len({row["currency"] for row in parts.values()}) == 1
    ]


def _net_flow(parts: dict[str, Observed], signs: dict[str, Any]) -> Observed:
    """Return the sum of the parts; not known, where one of them is not (E07)."""
    rows = [parts[name] for name in signs if name in parts]
    first = rows[0]
    reason = next((row["null_reason"] for row in rows if row["value"] is None), None)
    if len(rows) < len(signs):
        reason = reason or "not_available"
    signed = (row["value"] * signs[row["measure"]] for row in rows)
    halves = (row["half_unit"] for row in rows)
    shown = (f"{'+' if signs[row['measure']] > 0 else '-'} {row['printed']}" for row in rows)
    return {
        **first,
        "measure": "net_flow",
        "value": None if reason else sum(signed, Decimal(0)),
        "half_unit": None if reason else sum(halves, Decimal(0)),
        "printed": " ".join(shown).removeprefix("+ "),
        "null_reason": reason,
        "status": max((row["status"] for row in rows), key=("final", "preliminary").index),
        "cell": ", ".join(row["cell"] for row in rows),
    }
