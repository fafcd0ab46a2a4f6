"""What "as known on" means: moments, and the table macros that answer for a past one.

A macro `<table>_as_known` is the SQL of its table, put together from the files of `sql/`, over the
observations that were the newest then. So it gives the same answer as a database that is built as
of that moment. Nothing is executed here.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

from pipelines.database.models import Model, models

HISTORY = "core.observation_history"
ANSWERED = ("core.observation", "mart.flows", "mart.aum_change", "mart.fund_bridge")
"""The tables that have a macro `<table>_as_known`."""

_TABLE = re.compile(r"\b(?P<table>(?:core|mart|ops)\.\w+)\b(?: as (?P<alias>\w+))?")
_MICROSECONDS = """
create macro ops.instant(moment) as case
    when length(cast(moment as varchar)) = 10
        then epoch_us(cast(cast(moment as date) as timestamp)) + 86400000000 - 1
    when regexp_matches(cast(moment as varchar), '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')
        then epoch_us(cast(moment as timestamptz))
    else epoch_us(cast(moment as timestamp))
end
"""
# A day is known to its last microsecond in UTC; a moment without a zone is UTC, whatever the zone
# of the session that asks.

_BELIEVED = f"""
select * replace (
    case when epoch_us(known_to) <= ops.instant(as_of) then known_to end as known_to
)
from {HISTORY}
where epoch_us(known_from) <= ops.instant(as_of)
"""  # noqa: S608


def moment_of(text: str) -> dt.datetime:
    """Return the moment of a text: of a day its end, in UTC (E38).

    Raises:
        ValueError: the text is neither a day nor a moment in ISO form.
    """
    moment = dt.datetime.fromisoformat(text)
    if len(text) == len("2026-01-27"):
        moment += dt.timedelta(days=1, microseconds=-1)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def last_day_over(moment: dt.datetime) -> dt.date:
    """Return the last day that was over by a moment: what has only a date is known at its end."""
    return (moment + dt.timedelta(microseconds=1)).astimezone(dt.UTC).date() - dt.timedelta(days=1)


def macros() -> list[str]:
    """Return the statements that create the macros, in order."""
    return [_MICROSECONDS, *(_macro(models()[name]) for name in ANSWERED)]


def _macro(model: Model) -> str:
    """Put a table, and all models between it and the history, into one query."""
    derived = [models()[name] for name in models() if name in _between(model.name)]
    bodies = {HISTORY: _BELIEVED}
    bodies |= {each.name: each.typed(_over_ctes(each, derived)) for each in derived}
    parts = ",\n".join(f"{_flat(name)} as ({body})" for name, body in bodies.items())
    head = f"create macro {model.name}_as_known(as_of) as table"
    return f"{head} with {parts} from {_flat(model.name)}"


@cache
def _between(name: str) -> frozenset[str]:
    """Return the models between the history and a model, the model included."""
    reads = [read for read in models()[name].reads if read in models()]
    behind = frozenset[str]().union(*(_between(read) for read in reads if read != HISTORY))
    return behind | {name} if behind or HISTORY in reads else frozenset()


def _over_ctes(model: Model, derived: list[Model]) -> str:
    """Make a model read the CTEs of the query instead of the tables, under the same names."""
    names = {HISTORY, *(each.name for each in derived)}

    def replaced(found: re.Match[str]) -> str:
        if found["table"] not in names:
            return found[0]
        stem = found["table"].partition(".")[2]
        return f"{_flat(found['table'])} as {found['alias'] or stem}"

    return _TABLE.sub(replaced, model.sql)


def _flat(name: str) -> str:
    return name.replace(".", "__")
