"""The dimensions by which money is counted: one row each, and all else is made from this list.

The views of a dimension with their contracts, the table `core.dimension`, what a layout and a
correction may name, what the command shows, and the parts of the SQL that are repeated for every
dimension (`pipelines.database.models`). How to add one: docs/add-a-dimension.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dimension:
    """What the members of a dimension are, what makes a fund one of them, and how they count."""

    name: str
    meaning: str
    """Its members, as they end the sentence "Net flow of every week by"."""
    membership: str
    """The column that makes a fund a member, and the day of which it is."""
    names: str = ""
    """The reference table that has its members and their names for display, if there is one."""
    counts_twice: bool = False
    """Keeps money that is another covered fund's, too; the others count it once (E20, E21)."""
    is_printed: bool = False
    """Reports print figures of its members."""
    is_axis: bool = False
    """Its printed members are held against the printed total of their week (E49)."""
    has_views: bool = True
    """Has views of its own in `mart`."""
    is_summary: bool = False
    """Shown by the command at the end of a run."""

    @property
    def is_attribute(self) -> bool:
        """Whether a fund's member is the column of that name in `reference.fund`."""
        return self.membership == f"reference.fund.{self.name}"

    @property
    def has_names(self) -> bool:
        """Whether the reference table of its name has one row per member: funds have spans."""
        return self.names == f"reference.{self.name}" and self.name != "fund"


DIMENSIONS = (
    Dimension(
        "total",
        meaning="all funds together",
        membership="every fund",
        is_printed=True,
        has_views=False,
        is_summary=True,
    ),
    Dimension(
        "fund",
        meaning="fund",
        membership="the fund itself",
        names="reference.fund",
        counts_twice=True,
        is_printed=True,
    ),
    Dimension(
        "asset",
        meaning="asset",
        membership="reference.fund.asset",
        names="reference.asset",
        is_printed=True,
        is_axis=True,
        is_summary=True,
    ),
    Dimension(
        "issuer",
        meaning="the issuer that funds had on the day",
        membership="reference.fund_issuer.issuer, of the day",
        names="reference.issuer",
        is_printed=True,
        is_axis=True,
        is_summary=True,
    ),
    Dimension(
        "issuer_as_is",
        meaning="the issuer that funds have today",
        membership="reference.fund_issuer.issuer, of today",
        names="reference.issuer",
    ),
    Dimension(
        "sponsor",
        meaning="the firm behind the issuer",
        membership="reference.issuer_sponsor.sponsor, of the day",
    ),
    Dimension(
        "country",
        meaning="country, of the kind that the source counts by",
        membership="reference.fund.listing_country or domicile, as core.source.country_basis says",
        names="reference.country",
        counts_twice=True,
        is_printed=True,
        is_axis=True,
        is_summary=True,
    ),
    Dimension(
        "product_type",
        meaning="the type of product that funds are on the day",
        membership="reference.fund.product_type",
        names="reference.product_type",
    ),
)


def _names(dimensions: Iterable[Dimension]) -> tuple[str, ...]:
    return tuple(each.name for each in dimensions)


NAMES = _names(DIMENSIONS)
PRINTED = _names(each for each in DIMENSIONS if each.is_printed)
AXES = _names(each for each in DIMENSIONS if each.is_axis)
SUMMARIES = _names(each for each in DIMENSIONS if each.is_summary)
LABELLED = (*PRINTED, "currency", "check")
"""What a printed label can name: a member, the total, a currency; or the row is a check row."""
REPEATED = {
    "dimension with views": _names(each for each in DIMENSIONS if each.has_views),
    "dimension with names": _names(each for each in DIMENSIONS if each.has_names),
    "attribute of a fund": _names(each for each in DIMENSIONS if each.is_attribute),
}
"""What SQL can be repeated for: `-- each <key>` (see `pipelines.database.models`)."""


def listed(names: Iterable[str]) -> str:
    """Return dimensions as descriptions name them: "asset, issuer or country"."""
    *others, last = names
    return f"{', '.join(others)} or {last}"
