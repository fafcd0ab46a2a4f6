"""Reports changed in small ways, and what the reader and the checks do with them.

    python -m tests.mutants [--per-container N] [--seed S] [--source NAME] [--workers N]

Every mutant is one change of one specimen: a sample, a golden report or, where they are present, a
real one, cut to its last rows. A change of a *number* (a digit, the sign, the decimal mark, a scale
letter, dropped digits, two cells swapped, a blank, a dash, a field deleted so that its row shifts)
must not reach what is published; *damage* (bytes, lines, headers, encodings, cells of another
type...) must not stop the reader. What came of a mutant, the first that fits:

- hang: it took longer than five seconds.
- traceback: an exception that is no refusal.
- unexpected: a refusal that only says that nobody expected what is there.
- refused: the report as a whole. held: it waits for a person.
- rows: a row or cell is refused that was not refused before, in the week of every number that is
  published otherwise than before; check: an outcome of that week fails that did not fail before.
- harmless: what is published is the same. A row that no sum and no mart takes (`check`: footers of
  a page) is not published.
- rounding: within what rounding leaves open. The bound of a number is the half units of all parts
  of its total and of the total itself as the specimen prints them (F9), and the residual that the
  specimen leaves; or the half unit with which the changed number itself is printed, if that is
  larger: 209 for 209.4 is coarser, not wrong.
- balanced: two parts of one sum were exchanged, so that no total can see it.
- missed: none of these; printed with its place, before and after.

In tables with printed totals no change of a number may be missed. Nothing here depends on the
clock, the order or the locale: a mutant is made by its own generator, seeded with its name.
"""
