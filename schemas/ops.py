"""The contracts of schema `ops`: what was checked, what was refused, what does not add up."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.core import Money, Share
from schemas.observation import KEY, Amount, Instant, Outcome, Refused


class Quarantine(Refused):
    """Rows and cells that a contract refused, with the rule, the cell and what to do.

    grain: one row a refused cell and rule
    """


class Certificate(Outcome):
    """What must add up in a report and week: expected, found, residual, bounds and verdict (F9).

    Totals against their parts, the same total in several tables, AUM against NAV x shares, and
    footers against the history that the ledger holds.

    grain: one row a report, week and line
    """


class CheckResult(pa.DataFrameModel):
    """How every rule came out for every report and week, also where nothing failed.

    grain: one row a report, week and rule
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    week_ending: pl.Date = pa.Field(description="The week that was checked.")
    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    known_at: Instant = pa.Field(description="From when the report could be known.")
    rule: pl.String = pa.Field(description="The rule, stated by its name.")
    outcome: pl.String = pa.Field(
        isin=["pass", "warn", "fail"],
        description="fail refuses the week's vintage, warn does not, pass found nothing.",
    )
    checked: pl.Int64 = pa.Field(description="Numbers or lines that were checked.")
    failed: pl.Int64 = pa.Field(description="Numbers or lines that failed.")
    worst_residual: Amount = pa.Field(
        nullable=True, description="Largest unexplained residual, in the measure's unit."
    )
    sample: pl.String = pa.Field(nullable=True, description="A few of the failures.")

    class Config:
        """Shape rules, and the grain."""

        strict = True
        unique = ["source", "report_id", "week_ending", "rule"]


class ImpliedReturn(pa.DataFrameModel):
    """Whether printed flow and printed AUM of a fund can both be true, by week.

    Where a source prints flow and AUM but no NAV, AUM change less flow is the market's doing. The
    day on which that is farthest from the fund's median is compared with 5 robust standard
    deviations (5 x 1.4826 x MAD, F13): beyond, either the market moved as it seldom does or flow
    and AUM are of different days, which a flow of opposite size on that day tells (E61).

    grain: one row a source, label and week
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    label: pl.String = pa.Field(description="The fund's label as printed.")
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    trade_date: pl.Date = pa.Field(description="The worst day of the week.")
    flow_pct_of_aum: Share = pa.Field(description="Flow of that day's step, % of opening AUM.")
    implied_return_pct: Share = pa.Field(description="Market effect of it, % of opening AUM.")
    usual_return_pct: Share = pa.Field(description="The fund's median over all its steps.")
    bound_pct: Share = pa.Field(description="How far from the median is still plausible.")
    history: pl.Int64 = pa.Field(gt=0, description="Steps of the same sampling behind the bound.")
    verdict: pl.String = pa.Field(
        isin=["plausible", "disagrees", "unknown"],
        description="disagrees: beyond the bound; unknown: fewer than 60 steps to judge by.",
    )

    class Config:
        """Shape rules, and the grain."""

        strict = True
        unique = ["source", "label", "week_ending"]


class Revision(pa.DataFrameModel):
    """Every change of a printed number between two vintages, printed or silent (E43, E44, F16).

    Silent ones are estimates: a total to date (month, year, since inception) that grew by another
    amount than the weeks or days between, beyond rounding, and beyond the revisions of earlier ones
    that were printed meanwhile, says that earlier numbers were revised by about so much.

    grain: one row a source, printed table, dimension, label, measure, period, new report and kind
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    printed_table: pl.String = pa.Field(description="Which printed table, by the layout's name.")
    dimension: pl.String = pa.Field(description="What the label names; see core.observation.")
    label: pl.String = pa.Field(description="The label as printed.")
    sublabel: pl.String = pa.Field(nullable=True, description="A second printed label.")
    member: pl.String = pa.Field(description="The member; `unmapped` if the reference has none.")
    measure: pl.String = pa.Field(description="What is measured.")
    period: pl.String = pa.Field(
        description="What span of time; of a silent one the total to date."
    )
    period_start: pl.Date = pa.Field(description="First day that the number is about.")
    period_end: pl.Date = pa.Field(description="Last day that the number is about.")
    kind: pl.String = pa.Field(
        isin=["filled", "blanked", "restated", "finer", "status", "silent"],
        description="filled: a blank or preliminary number got its value; blanked: a number was "
        "taken back; restated: another number; finer: the same number, printed with other digits; "
        "status: only preliminary or final; silent: see above.",
    )
    from_value: Amount = pa.Field(
        nullable=True,
        description="The value before, as printed; silent: the total to expect. NULL if none was.",
    )
    to_value: Amount = pa.Field(nullable=True, description="The value since then, as printed.")
    change: Amount = pa.Field(
        nullable=True, description="to_value - from_value; NULL if one is not known."
    )
    hard_bound: Amount = pa.Field(
        nullable=True, description="How far the true change can be from it by rounding (F9)."
    )
    unit: pl.String = pa.Field(description="Base unit of the values.")
    from_status: pl.String = pa.Field(description="final or preliminary, before.")
    to_status: pl.String = pa.Field(description="final or preliminary, since then.")
    from_known_at: Instant = pa.Field(description="From when the value before could be known.")
    to_known_at: Instant = pa.Field(description="From when the change could be known.")
    from_report_id: pl.String = pa.Field(description="The report that said the value before.")
    to_report_id: pl.String = pa.Field(description="The report that says the new value.")
    sheet: pl.String = pa.Field(description="Sheet of the new value, or table of the page.")
    cell: pl.String = pa.Field(description="Its cell.")
    aum_usd: Money = pa.Field(
        nullable=True,
        description="AUM of the member in the source when the week opened, else at its close.",
    )
    change_pct_of_aum: Share = pa.Field(
        nullable=True, description="The change in percent of it; NULL if AUM is not known."
    )

    class Config:
        """Shape rules, and the grain."""

        strict = True
        unique = [*KEY, "to_report_id", "kind"]


class Build(pa.DataFrameModel):
    """How this database was built: the one row that tells it from another build.

    grain: one row
    """

    built_at: Instant = pa.Field(description="When the build finished.")
    as_of: Instant = pa.Field(
        nullable=True, description="Only what was known by then is in it; NULL for all."
    )
    inputs: pl.String = pa.Field(description="Fingerprint of the weeks, SQL and contracts.")
    duckdb_version: pl.String = pa.Field(description="The DuckDB that wrote the file.")

    class Config:
        """Shape rules: these columns, no others."""

        strict = True
