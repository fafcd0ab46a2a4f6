"""All benchmarks, one after the other: `make bench`. Each can be run alone, too."""

from benchmarks import archive, backfill, bridge, growth, reading, vintages, weekly

backfill.main()
weekly.main()
archive.main()
growth.main()
reading.main()
vintages.main(100)
bridge.main()
