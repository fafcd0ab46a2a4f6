"""The template and the samples, through write and read: what was written is what is read."""

from __future__ import annotations

import datetime as dt
import hashlib
import runpy
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import LayoutError
from pipelines.ingest.form import write_workbook
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.reading.reader import Inspection, Reading, inspect
from pipelines.report import Report

SAMPLES = Path(__file__).parents[1] / "samples"
FRIDAY = dt.date(2026, 1, 23)
MILLION = 10**6
LABELS = {
    "by_asset": ["BTC", "Short Bitcoin", "Other"],
    "by_provider": ["iShares", "=SUM(A1)"],
    "by_country": ["United States"],
}


@pytest.fixture(scope="module")
def weekly() -> Source:
    return sources()["coinshares"]


def read_file(source: Source, file: Path) -> Reading:
    return inspect_file(source, file).reading


def inspect_file(source: Source, file: Path) -> Inspection:
    content = file.read_bytes()
    received = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    report = Report(source.name, hashlib.sha256(content).hexdigest(), file.name, received)
    return inspect(source, report, content)


def said(reading: Reading, table: str) -> dict[str, tuple[Decimal | None, Decimal | None, str]]:
    """The week flows of a table: value, half unit and null reason (or text) by label."""
    length = (pl.col("period_end") - pl.col("period_start")).dt.total_days()
    flows = reading.observations.filter(
        (pl.col("printed_table") == table) & (pl.col("measure") == "net_flow") & (length == 6)
    )
    return {
        row["label"]: (row["value"], row["half_unit"], row["null_reason"] or row["printed"])
        for row in flows.iter_rows(named=True)
    }


def test_a_blank_template_is_read_with_all_its_labels_and_no_number(
    weekly: Source, tmp_path: Path
) -> None:
    file = tmp_path / "blank.xlsx"
    write_workbook(weekly, weekly.layouts[0], file, facts={"as_of": FRIDAY}, labels=LABELS)
    seen = inspect_file(weekly, file)
    reading = seen.reading
    for table, labels in LABELS.items():
        assert list(said(reading, table)) == [*labels, "Total"]
    assert reading.observations["null_reason"].unique().to_list() == ["blank"]
    assert reading.refused.is_empty()
    assert seen.facts == {"as_of": "2026-01-23"}


def test_a_filled_workbook_says_exactly_what_was_written(weekly: Source, tmp_path: Path) -> None:
    written = {
        "BTC": ("-1.09bn", (-1090 * MILLION, 5 * MILLION, "-1.09bn")),
        "ETH": (Decimal("-630"), (-630 * MILLION, MILLION / 2, "-630")),
        "XRP": (Decimal("-18.20"), (Decimal("-18200000"), 5000, "-18.20")),
        "SUI": (-6, (-6 * MILLION, MILLION / 2, "-6")),
        "SOL": (17.1, (17100000, 50000, "17.1")),
        "LTC": (Decimal("0.0"), (0, 50000, "0.0")),
        "TRX": ("not declared", (None, None, "not_declared")),
        "ADA": (None, (None, None, "blank")),
        "Total": ("-1.73bn", (-1730 * MILLION, 5 * MILLION, "-1.73bn")),
    }
    rows = [
        {"Asset": label, "Week flow": value, "Read from": "a page"}
        for label, (value, _) in written.items()
    ]
    facts = {"as_of": FRIDAY, "published": dt.date(2026, 1, 26), "completeness": "as quoted"}
    file = tmp_path / "filled.xlsx"
    write_workbook(weekly, weekly.layouts[0], file, facts=facts, rows={"by_asset": rows})
    seen = inspect_file(weekly, file)
    reading = seen.reading
    assert said(reading, "by_asset") == {label: read for label, (_, read) in written.items()}
    assert seen.facts == {name: str(fact) for name, fact in facts.items()}
    assert not reading.complete
    assert reading.refused.is_empty()


figure = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False)


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(figures=st.lists(figure, min_size=1, max_size=30))
def test_any_number_keeps_its_value_and_its_digits(
    weekly: Source, tmp_path: Path, figures: list[Decimal]
) -> None:
    rows = [{"Asset": f"asset {n}", "Week flow": figure + 0} for n, figure in enumerate(figures)]
    file = tmp_path / "any.xlsx"
    write_workbook(
        weekly, weekly.layouts[0], file, facts={"as_of": FRIDAY}, rows={"by_asset": rows}
    )
    found = said(read_file(weekly, file), "by_asset")
    found.pop("Total")
    assert [value for value, _, _ in found.values()] == [each * MILLION for each in figures]
    assert {half for _, half, _ in found.values()} == {Decimal(5000)}


def test_more_digits_than_a_workbook_holds_are_written_as_text(
    weekly: Source, tmp_path: Path
) -> None:
    exact = Decimal("1234567890123456.78")
    rows = {"by_asset": [{"Asset": "BTC", "AUM": exact}]}
    file = tmp_path / "long.xlsx"
    write_workbook(weekly, weekly.layouts[0], file, facts={"as_of": FRIDAY}, rows=rows)
    observations = read_file(weekly, file).observations
    assert observations.filter(measure="aum", label="BTC")["value"].item() == exact * MILLION


def test_the_same_input_gives_the_same_bytes(weekly: Source, tmp_path: Path) -> None:
    files = [tmp_path / "once.xlsx", tmp_path / "twice.xlsx"]
    for file in files:
        write_workbook(weekly, weekly.layouts[0], file, facts={"as_of": FRIDAY}, labels=LABELS)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        {"facts": {"author": "x"}},
        {"rows": {"by_fund": []}},
        {"labels": {"by_fund": ["IBIT"]}},
        {"rows": {"by_asset": [{"Asset": "BTC", "Flow": Decimal(1)}]}},
    ],
    ids=["fact", "table", "table of labels", "column"],
)
def test_what_would_get_no_cell_is_refused(
    weekly: Source, tmp_path: Path, wrong: dict[str, dict[str, object]]
) -> None:
    with pytest.raises(ValueError, match="layout weekly_workbook has no"):
        write_workbook(weekly, weekly.layouts[0], tmp_path / "never.xlsx", **wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["ark_bloomberg", "canary", "farside_btc"])
def test_a_layout_without_one_workbook_has_no_template(name: str, tmp_path: Path) -> None:
    source = sources()[name]
    for layout in source.layouts:
        with pytest.raises(LayoutError, match="no template"):
            write_workbook(source, layout, tmp_path / "never.xlsx")


def test_the_samples_are_what_make_writes(tmp_path: Path) -> None:
    runpy.run_path(str(SAMPLES / "make.py"))["build"](tmp_path)
    made = {file.relative_to(tmp_path): file.read_bytes() for file in tmp_path.rglob("*.*")}
    kept = SAMPLES / "reports"
    assert made == {file.relative_to(kept): file.read_bytes() for file in kept.rglob("*.*")}


def test_every_sample_is_read_without_a_refused_row() -> None:
    reports = sorted((SAMPLES / "reports").glob("*/*.*"))
    assert len(reports) == 17
    for file in reports:
        assert read_file(sources()[file.parent.name], file).refused.is_empty(), file.name


def test_the_week_that_was_quoted_whole_adds_up(weekly: Source) -> None:
    file = SAMPLES / "reports" / "coinshares" / "coinshares_2023-05-12.xlsx"
    reading = read_file(weekly, file)
    assets, countries = said(reading, "by_asset"), said(reading, "by_country")
    assert assets.pop("Total")[0] == countries.pop("Total")[0] == Decimal("-53.7") * MILLION
    assert sum(value or 0 for value, _, _ in assets.values()) == Decimal("-53.7") * MILLION
    assert sum(value or 0 for value, _, _ in countries.values()) == Decimal("-53.6") * MILLION
    assert countries["France"] == (None, None, "not_declared")
    assert reading.complete


def test_the_sample_page_gives_the_weeks_of_the_publisher() -> None:
    source = sources()["farside_btc"]
    days = read_file(source, SAMPLES / "reports" / "farside_btc" / "btc.html").observations
    for dimension in ("total", "fund"):
        weeks = days.filter(dimension=dimension).group_by("week_ending").agg(pl.col("value").sum())
        flow = dict(weeks.iter_rows())
        assert flow[dt.date(2025, 11, 7)] == Decimal("-1208.4") * MILLION
        assert flow[FRIDAY] == Decimal("-1324.1") * MILLION
