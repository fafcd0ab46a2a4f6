"""A year of five funds with every corporate action, known by construction; and random paths.

The expected bridge is made here in plain Decimal from share creations and NAV paths, without any
formula of the SQL: what was created is flow, what prices and rates did to the shares held is
market and FX.
"""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.bridge_world import DIMENSIONS, EFFECTS, BridgeWorld, closes

pytestmark = pytest.mark.slow

YEAR = [dt.date(2025, 1, 1) + dt.timedelta(days=each) for each in range(365)]
SESSIONS = [each for each in YEAR if each.isoweekday() in (1, 3, 5) and each.day <= 31]
HOLIDAYS = {dt.date(2025, *each) for each in ((1, 1), (4, 18), (4, 21), (5, 1), (12, 25), (12, 26))}
ZERO = Decimal("0.00")
STOCKS = ("aum_open", "aum_close")


def on(month: int, of_month: int) -> dt.date:
    return dt.date(2025, month, of_month)


SPLIT, ISSUER_CHANGE, SPIN_OFF = on(3, 10), on(6, 18), on(7, 9)
LAUNCH, CONVERSION, DISTRIBUTION = on(2, 5), on(1, 22), on(5, 14)
REVERSE, MERGER, CLOSURE = on(9, 8), on(10, 8), on(12, 10)
FIRST = {
    "alpha-us": on(1, 1),
    "bravo-us": SPIN_OFF,
    "cedar-ca": on(1, 1),
    "delta-us": CONVERSION,
    "echo-us": LAUNCH,
}
LAST = {"bravo-us": on(12, 8), "delta-us": on(10, 6)}
ASSET = {fund: "ETH" if fund[0] in "cde" else "BTC" for fund in FIRST}
PRODUCT = {"bravo-us": "futures_etf", "cedar-ca": "trust"}
ISSUER = {"bravo-us": "south", "cedar-ca": "maple", "delta-us": "east", "echo-us": "east"}


def issuer_of(fund: str, day: dt.date) -> str:
    return ISSUER.get(fund) or ("north" if day < ISSUER_CHANGE else "south")


def week_of(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=(5 - day.isoweekday()) % 7)


@dataclass
class Book:
    """What is known of every fund, week and issuer, and the rows that a report prints of it."""

    rates: dict[dt.date, Decimal]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    effects: dict[tuple[str, dt.date, str], dict[str, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys((*EFFECTS, *STOCKS), ZERO))
    )
    shares: dict[str, Decimal] = field(default_factory=dict)
    nav: dict[str, Decimal] = field(default_factory=dict)
    seed: Decimal = ZERO
    leaving: Decimal = ZERO

    def aum(self, fund: str) -> Decimal:
        return self.shares[fund] * self.nav[fund]

    def book(self, fund: str, day: dt.date, **amounts: Decimal) -> None:
        entry = self.effects[fund, week_of(day), issuer_of(fund, day)]
        for name, amount in amounts.items():
            entry[name] += amount

    def print(self, fund: str, day: dt.date) -> None:
        currency = "CAD" if fund == "cedar-ca" else "USD"
        self.rows[currency].append(
            {
                "date": day,
                "fund": fund[:-3].upper(),
                "shares": self.shares[fund] / 1_000_000,
                "nav": self.nav[fund],
            }
        )


def a_year() -> Book:
    """Play the year: 10,000 shares and a cent are the smallest steps, so all dollars are exact."""
    chance = random.Random(20250101)
    rates, rate = {dt.date(2024, 12, 31): Decimal("0.7000")}, Decimal("0.7000")
    for day in YEAR:
        if day.isoweekday() < 6 and day not in HOLIDAYS:
            rate += Decimal(chance.randint(-40, 40)) / 10_000
            rates[day] = rate
    book = Book(rates)
    rate_before: Decimal = rates[dt.date(2024, 12, 31)]
    for day in SESSIONS:
        rate = rates[max(each for each in rates if each <= day)]
        merging = book.aum("delta-us") if day == MERGER else ZERO
        for fund, first in FIRST.items():
            if first <= day <= LAST.get(fund, day):
                e0, e1 = (rate_before, rate) if fund == "cedar-ca" else (Decimal(1), Decimal(1))
                if day == first:
                    _enter(book, fund, day, e1)
                else:
                    _step(book, chance, fund, day, rates=(e0, e1), merging=merging)
                book.print(fund, day)
        if day == MERGER:
            book.book("delta-us", day, corporate_action=-merging)
        if day == CLOSURE:
            book.book("bravo-us", day, net_flow=-book.aum("bravo-us"))
        rate_before = rate
    _stocks(book)
    return book


def _enter(book: Book, fund: str, day: dt.date, rate: Decimal) -> None:
    book.nav[fund] = Decimal("10.00")
    book.shares[fund] = Decimal(3_000_000)
    if fund == "bravo-us":
        # One share for every four of alpha, at alpha's NAV: a fifth of what both are worth.
        book.nav[fund] = book.nav["alpha-us"]
        book.shares[fund] = book.leaving / book.nav[fund]
    aum = book.aum(fund) * rate
    if fund == "echo-us":
        book.seed += aum
        book.book(fund, day, net_flow=aum)
    elif fund == "bravo-us":
        book.book(fund, day, corporate_action=aum)
    else:
        book.book(fund, day, universe_effect=aum)


def _step(
    book: Book,
    chance: random.Random,
    fund: str,
    day: dt.date,
    *,
    rates: tuple[Decimal, Decimal],
    merging: Decimal,
) -> None:
    e0, e1 = rates
    before = book.aum(fund)
    if (fund, day) == ("alpha-us", ISSUER_CHANGE):
        week = week_of(day)
        book.effects[fund, week, "north"]["universe_effect"] -= before
        book.effects[fund, week, "south"]["universe_effect"] += before
    factor = {("alpha-us", SPLIT): Decimal(3), ("bravo-us", REVERSE): Decimal("0.2")}.get(
        (fund, day), Decimal(1)
    )
    drop = Decimal("0.35") if (fund, day) == ("cedar-ca", DISTRIBUTION) else ZERO
    held = book.shares[fund] * factor
    scale = Decimal("0.8") if (fund, day) == ("alpha-us", SPIN_OFF) else Decimal(1)
    nav = (book.nav[fund] * scale / factor).quantize(Decimal("0.01"))
    nav += Decimal(chance.randint(-30, 31)) / 100 - drop
    created = Decimal(chance.choice((0, 0, -1, 1, 2)) * 50_000)
    transfer = ZERO
    if (fund, day) == ("alpha-us", SPIN_OFF):
        # Valued after the day's market, which moves what stays and what leaves alike.
        book.leaving = held * nav / 4
        transfer = -book.leaving
    if fund == "echo-us" and merging:
        nav, transfer = Decimal("20.00"), merging
        # Shares are issued for what arrives; they are no creation.
        market = held * nav - before
        held += merging / nav
    else:
        market = held * nav - before - transfer
    book.shares[fund], book.nav[fund] = held + created, nav
    book.book(
        fund,
        day,
        net_flow=created * nav * e1,
        market_effect=market * e1,
        fx_effect=before * (e1 - e0),
        corporate_action=transfer,
    )


def _stocks(book: Book) -> None:
    """Opening AUM is the closing one of the week before, under the issuer of then."""
    closing: dict[str, tuple[Decimal, str]] = {}
    for fund in FIRST:
        weeks = sorted({week for of, week, _ in book.effects if of == fund})
        for week in weeks:
            parts = {
                key[2]: value for key, value in book.effects.items() if key[:2] == (fund, week)
            }
            opening, opened_by = closing.get(fund, (ZERO, ""))
            if opened_by in parts:
                parts[opened_by]["aum_open"] = opening
            for each in parts.values():
                each["aum_close"] = each["aum_open"] + sum(each[name] for name in EFFECTS)
            last = list(parts)[-1]
            closing[fund] = (parts[last]["aum_close"], last)


@pytest.fixture(scope="module")
def book() -> Book:
    return a_year()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, book: Book) -> BridgeWorld:
    made = BridgeWorld(tmp_path_factory.mktemp("five"))
    for issuer in ("north", "south", "east", "maple"):
        made.issuer(issuer)
    for fund in FIRST:
        made.fund(
            fund,
            asset=ASSET[fund],
            issuer=ISSUER.get(fund),
            currency="CAD" if fund == "cedar-ca" else "USD",
            product_type=PRODUCT.get(fund, "spot_etf"),
        )
    made.refer(
        "fund_issuer",
        fund="alpha-us",
        issuer="north",
        valid_from="1900-01-01",
        valid_to=ISSUER_CHANGE - dt.timedelta(days=1),
    )
    made.refer("fund_issuer", fund="alpha-us", issuer="south", valid_from=ISSUER_CHANGE)
    made.action("split", str(SPLIT), "alpha-us", shares_new=3, shares_old=1)
    made.action("split", str(REVERSE), "bravo-us", shares_new=1, shares_old=5)
    made.action("distribution", str(DISTRIBUTION), "cedar-ca", per_share="0.35")
    made.action("spin_off", str(SPIN_OFF), "alpha-us", counterpart="bravo-us", fraction="0.20")
    made.action("conversion", str(CONVERSION), "delta-us")
    made.action("launch", str(LAUNCH), "echo-us")
    made.action("merger", str(MERGER), "delta-us", counterpart="echo-us", fraction="1")
    made.action("closure", str(CLOSURE), "bravo-us")
    made.rates({str(day): {"USD": rate, "CAD": "1.0"} for day, rate in book.rates.items()})
    for currency, rows in book.rows.items():
        made.report("five", rows, currency=currency)
    return made.publish()


def test_f4_e09_to_e18_e27_e39_the_bridge_of_every_fund_and_week_is_the_one_constructed(
    world: BridgeWorld, book: Book
) -> None:
    found = {
        (row["fund"], row["week_ending"], row["issuer"]): {
            name: row[f"{name}_usd"] or ZERO for name in (*EFFECTS, *STOCKS)
        }
        for row in world.rows("from mart.fund_bridge where source = 'five'")
    }
    assert found.keys() == book.effects.keys()
    wrong = {
        key: (found[key], book.effects[key]) for key in found if found[key] != book.effects[key]
    }
    assert wrong == {}


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_f4_every_aggregate_is_the_sum_of_what_was_constructed(
    world: BridgeWorld, book: Book, dimension: str
) -> None:
    wanted: dict[tuple[str, dt.date], dict[str, Decimal]] = defaultdict(
        lambda: dict.fromkeys((*EFFECTS, *STOCKS), ZERO)
    )
    for (fund, week, issuer), amounts in book.effects.items():
        member = {
            "fund": fund,
            "asset": ASSET[fund],
            "issuer": issuer,
            "issuer_as_is": issuer_of(fund, on(12, 31)),
            "sponsor": f"{issuer.title()} Inc.",
            "country": fund[-2:].upper(),
            "product_type": PRODUCT.get(fund, "spot_etf"),
            "total": "total",
        }[dimension]
        for name, amount in amounts.items():
            wanted[member, week][name] += amount
    rows = world.rows("from mart.aum_change where source = 'five' and dimension = ?", dimension)
    assert all(closes(row) for row in rows)
    found = {
        (row["member"], row["week_ending"]): {
            name: row[f"{name}_usd"] or ZERO for name in (*EFFECTS, *STOCKS)
        }
        for row in rows
    }
    assert found.keys() == wanted.keys()
    assert {key: (found[key], wanted[key]) for key in found if found[key] != wanted[key]} == {}


def test_e13_e17_transfers_net_to_zero_over_the_year(world: BridgeWorld) -> None:
    rows = world.rows(
        "select week_ending, sum(corporate_action_usd) as net, "
        "sum(abs(corporate_action_usd)) as gross from mart.fund_bridge group by all "
        "having gross > 0"
    )
    assert {row["week_ending"] for row in rows} == {week_of(SPIN_OFF), week_of(MERGER)}
    assert {row["net"] for row in rows} == {ZERO}


def test_e15_only_the_launch_is_seed(world: BridgeWorld, book: Book) -> None:
    rows = world.rows("from mart.fund_bridge where seed_flow_usd <> 0")
    assert [(row["fund"], row["seed_flow_usd"]) for row in rows] == [("echo-us", book.seed)]


def test_f17_the_year_to_date_is_the_sum_of_all_flows(world: BridgeWorld, book: Book) -> None:
    row = world.one(
        "from mart.period_flows where dimension = 'total' and week_ending = ?", on(12, 26)
    )
    weeks = [key for key in book.effects if key[1] <= on(12, 26)]
    total = sum(book.effects[key]["net_flow"] for key in weeks)
    assert row["ytd_net_flow_usd"] == row["since_inception_net_flow_usd"] == total


# -- random paths --------------------------------------------------------------------------------

DAYS = [dt.date(2025, 5, 5) + dt.timedelta(days=each) for each in (0, 1, 3, 4, 7, 8, 11, 18)]
# Percentages have six places of 18 digits: from a hundred dollars to nearly a trillion.
_shares = st.decimals("0.010000", "900", places=6)
_nav = st.decimals("0.0100", "999", places=4)
_rate = st.decimals("0.2", "3", places=4)
_position = st.one_of(st.none(), st.tuples(_shares, _nav))
_path = st.lists(_position, min_size=len(DAYS), max_size=len(DAYS))
_aum = st.lists(st.booleans(), min_size=len(DAYS), max_size=len(DAYS))


@settings(
    max_examples=8,
    # A world takes half a second: shrinking one would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(
    paths=st.fixed_dictionaries(dict.fromkeys(("one-us", "two-us", "three-ca", "four-ca"), _path)),
    only_assets=st.booleans(),
    rates=st.lists(_rate, min_size=19, max_size=19),
    weight=st.decimals("0.000001", "1", places=6),
)
def test_f4_random_paths_close_and_dimensions_agree(
    paths: dict[str, list[tuple[Decimal, Decimal] | None]],
    only_assets: bool,
    rates: list[Decimal],
    weight: Decimal,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = BridgeWorld(Path(folder))
        for fund, asset, issuer in zip(
            paths, ("BTC", "ETH", "BTC", "MULTI"), ("ark", "vaneck", "3iq", "ark"), strict=True
        ):
            world.fund(fund, asset=asset, issuer=issuer)
        world.refer(
            "fund_holding", fund="four-ca", holds="one-us", weight=weight, valid_from="2000-01-01"
        )
        world.action("split", "2025-05-08", "one-us", shares_new=7, shares_old=3)
        world.action(
            "spin_off", "2025-05-12", "two-us", counterpart="three-ca", fraction="0.3333333333"
        )
        world.action("merger", "2025-05-16", "four-ca", counterpart="one-us", fraction="1")
        world.rates(
            {
                str(DAYS[0] + dt.timedelta(days=each)): {"USD": rate, "CAD": "1.3457"}
                for each, rate in enumerate(rates)
            }
        )
        for currency in ("USD", "CAD"):
            rows = [
                {
                    "date": day,
                    "fund": fund[:-3].upper(),
                    **_said(position, only_assets=only_assets),
                }
                for fund, path in paths.items()
                if (fund[-2:] == "ca") == (currency == "CAD")
                for day, position in zip(DAYS, path, strict=True)
            ]
            world.report("random", rows, currency=currency)
        _agrees(world.publish())


def _said(position: tuple[Decimal, Decimal] | None, *, only_assets: bool) -> dict[str, object]:
    shares, nav = position or (None, None)
    if only_assets:
        aum = None if shares is None or nav is None else round(shares * nav, 8)
        return {"nav": nav, "aum": aum}
    return {"shares": shares, "nav": nav}


def _agrees(world: BridgeWorld) -> None:
    for table in ("fund_bridge", "aum_change"):
        rows = world.rows(f"from mart.{table} where market_effect_usd is not null")
        assert [row for row in rows if not closes(row)] == []
    names = [f"{name}_usd" for name in (*EFFECTS, *STOCKS) if name != "market_effect"]
    sums = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in names)
    rows = world.rows(
        f"select week_ending, dimension, {sums} from mart.aum_change group by all order by all"
    )
    said = {
        (row.pop("week_ending"), row.pop("dimension")): tuple(row[name] for name in names)
        for row in rows
    }
    for (week, dimension), amounts in said.items():
        other = "fund" if dimension in ("fund", "country") else "total"
        assert amounts == said[week, other], (week, dimension)
    funds = world.rows(
        "select week_ending, fund, sum(aum_close_usd) as aum_close "
        "from mart.fund_bridge group by all"
    )
    by_fund = world.rows("from mart.aum_change where dimension = 'fund'")
    assert {(row["week_ending"], row["fund"], row["aum_close"]) for row in funds} == {
        (row["week_ending"], row["member"], row["aum_close_usd"]) for row in by_fund
    }
