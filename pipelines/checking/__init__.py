"""From observations to what is admitted and what is refused. No disk, and no bytes."""
