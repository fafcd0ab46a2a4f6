"""E100, E104, E119: dates that cannot be, and weeks that end early."""

from __future__ import annotations

import datetime as dt
from typing import Any

import golden
import pytest
from golden import declared, read_as, workbook
from world import World

from pipelines import weeks
from pipelines.errors import LayoutError, ShapeError
from pipelines.layouts.source import WeekRule
from pipelines.reading.reader import Reading

FLOW = {"measure": "net_flow", "unit": "US$m", "period": "day"}


def days(*formats: str, **layout: Any) -> Any:
    """Return a source with a row for each day and fund."""
    columns = {"Date": {"key": "date", "formats": formats}, "Fund": {"key": "label"}, "Flow": FLOW}
    table = {"header": ["Date", "Fund"], "totals": "none", "columns": columns}
    return declared(table, **layout)


def read(source: Any, *dates: str, above: str = "", **clock: Any) -> Reading:
    """Read a report with a flow for each printed date."""
    rows = [f"{date},ZZA,{number}" for number, date in enumerate(dates, 1)]
    content = "\n".join([*([above] if above else []), "Date,Fund,Flow", *rows]).encode()
    return read_as(source, "days.csv", content, **clock)


def read_days(reading: Reading) -> list[str]:
    return [str(day) for day in reading.observations.get_column("period_end")]


def refusals(reading: Reading) -> list[tuple[Any, ...]]:
    return reading.refused.select("rule", "printed", "week_ending").rows()


# -- the source's first day, and the clocks --------------------------------------------------------


def test_e100_days_before_the_first_week_are_refused_together_in_the_week_of_the_data() -> None:
    reading = read(days(), "1926-01-05", "2026-01-06", "1999-12-31", "2026-01-08")
    assert read_days(reading) == ["2026-01-06", "2026-01-08"]
    friday = dt.date(2026, 1, 9)
    assert refusals(reading) == [("date", "1926-01-05 and 1 more rows", friday)]
    (reason,) = reading.refused.get_column("reason")
    assert "from 2000-01-01 on" in reason


def test_e100_a_day_after_the_report_was_known_is_refused_in_the_week_of_the_data() -> None:
    received = dt.datetime(2026, 1, 9, 12, tzinfo=dt.UTC)
    source = days("%d/%m/%Y")
    reading = read(
        source, "08/01/2026", "09/01/2026", "10/01/2026", "01/02/2026", received=received
    )
    # a day ahead is another time zone
    assert read_days(reading) == ["2026-01-08", "2026-01-09", "2026-01-10"]
    ((rule, printed, week),) = refusals(reading)
    assert (rule, printed) == ("not_from_the_future", "4 of 2026-02-01")
    assert week == dt.date(2026, 1, 16)


def test_e07_a_day_ahead_that_shows_no_number_is_kept_as_the_dash_that_it_is() -> None:
    received = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    content = b"Date,Fund,Flow\n2026-01-05,ZZA,1\n2026-01-09,ZZA,-\n"
    reading = read_as(days(), "days.csv", content, received)
    assert read_days(reading) == ["2026-01-05", "2026-01-09"]


@pytest.mark.parametrize("printed", ["9 January 1926", "9 October 2026"])
def test_e100_a_report_as_of_a_day_that_cannot_be_is_refused(printed: str) -> None:
    with pytest.raises(ShapeError) as refused:
        golden.read_bytes(
            "coinshares",
            "week.xlsx",
            golden.weekly({f"{sheet}!B1": printed for sheet in golden.KEYS}),
        )
    assert "from 2021-01-02" in refused.value.expected
    assert "2023-05-15, when the report was known" in refused.value.expected


def test_e100_a_report_cannot_be_received_in_the_future(tmp_path: Any) -> None:
    world = World(tmp_path / "warehouse")
    file = world.file("week.xlsx", golden.CLEAN)
    said = world.call("add", "coinshares", file, "--received", "9999-01-01")
    assert said.code == 2
    assert "'9999-01-01' is in the future" in said.text
    assert world.call("add", "coinshares", file, "--received", "2023-05-16").code == 0


# -- typed dates among texts -----------------------------------------------------------------------


def mixed(*dates: Any) -> Reading:
    """Read a workbook in which another program has typed some of the dates."""
    rows = [[date, "ZZA", number] for number, date in enumerate(dates, 1)]
    content = workbook({"Days": [["Date", "Fund", "Flow"], *rows]})
    return read_as(days("%d/%m/%Y", container="xlsx"), "days.xlsx", content)


def test_e100_typed_dates_with_day_and_month_swapped_are_refused_with_both_readings() -> None:
    # 8 and 9 January, taken for 1 August and 1 September
    typed = [dt.date(2025, 8, 1), dt.date(2025, 9, 1)]
    reading = mixed("31/12/2024", dt.date(2025, 1, 1), *typed, "13/01/2025", "14/01/2025")
    assert sorted(read_days(reading)) == ["2024-12-31", "2025-01-01", "2025-01-13", "2025-01-14"]
    assert [printed for _, printed, _ in refusals(reading)] == [
        "2025-08-01 (typed), 2025-01-08 in the order of the file",
        "2025-09-01 (typed), 2025-01-09 in the order of the file",
    ]
    newest_first = mixed("14/01/2025", "13/01/2025", *reversed(typed), "31/12/2024")
    assert len(refusals(newest_first)) == 2


def test_e100_typed_dates_that_keep_the_order_of_the_texts_are_read() -> None:
    reading = mixed(dt.date(2025, 1, 8), dt.date(2025, 1, 9), "13/01/2025", dt.date(2025, 1, 14))
    assert len(read_days(reading)) == 4
    assert refusals(reading) == []
    assert len(read_days(mixed(dt.date(2025, 9, 1), dt.date(2025, 8, 1)))) == 2


# -- a year that is not printed --------------------------------------------------------------------


@pytest.mark.parametrize(
    "above", ["As of: 9 January 2026", "Published: 12 January 2026"], ids=["as_of", "published"]
)
def test_e100_a_day_without_a_year_has_that_of_the_reports_own_date(above: str) -> None:
    caption, _, _ = above.partition(":")
    fact = {"caption": caption, "formats": ["%d %B %Y"]}
    name = "as_of" if caption == "As of" else "published"
    source = days("%d %b", facts={name: fact})
    reading = read(source, "31 Dec", "5 Jan", "09 Jan", above=above)
    assert read_days(reading) == ["2025-12-31", "2026-01-05", "2026-01-09"]
    assert refusals(reading) == []


def test_e100_without_a_date_of_the_report_the_year_is_missing() -> None:
    reading = read(days("%d %b", "%d %b %Y"), "31 Dec", "5 Jan 2026")
    assert read_days(reading) == ["2026-01-05"]
    (reason,) = reading.refused.get_column("reason")
    assert "the year is missing" in reason
    # a year that the declared format has and the row lacks is missing, too
    assert (
        "the year is missing" in read(days("%d %b %Y"), "5 Jan", "6 Jan 2026").refused["reason"][0]
    )


def test_e100_the_reports_own_date_without_its_year_is_no_date() -> None:
    fact = {"as_of": {"caption": "As of", "formats": ["%d %B"]}}
    with pytest.raises(ShapeError, match="the year is missing"):
        read(days(facts=fact), "2026-01-05", above="As of: 9 January")


# -- months, and rows that nothing dates -----------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["%Y-%m", "%b %Y", "%B", "%Y", "%Y-W%V", "%-d %b %Y", "YYYY-MM-DD"]
)
def test_e119_a_format_that_prints_no_day_is_an_error_of_its_layout(form: str) -> None:
    fact = {"as_of": {"caption": "As of", "formats": form}}
    for formats, facts in ((["%d %b %Y", form], {}), (["%d %b %Y"], fact)):
        with pytest.raises(LayoutError) as refused:
            days(*formats, facts=facts)
        assert f"{form!r} is no strptime format of a day" in refused.value.found


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d %b", "%m/%d/%y", "%Y%m%d", "%A, %d %B %Y", "%d.%m.", "%b %d, %Y %H:%M"]
)
def test_e119_a_format_of_a_day_may_print_more_than_that_day_or_less(form: str) -> None:
    assert days(form)


def test_rows_that_nothing_dates_are_an_error_of_their_layout() -> None:
    """Not of each report: no report has a dated row under such a layout."""
    columns = {"Fund": {"key": "label"}, "Flow": FLOW}
    table = {"header": ["Fund", "Flow"], "totals": "none", "columns": columns}
    with pytest.raises(LayoutError) as refused:
        declared(table)
    assert "table only: no column is the date of a row" in refused.value.found
    assert declared(table, facts={"as_of": {"caption": "As of"}})


# -- weeks that end early --------------------------------------------------------------------------


def weekly(*early: str, dated: bool) -> Any:
    columns: dict[str, Any] = {
        "Asset": {"key": "label"},
        "Flow": {"measure": "net_flow", "unit": "US$m", "period": "week"},
    }
    if dated:
        columns["Week"] = {"key": "date", "formats": ["%d %B %Y"]}
    table = {"header": ["Asset", "Flow"], "dimension": "asset", "columns": columns}
    facts = {} if dated else {"as_of": {"caption": "As of", "formats": ["%d %B %Y"]}}
    rule = WeekRule(ends="friday", first=dt.date(2000, 1, 7), ended_early=early)
    return declared(table, facts=facts).model_copy(update={"week": rule})


def weeks_of(day: str, *early: str) -> list[set[Any]]:
    """Return the weeks of a report of that day: dated once, and dated in every row."""
    once = f"As of: {day}\nAsset,Flow\nBitcoin,100\nEthereum,-20\n"
    in_rows = f"Asset,Flow,Week\nBitcoin,100,{day}\nEthereum,-20,{day}\n"
    found: list[set[Any]] = []
    for text, dated in ((once, False), (in_rows, True)):
        try:
            reading = read_as(weekly(*early, dated=dated), "week.csv", text.encode())
        except ShapeError as error:
            found.append({error.what})
        else:
            found.append(set(reading.observations.get_column("week_ending")))
    return found


@pytest.mark.parametrize(
    ("day", "early"),
    [
        ("2 April 2026", ()),  # Good Friday 2026-04-03
        ("24 December 2020", ()),
        ("31 December 2020", ()),
        ("1 July 2026", ("2026-07-01",)),  # declared
        ("3 April 2026", ()),
    ],
)
def test_e104_a_week_that_ends_before_a_holiday_is_that_week_on_every_path(
    day: str, early: tuple[str, ...]
) -> None:
    friday = weeks.week_ending(dt.datetime.strptime(day, "%d %B %Y").date(), "friday")  # noqa: DTZ007
    assert weeks_of(day, *early) == [{friday}, {friday}]


@pytest.mark.parametrize("day", ["1 April 2026", "6 April 2026", "9 April 2026"])
def test_e31_e104_any_other_day_ends_no_week_on_any_path(day: str) -> None:
    once, in_rows = weeks_of(day)
    assert any("The report is as of" in str(what) for what in once)
    assert in_rows == set() or any("no" in str(what) for what in in_rows)


def test_e104_good_fridays_of_four_centuries() -> None:
    known = ["1818-03-20", "1943-04-23", "2008-03-21", "2024-03-29", "2025-04-18", "2038-04-23"]
    for good_friday in map(dt.date.fromisoformat, known):
        assert weeks.ends_a_week(good_friday - weeks.ONE_DAY, "friday")
        assert not weeks.ends_a_week(good_friday + 6 * weeks.ONE_DAY, "friday")
