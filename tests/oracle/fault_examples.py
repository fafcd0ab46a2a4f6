"""One small fixed world for each fault that is known, with the right answer of METHODOLOGY.

Nothing is asserted here. All of them go into one build; those that stop a build, begin in reading
or need a column that is not there yet stand in the tests.
"""

from __future__ import annotations

from decimal import Decimal

from tests.bridge_world import m
from tests.oracle.fault_example import (
    BRIDGE,
    CHANGE,
    FLOWS,
    PERIODS,
    TOTAL,
    W0,
    W1,
    W2,
    Example,
    Right,
    days,
    effects,
    fund,
    in_bridge,
    of_a_page,
    of_a_sponsor,
    of_an_issuer,
    reports,
)

EXAMPLES = (
    Example(
        "E73",
        "e73",
        reports(
            """
            date,fund,shares,nav,aum
            2025-03-03,A,1.0,10,10
            2025-03-04,A,,10,15
            2025-03-05,A,1.5,10,15
            2025-03-06,A,1.5,10,15
            2025-03-07,A,1.5,10,15
            """
        ),
        (
            Right(FLOWS, fund("e73"), {"net_flow_usd": m(5)}),
            Right(BRIDGE, in_bridge("e73"), effects(A=0, F=5, M=0, U=10, Z=15)),
        ),
    ),
    Example(
        "E74",
        "e74",
        reports(
            """
            date,fund,flow
            2025-03-03,A,1
            2025-03-04,A,1
            2025-03-06,A,1
            2025-03-07,A,1
            """
        ),
        (Right(FLOWS, fund("e74"), {"coverage": Decimal(80), "status": "partial"}),),
        sessions=days(3, 4, 5, 6, 7),
    ),
    Example(
        "E76",
        "e76",
        reports(
            """
            date,fund,shares,nav
            2025-03-06,A,10,50
            2025-03-07,A,10,50
            2025-03-17,A,10.4,50
            2025-03-21,A,10.4,50
            """
        ),
        (Right(BRIDGE, in_bridge("e76", week_ending=W2), effects(A=500, F=20, M=0, U=0, Z=520)),),
    ),
    Example(
        "E78",
        "e78",
        reports(
            """
            date,fund,flow
            2025-02-27,A,4
            2025-02-27,B,1
            2025-03-04,A,
            2025-03-04,B,1
            2025-03-05,A,
            2025-03-05,B,1
            """
        ),
        (
            Right(
                PERIODS,
                fund("e78", week_ending=W0),
                {"mtd_net_flow_usd": None, "ytd_net_flow_usd": m(4)},
            ),
        ),
    ),
    Example(
        "E79",
        "e79",
        reports(
            """
            date,fund,flow
            2025-03-04,A,1
            2025-03-04,B,1
            2025-03-05,A,1
            2025-03-05,B,
            2025-03-06,A,1
            2025-03-06,B,1
            2025-03-07,A,1
            2025-03-07,B,1
            """
        ),
        (Right(FLOWS, fund("e79", "b"), {"coverage": Decimal(100), "status": "final"}),),
        sessions=days(4, 6, 7),
    ),
    Example(
        "E80",
        "e80",
        reports(
            """
            date,fund,flow,aum
            2025-02-28,A,0,100
            2025-02-28,B,0,1000
            2025-03-07,A,5,105
            2025-03-07,B,,1000
            """
        ),
        (Right(CHANGE, {**TOTAL, "week_ending": W0}, {"flow_pct_of_aum": Decimal(5)}),),
    ),
    Example(
        "E81",
        "e81",
        reports(
            """
            date,fund,shares,nav
            2025-03-06,A,1,10
            2025-03-06,B,1,10
            2025-03-07,A,1,10
            2025-03-07,B,1,10
            2025-03-13,B,1,10
            2025-03-14,B,1,10
            """,
            report_covers="one fund",
        ),
        (
            Right(CHANGE, {**TOTAL, "week_ending": W1}, {"status": "partial"}),
            Right(FLOWS, {**TOTAL, "week_ending": W1}, {"status": "partial"}),
        ),
    ),
    Example(
        "E84",
        "e84",
        of_a_sponsor,
        (
            Right(FLOWS, {"dimension": "sponsor", "member": "One"}, {"net_flow_usd": m(2)}),
            Right(FLOWS, {"dimension": "sponsor", "member": "Two"}, {"net_flow_usd": m(3)}),
        ),
    ),
    Example(
        "E113",
        "e113",
        reports(
            """
            date,fund,shares,nav
            2025-03-06,A,10,50
            2025-03-07,A,10,50
            2025-03-17,A,10.4,50
            2025-03-21,A,10.4,50
            """,
            report_covers="one fund",
        ),
        (
            Right(FLOWS, fund("e113", week_ending=W2), {"net_flow_usd": m(20)}),
            Right(BRIDGE, in_bridge("e113", week_ending=W2), effects(A=500, F=20, M=0, U=0, Z=520)),
        ),
    ),
    Example(
        "E113",
        "e113all",
        reports(
            """
            date,fund,shares,nav
            2025-03-07,A,10,50
            2025-03-07,B,10,50
            2025-03-14,B,10,50
            2025-03-21,A,10.4,50
            2025-03-21,B,10,50
            """
        ),
        (
            Right(
                BRIDGE, in_bridge("e113all", week_ending=W2), effects(A=500, F=20, M=0, U=0, Z=520)
            ),
        ),
    ),
    Example(
        "E73",
        "twice",
        reports(
            """
            date,fund,flow,nav,aum
            2025-03-05,A,0,10,100
            2025-03-06,A,5,,
            2025-03-07,A,,10,105
            """
        ),
        (
            Right(FLOWS, fund("twice"), {"net_flow_usd": m(5)}),
            Right(BRIDGE, in_bridge("twice"), effects(A=0, F=5, M=0, U=100, Z=105)),
        ),
    ),
    Example(
        "E07",
        "dashes",
        reports(
            """
            date,fund,flow,aum
            2025-02-27,A,1,
            2025-02-28,A,,
            2025-02-28,B,1,10
            2025-03-06,A,2,100
            2025-03-07,A,2,103
            """
        ),
        (Right(BRIDGE, in_bridge("dashes", week_ending=W0), effects(A=0, F=4, M=1, U=98, Z=103)),),
    ),
    Example(
        "assets_in_floats",
        "floats",
        reports(
            """
            date,fund,nav,aum
            2025-03-06,A,52.6762,42100.393914
            2025-03-07,A,77.5969,26433.715632
            """
        ),
        (Right(FLOWS, fund("floats"), {"net_flow_usd": Decimal("-35584046782.62")}),),
    ),
    Example(
        "total_alone",
        "alone",
        of_a_page,
        (Right(FLOWS, TOTAL, {"net_flow_usd": m(8), "basis": "printed"}),),
    ),
    Example(
        "E74",
        "lacking",
        reports(
            """
            date,fund,flow
            2025-03-04,A,1
            2025-03-04,B,1
            2025-03-05,B,1
            2025-03-06,A,1
            2025-03-06,B,1
            2025-03-07,A,1
            2025-03-07,B,1
            """
        ),
        (Right(FLOWS, fund("lacking"), {"coverage": Decimal(75), "status": "partial"}),),
    ),
    Example(
        "funds_twice",
        "issuers",
        of_an_issuer,
        (Right(FLOWS, TOTAL, {"funds": 1, "net_flow_usd": m(5)}),),
    ),
)
