"""All benchmarks, one after the other: `make bench`. Each can be run alone, too."""

from benchmarks import archive, backfill, bridge, growth, reading, weekly

backfill.main()
weekly.main()
archive.main()
growth.main()
reading.main()
bridge.main()
