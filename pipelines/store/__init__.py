"""The warehouse on disk: paths, whole writes, archive, index, week files, journal. No parser."""
