"""Never less than yesterday without a word (E111): what cannot be read is not taken for nothing.

Each test is a way in which a good database was once emptied. The served file must stay as it is,
and the command must say what is wrong.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import dagster as dg
import golden
import pytest
import yaml
from world import World, definitions

from pipelines.database import reference_files
from pipelines.ingest import sources as declared

SOURCE = "coinshares"
ALLOWED = {"allow_loss": SOURCE}


@pytest.fixture
def world(own_samples: World) -> World:
    """Return a published warehouse that may be damaged."""
    return own_samples


def served(world: World) -> str:
    return hashlib.sha256(world.database.read_bytes()).hexdigest()


def blobs(world: World) -> list[Path]:
    return sorted((world.root / "archive" / SOURCE).glob("*.xlsx"))


@pytest.fixture
def layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the folder of sources, to be edited."""
    folder = tmp_path / "sources"
    shutil.copytree(declared.FOLDER, folder)
    monkeypatch.setattr(declared.sources, "__defaults__", (folder,))
    return folder


def unmount(world: World) -> None:
    shutil.rmtree(world.root / "archive")
    (world.root / "archive").mkdir()


def append_a_byte(world: World) -> None:
    with blobs(world)[0].open("ab") as file:
        file.write(b"\n")


def change_a_byte(world: World) -> None:
    content = bytearray(blobs(world)[0].read_bytes())
    content[-1] ^= 1
    blobs(world)[0].write_bytes(content)
    shutil.rmtree(world.root / "index")  # so that it is read again


def lose_the_sidecar(world: World) -> None:
    blobs(world)[0].with_name(f"{blobs(world)[0].stem}.report.json").unlink()


def halve_the_sidecar(world: World) -> None:
    sidecar = blobs(world)[0].with_name(f"{blobs(world)[0].stem}.report.json")
    sidecar.write_text(sidecar.read_text(encoding="utf-8")[:60], encoding="utf-8")


def lose_the_bytes(world: World) -> None:
    blobs(world)[0].unlink()


DAMAGES = [
    unmount,
    append_a_byte,
    change_a_byte,
    lose_the_sidecar,
    halve_the_sidecar,
    lose_the_bytes,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_e111_a_lost_report_is_an_error_and_what_was_read_of_it_stays(world, sampled, damage):
    """It is an error until it is mended, and what is restored heals without more."""
    before = served(world)
    damage(world)
    for _ in range(2):
        ran = world.run()
        assert ran.code == 1
        assert "An archived report is lost or damaged; what was read from it stays." in ran.text
        assert served(world) == before
    shutil.rmtree(world.root / "archive")
    shutil.copytree(sampled.root / "archive", world.root / "archive")
    ran = world.run()
    assert (ran.code, "lost or damaged" in ran.text) == (0, False)
    assert served(world) == before


def test_e111_a_lost_report_is_put_back_by_adding_it_again(world):
    lost = blobs(world)[0]
    content = lost.read_bytes()
    lost.unlink()
    assert world.run().code == 1
    world.add(SOURCE, "again.xlsx", content)
    assert world.run().code == 0


def test_e111_weeks_outlive_archive_and_index(world):
    """Then only the weeks know which reports they were made of; their names are lost."""
    rows = world.query("from mart.flows order by all")
    shutil.rmtree(world.root / "archive" / SOURCE)
    shutil.rmtree(world.root / "index")
    assert world.run().code == 1
    assert world.query("from mart.flows order by all") == rows


def test_other_sources_go_on_while_a_report_is_lost(world):
    rows = world.query("select count(*) from mart.flows where source = ?", SOURCE)
    lose_the_bytes(world)
    (page,) = (world.root / "archive/farside_btc").glob("*.html")
    newer = page.read_bytes().replace(b">(", b"><!-- again -->(", 1)
    world.add("farside_btc", "btc.html", newer, received="2026-02-25T06:00Z")
    ran = world.run()
    assert ran.code == 1
    assert "check failed: is_current: coinshares" in ran.text
    assert world.query("select count(*) from mart.flows where source = ?", SOURCE) == rows
    ((source, name),) = world.query("select source, name from ops.stale")
    assert (source, name.startswith("coinshares_")) == (SOURCE, True)


def test_e111_one_wrong_word_in_a_layout_empties_nothing(world, layouts):
    before = served(world)
    file = layouts / SOURCE / "defs.yaml"
    text = file.read_text(encoding="utf-8")
    named = yaml.safe_load(text)["attributes"]["layouts"][0]["tables"][0]["header"][0]
    file.write_text(text.replace(named, f"{named}x"), encoding="utf-8")
    for _ in range(2):
        ran = world.run()
        assert ran.code == 1
        assert "what was read of it before stays" in ran.text
        assert served(world) == before
    file.write_text(text, encoding="utf-8")
    assert world.run().code == 0
    assert served(world) == before


def test_e111_a_renamed_folder_of_a_source_empties_nothing(world, layouts):
    before = served(world)
    (layouts / SOURCE).rename(layouts / "renamed")
    ran = world.run()
    assert ran.code == 1
    assert f"weeks of {SOURCE}, and no such folder" in ran.text
    assert served(world) == before


def test_e111_a_mistyped_path_is_no_warehouse(tmp_path):
    world = World(tmp_path / "mistyped")
    world.root.mkdir()
    with world.entered() as patch:
        (world.root / "warehouse.json").unlink()
        patch.setattr(World, "init", lambda _: None)
        ran = world.run()
    assert (ran.code, "There is no warehouse here." in ran.text) == (1, True)
    assert not list(world.root.iterdir())


def test_what_would_vanish_stops_the_publication_and_may_be_allowed_once(world, layouts):
    """A layout that reads less than before loses numbers without a cause on record."""
    before = served(world)
    file = layouts / "farside_btc" / "defs.yaml"
    text = file.read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    for layout in found["attributes"]["layouts"]:
        for table in layout["tables"]:
            table.setdefault("rows", []).insert(0, {"text": "30 Oct 2025", "role": "skip"})
    file.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    for _ in range(2):
        ran = world.run()
        assert ran.code == 1
        assert "Numbers that are served would vanish; nothing was published." in ran.text
        assert "farside_btc:" in ran.text
        assert served(world) == before
    allowed = world.run("--allow-loss", "farside_btc")
    assert allowed.code == 0, allowed.text
    assert served(world) != before
    assert world.one("select allowed_loss from ops.build") == "farside_btc"
    assert world.run().code == 0


def test_no_run_that_dagster_starts_can_allow_a_loss(world):
    """Neither a page of the UI nor an automation can: only `fundflows run --allow-loss` does."""
    before = served(world)
    shutil.rmtree(world.root / "weeks" / SOURCE)
    shutil.rmtree(world.root / "outcomes" / SOURCE)
    job = definitions().resolve_implicit_global_asset_job_def()
    tables = [key for key in job.asset_layer.executable_asset_keys if key.path[0] != "reports"]
    asked = {"resources": {"workspace": {"config": ALLOWED}}}
    refused = {"ops": {"build_and_publish": {"config": ALLOWED}}}
    with world.instance() as instance:
        with pytest.raises(dg.DagsterInvalidConfigError, match="allow_loss"):
            job.execute_in_process(refused, instance=instance, asset_selection=tables)
        ran = job.execute_in_process(
            asked, instance=instance, asset_selection=tables, tags=ALLOWED, raise_on_error=False
        )
        (event,) = ran.get_step_failure_events()
    reason = event.step_failure_data.user_failure_data.description
    assert "Numbers that are served would vanish; nothing was published." in reason
    assert served(world) == before


def test_a_label_that_is_mapped_takes_its_numbers_from_the_unmapped(tmp_path, monkeypatch):
    """A reference row is a cause on record, also for what it takes from nobody by name."""
    world = World(tmp_path / "warehouse")
    content = golden.weekly({"By asset!A14": "Newcoin"})
    world.add(SOURCE, "week.xlsx", content, received="2023-05-20T12:00Z")
    unmapped = "select count(*) from mart.flows where member = 'unmapped'"
    assert (world.run().code, world.one(unmapped)) == (0, 1)
    files = reference_files.shared_files()
    file = tmp_path / "alias.csv"
    rows = files["reference.alias"].read_text(encoding="utf-8")
    file.write_text(f"{rows}asset,Newcoin,LTC,1900-01-01,,\n", encoding="utf-8")
    monkeypatch.setattr(reference_files, "shared_files", lambda: {**files, "reference.alias": file})
    world.add(
        "canary", "HBR.csv", golden.in_folder("canary", "HBR.csv"), received="2026-02-01T00:00Z"
    )
    assert (world.run().code, world.one(unmapped)) == (0, 0)


def test_a_lost_report_may_be_let_go(world):
    lost = blobs(world)[0]
    lost.unlink()
    lost.with_name(f"{lost.stem}.report.json").unlink()
    weeks = world.one("select count(distinct week_ending) from mart.flows where source = ?", SOURCE)
    ran = world.run("--allow-loss", SOURCE)
    assert ran.code == 0, ran.text
    left = world.one("select count(distinct week_ending) from mart.flows where source = ?", SOURCE)
    assert left == weeks - 1
    assert world.run().code == 0
