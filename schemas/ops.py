"""The contracts of schema `ops`: what was checked, what was refused, what does not add up."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.core import Money, Share
from schemas.observation import KEY, Amount, BySource, Instant, Outcome, Refused, Strict


class Quarantine(Refused):
    """Rows and cells that a contract refused, with the rule, the cell and what to do.

    grain: one row per refused cell and rule
    """


class Certificate(Outcome):
    """What must add up in a report and week: expected, found, residual, bounds and verdict (F9).

    Totals against their parts, the same total in several tables, AUM against NAV x shares; and the
    lines of `ops.certificate_footer`, `_period`, `_bridge` and `_copy`. A proposal is for a person
    to decide on: it changes nothing.

    grain: one row per report, week and line
    """

    verdict: pl.String = pa.Field(
        isin=["exact", "rounding", "plausible", "unknown", "undecidable", "unexplained"],
        description="exact: it holds as printed; rounding: within the hard bound; plausible: as "
        "usual; unknown: a side is not known; undecidable: the printed digits allow both; "
        "unexplained: it does not hold.",
    )

    class Config(Outcome.Config):
        """The grain."""

        unique = ["source", "week_ending", "report_id", "rule", "line"]


class CertificateFooter(Certificate):
    """Printed footers (total, mean, largest, smallest since inception) against the ledger's days.

    grain: one row per report, week and line
    """


class CertificatePeriod(Certificate):
    """Printed totals of several weeks against the weeks.

    Year and month to date grow by the week's flow (`ytd_chain`, `mtd_chain`: F16, E44); a run such
    as "four weeks" is the sum of its weeks, as known now and as first printed (`run`: E45).

    grain: one row per report, week and line
    """


class CertificateBridge(Certificate):
    """Flow against stock, by the newest report of a week.

    Flow by shares and by assets agree (`flow_methods`: E02); the identity of the bridge (`bridge`:
    F4); the market effect that flow and AUM leave between them, in percent of AUM
    (`market_effect`: E61); no flow is larger than the stock (`flow_within_aum`: E52); how much of
    the flow is known, in percent (`coverage`: E37).

    grain: one row per report, week and line
    """


class CertificateCopy(Certificate):
    """Figures that belong to another week, by the report that first printed the week's total.

    A week printed again under another date (`fingerprint`: E47); a figure of another week beside
    those of this one (`mixed_weeks`: E48); the digits of the week before in another unit
    (`unit_slip`: E51); a report that came out when a later week had ended (`week_rule`: E31).

    grain: one row per report, week and line
    """


class CertificateStatus(BySource):
    """How the certificate of a report and week came out as a whole, and a hash of its lines.

    grain: one row per report and week
    """

    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    known_at: Instant = pa.Field(description="From when the report could be known.")
    verdict: pl.String = pa.Field(
        isin=["exact", "rounding", "unknown", "undecidable", "unexplained"],
        description="The worst verdict of its lines, in this order; plausible counts as rounding.",
    )
    is_refused: pl.Boolean = pa.Field(
        description="Whether a line refused the report for this week: nothing of it is published."
    )
    lines: pl.Int64 = pa.Field(gt=0, description="Lines of the certificate.")
    exact: pl.Int64 = pa.Field(description="Lines that hold as printed.")
    rounding: pl.Int64 = pa.Field(description="Lines within the bound, or plausible.")
    unknown: pl.Int64 = pa.Field(description="Lines of which a side is not known.")
    undecidable: pl.Int64 = pa.Field(description="Lines that the printed digits cannot decide.")
    unexplained: pl.Int64 = pa.Field(description="Lines that do not hold.")
    proposals: pl.Int64 = pa.Field(description="Lines that propose a repair or an alias.")
    lines_sha256: pl.String = pa.Field(
        description="sha256 of the lines in order: two certificates are equal if it is.",
        str_matches="^[0-9a-f]{64}$",
    )

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending", "report_id"]


class CheckResult(BySource):
    """How every rule came out for every report and week, also where nothing failed.

    grain: one row per report, week and rule
    """

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

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "report_id", "week_ending", "rule"]


class OpenRefusal(BySource):
    """Weeks whose newest report was refused, so that an older one counts.

    grain: one row per source and week
    """

    rules: pl.String = pa.Field(description="The rules that it broke, by name.")

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending"]


class UnmappedLabel(Strict):
    """Printed labels that have a number and mean no member: each wants a line of reference rows.

    grain: one row per source, dimension and label
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    dimension: pl.String = pa.Field(description="What the label names; see core.observation.")
    label: pl.String = pa.Field(description="The label as printed.")
    since: pl.Date = pa.Field(description="First day that such a number is about.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "dimension", "label"]


class Coverage(BySource):
    """Whether every week that a source was expected to report is there, by its release calendar.

    Weeks are expected from the first one that any report covers until the last one that had ended
    when the database was built. A source without a calendar in its defs.yaml has no row.

    grain: one row per source and week
    """

    expected_by: Instant = pa.Field(description="From then on its report is late.")
    first_known_at: Instant = pa.Field(
        nullable=True, description="When the first report of the whole week could be known."
    )
    state: pl.String = pa.Field(
        isin=["on time", "late", "missing", "holiday", "expected", "history"],
        description="missing: late and not there; expected: not late yet; holiday: the publisher "
        "prints none; history: from before the ledger had reports of the source.",
    )

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending"]


class ImpliedReturn(Strict):
    """Whether printed flow and printed AUM of a fund can both be true, by week.

    Where a source prints flow and AUM but no NAV, AUM change less flow is the market's doing. The
    day on which that is farthest from the fund's median is compared with 5 robust standard
    deviations (5 x 1.4826 x MAD, F13): beyond, either the market moved as it seldom does, or flow
    and AUM are of different days: then the return is opposite to that day's flow (E61).

    grain: one row per source, label, fund and week
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
        description="disagrees: beyond the bound; unknown: fewer than 60 steps to compare with.",
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "label", "fund", "week_ending"]


class Revision(BySource):
    """Every change of a printed number between two vintages, printed or silent (E43, E44, F16).

    Silent ones are estimates: a total to date (month, year, since inception) that grew by another
    amount than the weeks or days between, beyond rounding, and beyond the revisions of earlier ones
    that were printed meanwhile, says that earlier numbers were revised by about so much.

    grain: one row per source, printed table, dimension, label, measure, period, new report and kind
    """

    printed_table: pl.String = pa.Field(description="Which printed table, by the layout's name.")
    dimension: pl.String = pa.Field(description="What the label names; see core.observation.")
    label: pl.String = pa.Field(description="The label as printed.")
    sublabel: pl.String = pa.Field(nullable=True, description="A second printed label.")
    member: pl.String = pa.Field(description="The member; `unmapped` if the reference has none.")
    measure: pl.String = pa.Field(description="What is measured.")
    period: pl.String = pa.Field(description="What span of time; silent: the total to date.")
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
    from_report_id: pl.String = pa.Field(description="The report of the value before.")
    to_report_id: pl.String = pa.Field(description="The report of the new value.")
    sheet: pl.String = pa.Field(description="Sheet of the new value, or table of the page.")
    cell: pl.String = pa.Field(description="Its cell.")
    aum_usd: Money = pa.Field(
        nullable=True,
        description="AUM of the member in the source when the week opened, else at its close.",
    )
    change_pct_of_aum: Share = pa.Field(
        nullable=True, description="The change in percent of it; NULL if AUM is not known."
    )

    class Config(BySource.Config):
        """The grain."""

        unique = [*KEY, "to_report_id", "kind"]


class Build(Strict):
    """How this database was built.

    grain: one row
    """

    built_at: Instant = pa.Field(description="When the build finished.")
    as_of: Instant = pa.Field(
        nullable=True, description="Only what was known by then is in it; NULL for all."
    )
    inputs: pl.String = pa.Field(description="Fingerprint of the weeks, SQL and contracts.")
    duckdb_version: pl.String = pa.Field(description="The DuckDB that wrote the file.")
    versions: pl.String = pa.Field(
        description="Versions of the warehouse's format, of reading and of checking."
    )
    allowed_loss: pl.String = pa.Field(
        nullable=True,
        description="Sources that a person allowed to lose numbers in this build; NULL for none.",
    )


class MissingSession(Strict):
    """Sessions of a source's market of which it has no row: nobody knows what flowed (E74).

    grain: one row per source, label and day
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    label: pl.String = pa.Field(
        nullable=True, description="The fund whose file lacks it; NULL: no fund has a number."
    )
    week_ending: pl.Date = pa.Field(description="The week, which is partial.")
    trade_date: pl.Date = pa.Field(description="The session.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "label", "trade_date"]


class Stale(Strict):
    """What is served as it was before, since what is newer cannot be.

    A report that can no longer be read, lost, damaged, or printed as no layout reads it: what was
    read of it stays. Or a source as a whole, of which new rows break a contract: none of them is
    served.

    grain: one row per source and report
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    report_id: pl.String = pa.Field(
        nullable=True, description="sha256 of the report's bytes; NULL for a whole source."
    )
    name: pl.String = pa.Field(nullable=True, description="The file's name as received.")
    reason: pl.String = pa.Field(description="Why, and what to do.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "report_id"]
