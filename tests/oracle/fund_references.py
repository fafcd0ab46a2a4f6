"""The reference rows of a random world: identities, issuers and corporate actions of its funds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from tests.oracle.worlds import DAY, ISSUERS, World


@dataclass(slots=True)
class FundPath:
    """A fund on its way through a world."""

    fund: str
    labels: list[str]
    currency: str
    first: int
    last: int
    shares: Decimal
    nav: Decimal
    rows: dict[dt.date, dict[str, Decimal | None]] = field(default_factory=dict)
    currencies: dict[dt.date, str] = field(default_factory=dict)


def declare(
    chance: Random, world: World, path: FundPath, sessions: list[dt.date], paths: list[FundPath]
) -> None:
    """Say which fund a label is, who issues it and what happens to it."""
    if chance.random() < 0.05:
        return  # a label that no reference row names

    def refer(table: str, **values: Any) -> None:
        world.references.append((table, values))

    refer(
        "fund",
        fund=path.fund,
        fund_name=path.fund.title(),
        asset=chance.choice(["BTC", "ETH", "SHORT-BTC"]),
        currency=path.currency,
        listing_country=path.fund[-2:].upper(),
        domicile=chance.choice(["US", "CA", "DE", None]),
        product_type="spot_etf",
        leverage=chance.choice([1, 1, 2]),
        direction=chance.choice([1, 1, -1]),
        is_hedged=chance.random() < 0.3,
        underlying_currency=chance.choice(["USD", "USD", "EUR"]),
    )
    for label in path.labels:
        values = {"kind": "ticker", "identifier": label, "valid_from": dt.date(1900, 1, 1)}
        if chance.random() < 0.2:
            values["valid_from"] = _passed_on(chance, path, label, sessions, refer)
        refer("fund_identifier", fund=path.fund, **values)
    _issuers(chance, path, sessions, refer)
    _actions(chance, path, sessions, paths, refer)


def _passed_on(
    chance: Random, path: FundPath, label: str, sessions: list[dt.date], refer: Any
) -> dt.date:
    """Let a label have been another fund's before; return from when it is this fund's (E94)."""
    earlier, change = f"{label.lower()}0-us", chance.choice(sessions)
    refer(
        "fund",
        fund=earlier,
        fund_name=earlier.title(),
        asset="BTC",
        currency=path.currency,
        listing_country="US",
        product_type="spot_etf",
        leverage=1,
        direction=1,
        is_hedged=False,
        underlying_currency="USD",
    )
    span = {"valid_from": "1900-01-01", "valid_to": change - DAY}
    refer("fund_identifier", fund=earlier, kind="ticker", identifier=label, **span)
    return change


def _issuers(chance: Random, path: FundPath, sessions: list[dt.date], refer: Any) -> None:
    if chance.random() < 0.05:
        return
    issuer, start = chance.choice(ISSUERS), dt.date(1900, 1, 1)
    if chance.random() < 0.35:
        change = chance.choice(sessions)
        refer(
            "fund_issuer",
            fund=path.fund,
            issuer=issuer,
            valid_from=start,
            valid_to=change - DAY,
        )
        issuer, start = chance.choice(ISSUERS), change
    if chance.random() < 0.1:
        own = path.fund.replace("-", "")
        change = chance.choice(sessions)
        refer("issuer", issuer=own, issuer_name=own.title())
        for sponsor, since, to in (("One", "1900-01-01", change - DAY), ("Two", change, None)):
            values = {"brand": own, "sponsor": sponsor, "valid_from": since, "valid_to": to}
            refer("issuer_sponsor", issuer=own, **values)
        issuer = own
    refer("fund_issuer", fund=path.fund, issuer=issuer, valid_from=start)


def _actions(
    chance: Random, path: FundPath, sessions: list[dt.date], paths: list[FundPath], refer: Any
) -> None:
    def act(kind: str, day: dt.date, **values: Any) -> None:
        values = {"kind": kind, "effective_date": day, "read_from": "the test", **values}
        refer("corporate_action", fund=path.fund, **values)

    middle = sessions[chance.randint(path.first, path.last)]
    others = [each for each in paths if each is not path]
    if others:
        _between_funds(chance, path, sessions, others, refer)
    after = sessions[path.last] + DAY * chance.randint(0, 4)
    if path.last < len(sessions) - 1 and chance.random() < 0.5:
        merged = {"counterpart": chance.choice(others).fund, "fraction": 1} if others else {}
        kind = chance.choice(["merger", "closure"]) if merged else "closure"
        act(kind, after, **(merged if kind == "merger" else {}))
    if chance.random() < 0.3:
        act("launch", sessions[path.first] - DAY * chance.randint(0, 3))
    if chance.random() < 0.15:
        new, old = chance.choice([(3, 1), (1, 5), (2, 1), (11, 10)])
        act("split", middle, shares_new=new, shares_old=old)
    if chance.random() < 0.1:
        act("structural", middle, amount_usd=Decimal(chance.randint(-500, 500)) * 1000)
    if chance.random() < 0.15:
        act("distribution", middle, per_share=Decimal(chance.randint(1, 900)) / 1000)


def _between_funds(
    chance: Random, path: FundPath, sessions: list[dt.date], others: list[FundPath], refer: Any
) -> None:
    """Let a fund spin off another one, or hold one."""
    if chance.random() < 0.25:
        receiver = chance.choice(others)
        first = receiver.first if path.first < receiver.first <= path.last else path.first
        refer(
            "corporate_action",
            kind="spin_off",
            effective_date=sessions[first],
            fund=path.fund,
            counterpart=receiver.fund,
            fraction=Decimal("0.10"),
            read_from="the test",
        )
    if chance.random() < 0.1:
        values = {"weight": chance.choice([1, Decimal("0.25")]), "valid_from": "1900-01-01"}
        refer("fund_holding", fund=path.fund, holds=chance.choice(others).fund, **values)
