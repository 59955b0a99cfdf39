"""The folder of a backup: complete or not there, and whatever was changed in it since is named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.backup.copy_folder import CopyFolder, Manifest, UnusableBackupError, remove_older

AT = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)


def manifest(at: datetime = AT) -> Manifest:
    return Manifest(made_at=at, release="1.0.0", nats_server="2.15.1", databases=[], streams=[], workers_key=None)


def written(beneath: Path, at: datetime = AT) -> CopyFolder:
    with CopyFolder.being_written(beneath, at) as folder:
        folder.database("inventory").write_bytes(b"tables")
        (folder.stream("OBSERVATIONS") / "stream.tar.s2").write_bytes(b"facts")
        folder.seal(manifest(at))
    return folder


def test_a_backup_is_named_by_its_time_in_utc(tmp_path: Path) -> None:
    assert written(tmp_path).root == tmp_path / "2026-11-26T08-30-00Z"


def test_a_whole_backup_is_read_back(tmp_path: Path) -> None:
    folder = CopyFolder.complete(written(tmp_path).root)
    assert folder.verify() == folder.size()
    assert folder.manifest() == manifest()


def test_of_several_the_newest_is_taken(tmp_path: Path) -> None:
    for hours in (2, 1, 3):
        written(tmp_path, AT + timedelta(hours=hours))
    assert CopyFolder.complete(tmp_path).root.name == "2026-11-26T11-30-00Z"


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def break_off() -> None:
        with CopyFolder.being_written(tmp_path, AT) as folder:
            folder.database("inventory").write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_backup_is_no_backup(tmp_path: Path) -> None:
    written(tmp_path).root.rename(tmp_path / "2026-11-26T08-30-00Z.part")
    with pytest.raises(UnusableBackupError, match="is no backup"):
        CopyFolder.complete(tmp_path)


def test_two_backups_of_one_second_do_not_mix(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(FileExistsError, match="is there already"):
        written(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "databases" / "inventory.dump").write_bytes(b"tablet"), "inventory.dump is damaged"),
        (lambda root: (root / "databases" / "inventory.dump").unlink(), "inventory.dump is missing"),
        (lambda root: (root / "databases" / "more.dump").write_bytes(b""), "more.dump does not belong"),
        (lambda root: (root / "manifest.json").write_text("{}"), "manifest.json is damaged"),
        (lambda root: (root / "SHA256SUMS").unlink(), "the backup is not complete"),
    ],
)
def test_what_was_changed_since_is_named(tmp_path: Path, change: object, said: str) -> None:
    folder = written(tmp_path)
    assert callable(change)
    change(folder.root)
    with pytest.raises(UnusableBackupError, match=said):
        folder.verify()


def test_a_manifest_of_another_format_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    text = (folder.root / "manifest.json").read_text("utf-8")
    (folder.root / "manifest.json").write_text(text.replace('"format": 1', '"format": 2'), "utf-8")
    with pytest.raises(UnusableBackupError, match="cannot be read by this release"):
        folder.manifest()


def test_older_backups_are_removed_and_the_newest_stays_whatever_its_age(tmp_path: Path) -> None:
    for days in (0, 3, 5):
        written(tmp_path, AT + timedelta(days=days))
    (tmp_path / "2026-11-20T08-30-00Z.part").mkdir()
    (tmp_path / "2026-12-01T08-00-00Z.part").mkdir()
    (tmp_path / "lost+found").mkdir()
    now = AT + timedelta(days=5, hours=1)
    removed = remove_older(tmp_path, timedelta(days=2), now)
    assert {path.name for path in removed} == {
        "2026-11-26T08-30-00Z",
        "2026-11-29T08-30-00Z",
        "2026-11-20T08-30-00Z.part",
    }
    left = {"2026-12-01T08-30-00Z", "2026-12-01T08-00-00Z.part", "lost+found"}
    assert {path.name for path in tmp_path.iterdir()} == left
    assert remove_older(tmp_path, timedelta(hours=1), now + timedelta(hours=12)) == []
    assert CopyFolder.complete(tmp_path).verify() > 0


def test_nothing_is_removed_where_nothing_was_ever_kept(tmp_path: Path) -> None:
    assert remove_older(tmp_path / "none", timedelta(days=1), AT) == []
