"""From a report's bytes to observations. No disk: bytes, layout and clocks come in as values."""
