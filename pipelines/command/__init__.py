"""The `fundflows` command: what a person types. Thin: every step is a function that assets use."""
