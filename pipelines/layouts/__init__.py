"""The language in which a source says how its reports print their numbers. No bytes, no disk."""
