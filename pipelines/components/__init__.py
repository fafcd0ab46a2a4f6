"""The kinds of thing that `defs/` is made of. A skin over `ingest` and `database`, no more."""

from pipelines.components.automation import Automation
from pipelines.components.models import SqlModels
from pipelines.components.source import FundFlowReport

__all__ = ["Automation", "FundFlowReport", "SqlModels"]
