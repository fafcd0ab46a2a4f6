"""The components of which `defs/` is made: a thin layer over `ingest` and `database`."""

from pipelines.components.automation import Automation
from pipelines.components.models import SqlModels
from pipelines.components.source import FundFlowReport

__all__ = ["Automation", "FundFlowReport", "SqlModels"]
