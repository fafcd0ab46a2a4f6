"""The command `fundflows`: the same functions as the assets, for a terminal."""
