"""Pandera contracts: what an observation, a core table and a mart are.

Each column's meaning, unit and rules stand here and nowhere else: the comments in the database,
the Columns tab in Dagster and the data dictionary are made from these classes. No file of a
warehouse is read here, and neither Dagster nor DuckDB is imported.
"""
