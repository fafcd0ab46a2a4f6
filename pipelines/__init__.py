"""fundflows: the ledger of ETF and ETP fund flows."""
