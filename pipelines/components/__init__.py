"""The kinds of thing that `defs/` is made of. A skin over `reports` and `build`, no more."""

from pipelines.components.automation import Automation
from pipelines.components.fund_flow_report import FundFlowReport
from pipelines.components.sql_models import SqlModels

__all__ = ["Automation", "FundFlowReport", "SqlModels"]
