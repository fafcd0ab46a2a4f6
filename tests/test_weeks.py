"""Weeks: the date they end on, calendar periods, and runs without a gap."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import weeks

DAYS = st.dates(dt.date(1993, 1, 1), dt.date(2100, 12, 31))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("date", "ends", "week"),
    [
        ("2026-01-23", "friday", "2026-01-23"),  # a day is in the week that it ends
        ("2026-01-24", "friday", "2026-01-30"),
        ("2026-01-26", "friday", "2026-01-30"),  # the Monday of publication is the next week's
        ("2026-02-14", "friday", "2026-02-20"),
        ("2023-11-29", "wednesday", "2023-11-29"),
        ("2023-11-30", "wednesday", "2023-12-06"),
        ("2023-11-21", "wednesday", "2023-11-22"),
        # E33: ISO calls these 2026-W01 and 2026-W53
        ("2025-12-29", "friday", "2026-01-02"),
        ("2025-12-29", "wednesday", "2025-12-31"),
        ("2027-01-01", "friday", "2027-01-01"),
        ("2027-01-01", "wednesday", "2027-01-06"),
    ],
)
def test_a_day_belongs_to_the_week_that_ends_next(date, ends, week):
    assert weeks.week_ending(day(date), ends) == day(week)


@given(DAYS, st.sampled_from(weeks.WEEKDAYS))
def test_a_week_has_seven_days_and_ends_on_its_weekday(date, ends):
    week = weeks.week_ending(date, ends)
    assert f"{week:%A}".lower() == ends
    assert weeks.week_start(week) <= date <= week
    assert (week - weeks.week_start(week)).days == 6
    assert {weeks.week_ending(week - dt.timedelta(days=n), ends) for n in range(7)} == {week}
    assert weeks.week_of(weeks.key_of(week)) == week


@pytest.mark.parametrize(
    ("period", "end", "start"),
    [
        ("day", "2026-01-02", "2026-01-02"),
        ("close", "2026-01-02", "2026-01-02"),
        ("week", "2026-01-02", "2025-12-27"),  # E34: the week straddles New Year
        ("ytd", "2026-01-02", "2026-01-01"),  # the year does not
        ("ytd", "2025-12-29", "2025-01-01"),  # E33: ISO would begin 2026 here
        ("ytd", "2027-01-01", "2027-01-01"),  # E33: ISO would still be in 2026
        ("mtd", "2026-01-02", "2026-01-01"),
        ("mtd", "2023-06-02", "2023-06-01"),  # E35: the week began in May
        ("mtd", "2024-02-29", "2024-02-01"),
        ("qtd", "2026-01-02", "2026-01-01"),
        ("qtd", "2026-06-30", "2026-04-01"),
        ("qtd", "2026-12-31", "2026-10-01"),
    ],
)
def test_calendar_periods_begin_with_the_calendar_and_not_with_the_week(period, end, start):
    week = weeks.week_ending(day(end), "friday")
    assert weeks.period_start(period, day(end), week=week) == day(start)


@pytest.mark.parametrize(
    ("week", "start", "end"),
    [
        ("2023-11-15", "2023-11-09", "2023-11-15"),
        ("2023-11-22", "2023-11-16", "2023-11-21"),
        ("2023-11-29", "2023-11-22", "2023-11-29"),
        ("2023-12-06", "2023-11-30", "2023-12-06"),
    ],
)
def test_e32_a_week_that_ended_early_leaves_its_days_to_the_next(week, start, end):
    early = [day("2023-11-21")]
    assert weeks.week_start(day(week), early) == day(start)
    assert weeks.week_end(day(week), early) == day(end)
    assert weeks.period_start("week", day(end), week=day(week), early=early) == day(start)


def test_a_week_that_is_read_in_its_middle_begins_with_the_week():
    assert weeks.period_start("week", day("2026-01-20"), week=day("2026-01-23")) == day(
        "2026-01-17"
    )


def test_since_inception_begins_at_inception():
    start = weeks.period_start("since_inception", day("2026-01-02"), inception=day("2024-01-11"))
    assert start == day("2024-01-11")


@given(DAYS, st.sampled_from(["day", "close", "week", "mtd", "qtd", "ytd"]))
def test_no_period_begins_after_its_end(end, period):
    start = weeks.period_start(period, end, week=weeks.week_ending(end, "friday"))
    assert start <= end
    if period in ("mtd", "qtd", "ytd"):
        assert (start.day, start.year) == (1, end.year)


def test_the_day_offset_counts_from_sunday_as_cron_does():
    assert [weeks.cron_day_offset(ends) for ends in ("sunday", "monday", "friday", "saturday")] == [
        0, 1, 5, 6,
    ]  # fmt: skip


FRIDAY = day("2024-01-05")


@given(st.lists(st.integers(0, 40), max_size=30))
def test_runs_of_weeks_are_the_weeks_and_maximal(numbers):
    some = [FRIDAY + number * weeks.ONE_WEEK for number in numbers]
    runs = list(weeks.runs_of_weeks(some))
    union = [
        first + number * weeks.ONE_WEEK
        for first, last in runs
        for number in range((last - first).days // 7 + 1)
    ]
    assert union == sorted(set(some))
    assert all(first <= last for first, last in runs)
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(runs)]
    assert all(gap > weeks.ONE_WEEK for gap in gaps)


def test_one_missing_week_parts_two_runs():
    some = [FRIDAY + number * weeks.ONE_WEEK for number in (3, 0, 1, 4, 1)]
    assert list(weeks.runs_of_weeks(some)) == [
        (day("2024-01-05"), day("2024-01-12")),
        (day("2024-01-26"), day("2024-02-02")),
    ]
