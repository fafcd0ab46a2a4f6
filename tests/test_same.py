"""`make same` on small databases made here: what is counted, shown, allowed, and the exit codes."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from same import allowed as allow_list
from same import show
from same.builds import revision
from same.columns import common_type
from same.compare import compare
from same.errors import CannotCompareError
from same.published import key_of
from same.real import arrivals
from same.results import Comparison, TableComparison
from same.sides import pairs

from pipelines.database import models, reference_files
from schemas import catalog, mart

PROJECT = Path(__file__).parents[1]
FLOWS = """
create schema mart;
create table mart.flows (source varchar, week_ending date, member varchar,
                         net_flow_usd decimal(18, 2), status varchar);
comment on table mart.flows is 'Net flow. grain: one row a source, week and member';
insert into mart.flows values
    ('farside_btc', '2026-01-16', 'fidelity', 10.00, 'final'),
    ('farside_btc', '2026-01-16', 'ishares', 20.00, 'final'),
    ('farside_btc', '2026-01-23', 'fidelity', null, 'partial'),
    ('farside_btc', '2026-01-23', 'ishares', -5.50, 'final');
"""
LAST = "week_ending = '2026-01-23' and member = 'ishares'"

Compare = Callable[..., tuple[Comparison, allow_list.AllowList]]


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Path]:
    """Return what makes a database of SQL."""
    numbers = itertools.count()

    def make(sql: str) -> Path:
        file = tmp_path / f"warehouse-{next(numbers)}" / "fundflows.duckdb"
        file.parent.mkdir()
        with duckdb.connect(str(file)) as connection:
            connection.execute(sql)
        return file

    return make


@pytest.fixture
def compared(made: Callable[[str], Path], tmp_path: Path) -> Compare:
    """Return what compares the flows above with what a change of them, or other SQL, makes."""

    def run(
        change: str, allow: str = "", *, old: str = FLOWS, **options: object
    ) -> tuple[Comparison, allow_list.AllowList]:
        file = tmp_path / "allowed.toml"
        file.write_text(allow, encoding="utf-8")
        allowed = allow_list.read(file)
        return compare(made(old), made(old + change), allowed, **options), allowed  # type: ignore[arg-type]

    return run


def only(found: Comparison) -> TableComparison:
    (table,) = found.tables
    return table


def counts(table: TableComparison) -> tuple[int, ...]:
    return table.equal, table.changed, table.only_old, table.only_new, table.allowed


# -- rows ------------------------------------------------------------------------------------------


def test_equal_tables_are_the_same(compared: Compare) -> None:
    found, _ = compared("")
    assert not found.differs
    assert counts(only(found)) == (4, 0, 0, 0, 0)
    assert only(found).rows == {"old": 4, "new": 4}


def test_a_changed_value_is_one_row_with_its_key_and_both_values(compared: Compare) -> None:
    found, _ = compared(f"update mart.flows set net_flow_usd = -6.00 where {LAST}")
    table = only(found)
    assert found.differs
    assert counts(table) == (3, 1, 0, 0, 0)
    assert table.key == ("source", "week_ending", "member")
    (row,) = table.sample
    assert row.side == "changed"
    assert row.key == {
        "source": "'farside_btc'",
        "week_ending": "2026-01-23",
        "member": "'ishares'",
    }
    assert row.values == [("net_flow_usd", "-5.50", "-6.00")]
    assert [(each.column, each.rows, each.largest) for each in table.columns] == [
        ("net_flow_usd", 1, "0.50")
    ]


def test_null_is_a_value_and_equals_itself(compared: Compare) -> None:
    found, _ = compared(
        "update mart.flows set net_flow_usd = 0 where net_flow_usd is null;"
        f"update mart.flows set net_flow_usd = null, status = '' where {LAST}"
    )
    assert [row.values for row in only(found).sample] == [
        [("net_flow_usd", "NULL", "0.00")],
        [("net_flow_usd", "-5.50", "NULL"), ("status", "'final'", "''")],
    ]


def test_an_extra_and_a_missing_row_are_only_there_and_only_here(compared: Compare) -> None:
    found, _ = compared(
        f"delete from mart.flows where {LAST};"
        "insert into mart.flows values ('canary', '2026-01-23', 'XRP', 1, 'final')"
    )
    table = only(found)
    assert counts(table) == (3, 0, 1, 1, 0)
    assert {(row.side, row.key["member"]) for row in table.sample} == {
        ("only old", "'ishares'"),
        ("only new", "'XRP'"),
    }


def test_a_changed_key_is_two_rows(compared: Compare) -> None:
    found, _ = compared(f"update mart.flows set member = 'IBIT' where {LAST}")
    assert counts(only(found)) == (3, 0, 1, 1, 0)


def test_null_in_a_key_pairs_with_null(compared: Compare) -> None:
    old = FLOWS + "insert into mart.flows values ('canary', null, 'XRP', 1, 'final');"
    found, _ = compared("update mart.flows set status = 'partial' where source = 'canary'", old=old)
    assert counts(only(found)) == (4, 1, 0, 0, 0)


def test_rows_that_share_a_key_are_counted_as_a_multiset(compared: Compare) -> None:
    old = FLOWS + "insert into mart.flows from mart.flows where source = 'farside_btc';"
    found, _ = compared(
        f"insert into mart.flows from mart.flows where {LAST} limit 1;"
        "update mart.flows set net_flow_usd = 11 where net_flow_usd = 10 "
        "and rowid = (select min(rowid) from mart.flows where net_flow_usd = 10)",
        old=old,
    )
    table = only(found)
    assert counts(table) == (7, 1, 0, 1, 0)
    assert [note.split(" rows")[0] for note in table.notes] == [
        "key is not unique: 8",
        "key is not unique: 9",
    ]


def test_a_table_without_a_key_is_compared_by_whole_rows(compared: Compare) -> None:
    old = FLOWS + "comment on table mart.flows is 'Net flow.';"
    found, _ = compared(f"update mart.flows set status = 'partial' where {LAST}", old=old)
    assert only(found).key is None
    assert counts(only(found)) == (3, 0, 1, 1, 0)
    assert "key: none known, whole rows are compared" in "\n".join(show.comparison(found))


def test_a_table_of_one_row_pairs_it(compared: Compare) -> None:
    old = """
    create schema ops;
    create table ops.build as select now() as built_at, 'a' as inputs, '1' as duckdb_version,
                                     null::date as as_of;
    comment on table ops.build is 'How it was built. grain: one row';
    """
    found, _ = compared("update ops.build set built_at = now(), inputs = 'b'", old=old)
    assert not found.differs
    found, _ = compared("update ops.build set as_of = '2026-01-27'", old=old)
    assert counts(only(found)) == (0, 1, 0, 0, 0)
    assert only(found).sample[0].values == [("as_of", "NULL", "2026-01-27")]


def test_a_sample_is_bounded_and_ordered_and_the_counts_are_not(compared: Compare) -> None:
    found, _ = compared("update mart.flows set status = 'preliminary'", sample=2)
    table = only(found)
    assert table.changed == 4
    assert [(row.key["week_ending"], row.key["member"]) for row in table.sample] == [
        ("2026-01-16", "'fidelity'"),
        ("2026-01-16", "'ishares'"),
    ]
    assert "  ! and 2 more, changed" in list(show.comparison(found))


def test_weeks_that_the_later_build_knows_better_are_left_out(compared: Compare) -> None:
    old = """
    set timezone = 'UTC';
    create schema ops;
    create table ops.build as select '2026-02-03'::timestamptz as built_at;
    create table ops.coverage (source varchar, week_ending date, expected_by timestamptz,
                               state varchar);
    comment on table ops.coverage is 'Weeks. grain: one row a source and week';
    insert into ops.coverage values ('canary', '2026-01-23', '2026-01-27', 'on time'),
                                    ('canary', '2026-01-30', '2026-02-04', 'expected');
    """
    later = "update ops.build set built_at = '2026-03-01';"
    found, _ = compared(
        f"{later} update ops.coverage set state = 'late' where state <> 'on time'", old=old
    )
    assert not found.differs
    found, _ = compared(f"{later} update ops.coverage set state = 'late'", old=old)
    assert [table.changed for table in found.tables] == [0, 1]


# -- tables, columns, types ------------------------------------------------------------------------


def test_a_renamed_table_is_one_that_went_and_one_that_came(compared: Compare) -> None:
    found, _ = compared("alter table mart.flows rename to net_flows")
    assert found.differs
    assert found.shape == [
        "table mart.flows only in OLD",
        "table mart.net_flows only in NEW",
    ]


RENAMED = """
[[renamed]]
table = "mart.flows"
to = "mart.net_flows"
reason = "says what it holds"
[[renamed]]
table = "mart.net_flows"
column = "status"
to = "state"
reason = "one word for one thing"
"""
RENAME = (
    "alter table mart.flows rename to net_flows; alter table mart.net_flows rename status to state;"
)


def test_what_is_renamed_in_the_list_is_still_compared(compared: Compare) -> None:
    found, allowed = compared(RENAME, RENAMED)
    assert not found.differs
    assert counts(only(found)) == (4, 0, 0, 0, 0)
    assert not allowed.stale
    found, _ = compared(f"{RENAME} update mart.net_flows set state = 'final'", RENAMED)
    assert only(found).old_name == "mart.flows"
    assert only(found).sample[0].values == [("state", "'partial'", "'final'")]


def test_a_new_and_a_removed_column_are_said_and_the_rest_is_compared(compared: Compare) -> None:
    change = "alter table mart.flows drop status; alter table mart.flows add column basis varchar"
    found, _ = compared(change)
    assert only(found).shape == [
        "column basis VARCHAR only in NEW",
        "column status VARCHAR only in OLD",
    ]
    assert counts(only(found)) == (4, 0, 0, 0, 0)


def test_a_changed_type_is_said_and_values_are_compared_alike(compared: Compare) -> None:
    retype = "alter table mart.flows alter net_flow_usd type decimal(28, 6);"
    found, _ = compared(retype)
    assert only(found).shape == ["column net_flow_usd was DECIMAL(18,2), is DECIMAL(28,6)"]
    assert counts(only(found)) == (4, 0, 0, 0, 0)
    found, _ = compared(f"{retype} update mart.flows set net_flow_usd = -5.500001 where {LAST}")
    assert only(found).sample[0].values == [("net_flow_usd", "-5.500000", "-5.500001")]


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        ("DATE", "DATE", "DATE"),
        ("DECIMAL(18,2)", "DECIMAL(28,10)", "DECIMAL(28,10)"),
        ("DECIMAL(38,10)", "DECIMAL(28,12)", "DECIMAL(38,12)"),
        ("BIGINT", "DECIMAL(18,2)", "DECIMAL(21,2)"),
        ("DATE", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"),
        ("DATE", "VARCHAR", "VARCHAR"),
        ("BOOLEAN", "DATE", "VARCHAR"),
    ],
)
def test_the_type_that_holds_both(old: str, new: str, both: str) -> None:
    assert common_type(old, new) == common_type(new, old) == both


def test_views_are_compared_and_macros_are_listed_and_asked(compared: Compare) -> None:
    old = (
        FLOWS
        + """
    create view mart.flows_by_fund as from mart.flows where member = 'ishares';
    comment on view mart.flows_by_fund is 'grain: one row a week and member';
    create macro mart.flows_as_known(as_of) as table from mart.flows where week_ending <= as_of;
    """
    )
    changed = f"update mart.flows set net_flow_usd = 0 where {LAST};"
    found, _ = compared(
        f"{changed} create macro mart.doubled(x) as 2 * x",
        old=old,
        as_known=("2026-01-20", "2026-01-27"),
    )
    assert found.shape == ["macro mart.doubled(x) only in NEW"]
    assert {table.name: counts(table)[:2] for table in found.tables} == {
        "mart.flows": (3, 1),
        "mart.flows_by_fund": (1, 1),
        "mart.flows_as_known('2026-01-20')": (2, 0),
        "mart.flows_as_known('2026-01-27')": (3, 1),
    }


# -- the allow-list --------------------------------------------------------------------------------

CHANGED = """
[[changed]]
table = "mart.flows"
columns = ["net_flow_usd"]
keys = "member = 'ishares' and week_ending >= '2026-01-20'"
reason = "restated"
"""


def test_an_allowed_change_counts_as_allowed(compared: Compare) -> None:
    found, allowed = compared(f"update mart.flows set net_flow_usd = 0 where {LAST}", CHANGED)
    assert not found.differs
    assert counts(only(found)) == (3, 0, 0, 0, 1)
    assert [entry.met for entry in allowed.entries] == [1]


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("set net_flow_usd = 0 where member = 'fidelity' and status = 'final'", ["net_flow_usd"]),
        (f"set net_flow_usd = 0, status = 'partial' where {LAST}", ["status"]),
    ],
    ids=["another key", "another column"],
)
def test_an_entry_covers_its_keys_and_columns_and_nothing_else(
    compared: Compare, change: str, values: list[str]
) -> None:
    found, _ = compared(f"update mart.flows {change}", CHANGED)
    assert counts(only(found)) == (3, 1, 0, 0, 0)
    assert [column for column, _, _ in only(found).sample[0].values] == values


def test_a_condition_may_bound_a_change_by_both_values(compared: Compare) -> None:
    allow = """
    [[changed]]
    table = "mart.*"
    columns = ["*_usd"]
    keys = "abs(new.net_flow_usd - old.net_flow_usd) <= 0.01"
    reason = "rounded once instead of twice"
    """
    cents = "update mart.flows set net_flow_usd = net_flow_usd + 0.01 where member = 'ishares';"
    found, _ = compared(cents, allow)
    assert counts(only(found)) == (2, 0, 0, 0, 2)
    found, _ = compared(f"{cents} update mart.flows set net_flow_usd = 1 where {LAST}", allow)
    assert counts(only(found)) == (2, 1, 0, 0, 1)


def test_rows_may_come_and_go_by_key(compared: Compare) -> None:
    change = (
        f"delete from mart.flows where {LAST};"
        "insert into mart.flows values ('canary', '2026-01-23', 'XRP', 1, 'final'),"
        "('canary', '2026-01-23', 'HBAR', 1, 'final')"
    )
    allow = """
    [[removed]]
    table = "mart.flows"
    keys = "member = 'ishares'"
    reason = "it closed"
    [[added]]
    table = "mart.flows"
    keys = "member = 'XRP'"
    reason = "it is new"
    """
    found, allowed = compared(change, allow)
    assert counts(only(found)) == (3, 0, 0, 1, 2)
    assert [row.key["member"] for row in only(found).sample] == ["'HBAR'"]
    assert not allowed.stale


def test_tables_columns_types_and_macros_may_come_and_go(compared: Compare) -> None:
    old = FLOWS + "create table mart.gone (x int); create macro mart.gone_as_known(as_of) as as_of;"
    change = """
    drop table mart.gone; drop macro mart.gone_as_known; create table mart.arrived (x int);
    alter table mart.flows drop status; alter table mart.flows add column basis varchar;
    alter table mart.flows alter net_flow_usd type decimal(28, 2);
    """
    allow = """
    [[removed]]
    table = "mart.gone*"
    reason = "nobody asked for it"
    [[added]]
    table = "mart.arrived"
    reason = "somebody asked for it"
    [[removed]]
    table = "mart.flows"
    columns = ["status"]
    reason = "replaced"
    [[added]]
    table = "mart.flows"
    columns = ["basis"]
    reason = "its replacement"
    [[retyped]]
    table = "mart.flows"
    columns = ["net_flow_usd"]
    reason = "room for sums"
    """
    found, _ = compared(change, old=old)
    assert len(found.shape) == len(only(found).shape) == 3
    found, allowed = compared(change, allow, old=old)
    assert not found.differs
    assert [entry.met for entry in allowed.entries] == [2, 1, 1, 1, 1]


def test_an_entry_that_meets_nothing_is_stale(compared: Compare) -> None:
    found, allowed = compared("", CHANGED + RENAMED)
    assert not found.differs
    assert len(allowed.stale) == 3
    listed = "\n".join(show.allow_list(allowed)).rstrip()
    assert "STALE  changed mart.flows (net_flow_usd) where member = 'ishares'" in listed
    assert listed.endswith("STALE  renamed mart.net_flows.status to state: one word for one thing")
    assert show.last_line({"": found}, allowed).endswith("allow-list: 3 stale")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[changes]]", "[[changes]] is none of [[renamed]], [[changed]]"),
        ("changed = 1", "[[changed]] is none of"),
        ("[[changed", "is not TOML"),
        (CHANGED.replace("reason", "because"), "number 1 lacks reason and does not know because"),
        (CHANGED.replace('"restated"', '" "'), "all else is a text"),
        (CHANGED.replace('["net_flow_usd"]', '"net_flow_usd"'), "`columns` is a list of names"),
        (CHANGED.replace("[[changed]]", "[[removed]]"), "columns or rows by `keys`, not both"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "allowed.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CannotCompareError) as refused:
        allow_list.read(file)
    assert said in str(refused.value)


def test_a_condition_that_cannot_be_read_names_its_entry(compared: Compare) -> None:
    with pytest.raises(CannotCompareError, match=r"allow-list, changed mart.flows .* where membr"):
        compared(
            f"update mart.flows set net_flow_usd = 0 where {LAST}",
            CHANGED.replace("member =", "membr ="),
        )


def test_the_list_in_the_documentation_can_be_read(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "comparing-builds.md").read_text(encoding="utf-8")
    indented = [line[4:] for line in page.splitlines() if line.startswith("    ") or not line]
    first = next(number for number, line in enumerate(indented) if line.startswith("[["))
    file = tmp_path / "allowed.toml"
    file.write_text("\n".join(indented[first:]), encoding="utf-8")
    kinds = [entry.kind for entry in allow_list.read(file).entries]
    assert set(kinds) == set(allow_list.KINDS)


# -- what is known of tables -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "columns", "key"),
    [
        ("Weeks. grain: one row a source, week and asset.", "source week_ending asset x",
         ("source", "week_ending", "asset")),
        ("grain: one row per source and week", "source week_ending", ("source", "week_ending")),
        ("grain: one row a source and asset", "source dimension member",
         ("source", "dimension", "member")),
        ("One fact.\n\ngrain: one row", "x", ()),
        ("grain: one row a refused cell", "source x", None),
        ("No grain is told.", "source x", None),
    ],
)  # fmt: skip
def test_a_grain_in_a_comment_is_a_key(
    comment: str, columns: str, key: tuple[str, ...] | None
) -> None:
    assert key_of("mart.any", [comment], columns.split()) == key
    assert key_of("mart.any", ["", comment], columns.split()) == key


def test_the_keys_that_are_read_are_those_of_the_contracts() -> None:
    read, declared = {}, {}
    for table in [*models.models(), *reference_files.files()]:
        contract = catalog.contract_of(table)
        columns = [column.name for column in catalog.columns(contract)]
        read[table] = key_of(table, [catalog.description(contract)], columns)
        of_one_dimension = {"dimension"} if table in mart.BY_DIMENSION else set()
        declared[table] = set(contract.to_schema().unique or ()) - of_one_dimension
    assert len(read) > 40
    assert [table for table, key in read.items() if key is None] == ["ops.quarantine"]
    with_keys = {table: key for table, key in declared.items() if key}
    assert {table: set(read[table] or ()) for table in with_keys} == with_keys


# -- the sides -------------------------------------------------------------------------------------


def test_a_side_that_is_nothing_is_refused(tmp_path: Path, made: Callable[[str], Path]) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    with pytest.raises(CannotCompareError, match=r"neither a folder .* nor a revision"):
        revision("no-such-branch", tmp_path)
    file = made(FLOWS)
    with pytest.raises(CannotCompareError, match="the same file"):
        pairs(str(file), str(file.parent), project=tmp_path)
    with pytest.raises(CannotCompareError, match="say with --reports"):
        pairs(str(file), ".", project=tmp_path)


MAKEFILE = """
run:
\techo "$$FUNDFLOWS_WAREHOUSE" >> runs.txt
\tcp published.duckdb "$$FUNDFLOWS_WAREHOUSE/fundflows.duckdb"
"""


def test_a_revision_is_built_by_its_own_make_once(
    tmp_path: Path, made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commits of a tiny project whose build is a copy of a file that they hold."""
    monkeypatch.setenv("FUNDFLOWS_REAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    project = tmp_path / "a project"
    project.mkdir()

    def git(*words: str) -> None:
        identity = ("-c", "user.name=Desk", "-c", "user.email=desk@example.com")
        subprocess.run(["git", *identity, *words], cwd=project, check=True, capture_output=True)

    git("init", "-q")
    (project / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    for name, sql in (("one", FLOWS), ("two", f"{FLOWS} delete from mart.flows where {LAST}")):
        made(sql).rename(project / "published.duckdb")
        git("add", "Makefile", "published.duckdb")
        git("commit", "-q", "-m", name)
    said: list[str] = []
    (pair,) = pairs("HEAD~1", "", project=project, say=said.append)
    assert pair.title.startswith("HEAD~1 ")
    assert pair.title.endswith(" -> working tree, from samples")
    assert counts(only(compare(pair.old, pair.new, allow_list.AllowList()))) == (3, 0, 1, 0, 0)
    (again,) = pairs("HEAD~1", ".", project=project, say=said.append)
    assert again.old == pair.old
    built = [line.partition(": built from samples")[0].split()[0] for line in said]
    assert built == ["HEAD~1", "working", "working"]
    (twins,) = pairs("HEAD", "HEAD", project=project, say=said.append)
    assert (twins.old.parents[1] / "code" / "runs.txt").is_file()
    assert (twins.new.parents[1] / "code" / "runs.txt").is_file()
    assert twins.old != twins.new


def test_a_build_that_fails_says_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("run:\n\t@echo out of stock; exit 3\n", encoding="utf-8")
    with pytest.raises(CannotCompareError) as failed:
        pairs("", ".", project=tmp_path, reports="samples")
    assert "working tree: `make run` failed\n    out of stock" in str(failed.value)


@pytest.mark.real
def test_every_listed_real_report_is_there(real: Path) -> None:
    found = list(arrivals(real, PROJECT / "samples" / "reports"))
    assert sum(len(arrival.files) for arrival in found) > 25


# -- the command -----------------------------------------------------------------------------------


def same(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.same", *map(str, words)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", check=False)


def test_exit_codes(made: Callable[[str], Path], tmp_path: Path) -> None:
    old, equal = made(FLOWS), made(FLOWS)
    new = made(f"{FLOWS} update mart.flows set net_flow_usd = 0 where {LAST}")
    allow = tmp_path / "allowed.toml"
    allow.write_text(CHANGED, encoding="utf-8")
    assert same(old, equal).returncode == 0
    assert same(old.parent, new.parent).returncode == 1
    assert same(old, new, "--allow", allow).returncode == 0
    for words in (
        (),
        (old, "no-such-branch"),
        (old, new, "--allow", tmp_path / "none.toml"),
        (old, new, "--nonsense"),
        (old, PROJECT / "pyproject.toml"),
    ):
        refused = same(*words)
        assert refused.returncode == 2, words
        assert "Error: " in refused.stderr
        assert "Traceback" not in refused.stderr


def test_what_the_command_prints(made: Callable[[str], Path]) -> None:
    old = made(FLOWS)
    new = made(f"{FLOWS} update mart.flows set net_flow_usd = -6.00 where {LAST}")
    assert (
        same(old, new).stdout
        == f"""\
{old} -> {new}
  table        rows OLD   rows NEW      equal    changed   only OLD   only NEW    allowed
! mart.flows          4          4          3          1          .          .          .

mart.flows
  key: source, week_ending, member
  net_flow_usd changed in 1 rows, by 0.50 at most
  ! source='farside_btc' week_ending=2026-01-23 member='ishares'
      net_flow_usd  -5.50 -> -6.00

DIFFERENT: 1 tables, 1 of them different; rows: 3 equal, 1 changed, 0 only in OLD, \
0 only in NEW, 0 allowed; tables, columns, macros: 0 different; allow-list: 0 stale
"""
    )


@pytest.mark.slow
def test_a_hundred_thousand_rows_with_ten_thousand_changes(made: Callable[[str], Path]) -> None:
    columns = ", ".join(f"(i * {n} % 1000003)::decimal(18, 2) as c{n}" for n in range(1, 31))
    wide = f"""
    create schema mart;
    create table mart.wide as select i as day, {columns} from range(100000) as t(i);
    comment on table mart.wide is 'grain: one row a day';
    """
    old, new = made(wide), made(f"{wide} update mart.wide set c7 = c7 + 1 where day % 10 = 0")
    table = only(compare(old, new, allow_list.AllowList()))
    assert counts(table) == (90_000, 10_000, 0, 0, 0)
