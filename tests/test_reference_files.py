"""Reference rows: shared files and those in the folder of a source in, rows of the tables out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from pipelines.database import reference_files
from pipelines.database.errors import BuildError
from pipelines.database.labels import printed_labels, row_to_add
from pipelines.database.reference import load_reference
from pipelines.ingest.sources import FOLDER
from tests.bridge_world import BridgeWorld, m
from tests.test_corrections import LINE, WEEK, printed

LABELS = "dimension,label,member,valid_from,valid_to,note\n"
LEDGER = [name for name in LINE if name != "source"] + ["withdrawn_on"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of sources, of which one has rows of its own."""
    monkeypatch.setattr(reference_files, "FOLDER", tmp_path / "sources")
    (tmp_path / "sources" / "press").mkdir(parents=True)
    return tmp_path / "sources"


def labels(folder: Path, *lines: str, source: str = "press") -> None:
    (folder / source).mkdir(exist_ok=True)
    (folder / source / "labels.csv").write_text(
        LABELS + "".join(f"{line}\n" for line in lines), encoding="utf-8"
    )


def loaded(table: str) -> list[dict[str, object]]:
    with duckdb.connect() as connection:
        connection.execute("create schema reference")
        load_reference(connection)
        return connection.sql(f"from {table}").pl().to_dicts()


# -- labels ----------------------------------------------------------------------------------------


def test_a_label_of_a_source_is_a_row_of_its_table(folder):
    labels(
        folder,
        "asset,Digital gold,BTC,2024-01-01,,as the press calls it",
        "fund,IBIT US Equity,ibit-us,1900-01-01,2024-12-31,",
    )
    (alias,) = (row for row in loaded("reference.alias") if row["label"] == "Digital gold")
    assert (alias["dimension"], alias["member"]) == ("asset", "BTC")
    assert (alias["valid_from"], alias["valid_to"]) == (dt.date(2024, 1, 1), None)
    assert alias["note"] == "as the press calls it"
    rows = loaded("reference.fund_identifier")
    (named,) = (row for row in rows if row["identifier"] == "IBIT US Equity")
    assert (named["fund"], named["kind"], named["valid_to"]) == (
        "ibit-us",
        "label",
        dt.date(2024, 12, 31),
    )


def test_a_row_that_a_source_repeats_counts_once(folder):
    before = len(loaded("reference.alias"))
    labels(folder, "asset,Bitcoin,BTC,1900-01-01,,once more", "asset,Oro,BTC,1900-01-01,,")
    labels(folder, "asset,Oro,BTC,1900-01-01,,", source="other")
    rows = loaded("reference.alias")
    assert len(rows) == before + 1
    assert [row["note"] for row in rows if row["label"] == "Bitcoin"] == [None]


def test_a_blank_workbook_offers_a_label_that_only_a_source_has(folder):
    assert "Digital gold" not in printed_labels("asset")
    labels(folder, "asset,Digital gold,GROUP-MATIC-LTC-DOT,1900-01-01,,")
    assert "Digital gold" in printed_labels("asset")


def test_a_file_with_other_columns_is_refused_by_its_name(folder):
    (folder / "press" / "labels.csv").write_text("label,member\nOro,BTC\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"press/labels\.csv") as refused:
        loaded("reference.alias")
    assert refused.value.expected == "dimension, label, member, valid_from, valid_to, note"


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("asset,Oro,BTC,sometime,,", "valid_from", "a day such as 2026-01-31"),
        ("asset,Oro,BTC,1900-01-01,31/12/2025,", "valid_to", "a day such as 2026-01-31"),
        ("asset,Oro,BTC,1900-01-01,,as, they say", None, "6 fields"),
        ("asset,Oro,BTC", None, "6 fields"),
        ('asset,"Oro,BTC,1900-01-01,,', None, "6 fields"),
    ],
)
def test_a_wrong_line_is_named_by_its_file_its_line_and_its_column(folder, line, column, expected):
    labels(folder, "asset,Oro,BTC,1900-01-01,,", line)
    with pytest.raises(BuildError) as refused:
        loaded("reference.alias")
    assert refused.value.where.file == f"{folder}/press/labels.csv:3"
    assert expected in refused.value.expected
    assert column is None or f"{column} cannot hold" in refused.value.what


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("colour,Oro,BTC,1900-01-01,,", "colour"),
        ("asset,Oro,,1900-01-01,,", "member"),
        ("asset,Oro,BTC,1900-01-01,1899-12-31,", "valid_to_not_before_valid_from"),
        ("asset,Plata,LTC,1900-01-01,,again", "Plata"),
        ("asset,Oro,NOPE,1900-01-01,,", "NOPE"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_by_its_file_and_line(folder, tmp_path, line, found):
    labels(folder, "asset,Plata,BTC,1900-01-01,,", line)
    world = BridgeWorld(tmp_path / "world")
    world.report("press", printed("12400.0"), received="2023-05-15T12:00:00+00:00")
    with pytest.raises(BuildError) as refused:
        world.publish()
    assert f"{folder}/press/labels.csv:" in str(refused.value.where)
    assert found in refused.value.found


def test_the_line_to_add_names_the_file_of_the_source():
    line = row_to_add("asset", "Moon, shot", "coinshares", dt.date(2026, 1, 16))
    assert str(line).endswith(
        'pipelines/defs/sources/coinshares/labels.csv: asset,"Moon, shot",<asset>,1900-01-01,,'
    )


def test_the_sources_own_labels_are_of_folders_that_are_sources():
    own = [*FOLDER.glob("*/labels.csv"), *FOLDER.glob("*/corrections.csv")]
    assert own
    assert [file for file in own if not (file.parent / "defs.yaml").exists()] == []


# -- a team's own folder ---------------------------------------------------------------------------


def test_a_folder_of_ones_own_replaces_files_of_the_same_name_only(folder, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    (own / "country.csv").write_text("country,country_name\nXX,Nowhere\n", encoding="utf-8")
    monkeypatch.setenv("FUNDFLOWS_REFERENCE", str(own))
    labels(folder, "asset,Digital gold,BTC,2024-01-01,,")
    assert loaded("reference.country") == [{"country": "XX", "country_name": "Nowhere"}]
    assert len(loaded("reference.issuer")) > 20
    assert "Digital gold" in {row["label"] for row in loaded("reference.alias")}


# -- corrections -----------------------------------------------------------------------------------


def ledger(folder: Path, **changed: str) -> Path:
    file = folder / "press" / "corrections.csv"
    line = {**LINE, **changed}
    values = ",".join(line.get(name, "") for name in LEDGER)
    file.write_text(f"{','.join(LEDGER)}\n{values}\n", encoding="utf-8")
    return file


def test_a_correction_of_a_source_is_one_of_the_ledger(folder, tmp_path):
    ledger(folder)
    world = BridgeWorld(tmp_path / "world")
    world.report("press", printed("12400.0"), received="2023-05-15T12:00:00+00:00")
    world.publish()
    assert world.one("from reference.correction")["source"] == "press"
    assert world.flow("press", WEEK, "asset", "BTC")["net_flow_usd"] == m("-12.4")


def test_a_correction_that_no_longer_holds_is_named_by_its_file_and_line(folder, tmp_path):
    file = ledger(folder, expected_value="1")
    world = BridgeWorld(tmp_path / "world")
    world.report("press", printed("12400.0"), received="2023-05-15T12:00:00+00:00")
    with pytest.raises(BuildError, match="does not hold any more") as refused:
        world.publish()
    assert f"{file}:2" in str(refused.value)


def test_no_corrections_are_an_empty_table(folder):
    assert loaded("reference.correction") == []
