"""The layout of a page with a column a fund, a column of totals, and days that still fill."""

from __future__ import annotations

from typing import Any


def page_layout() -> dict[str, Any]:
    """Return the layout: dates down, funds across, the printed total of the day at the end."""
    flow = {"measure": "net_flow", "unit": "US$m", "period": "day"}
    return {
        "name": "page",
        "container": "csv",
        "valid_from": "1990-01-01",
        "tables": [
            {
                "name": "daily",
                "header": ["Date", "Total"],
                "filling": True,
                "totals": "none",
                "columns": {
                    "Date": {"key": "date", "formats": ["%Y-%m-%d"]},
                    "Total": {**flow, "dimension": "total"},
                },
                "across": {"dimension": "fund", "label": "[A-Z0-9]{2,12}", **flow},
            }
        ],
    }
