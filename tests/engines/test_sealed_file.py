"""Files that may be run: whole, ours, and out of the reach of others."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from vcam.engines.sealed_file import (
    DamagedError,
    UnsafeError,
    make_folder,
    publish,
    read_facts,
    read_sealed,
    write_sealed,
)

FACTS = {"gpu": "a GPU", "name": "größer"}
PAYLOAD = bytes(range(256)) * 33
NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a" / "plans"
    make_folder(folder)
    return folder


@pytest.fixture
def sealed(folder: Path) -> Path:
    path = folder / "one.plan"
    write_sealed(path, FACTS, PAYLOAD)
    return path


def test_what_was_written_is_read(sealed: Path) -> None:
    found = read_sealed(sealed)
    assert found.facts == FACTS
    assert bytes(found.payload) == PAYLOAD
    assert read_facts(sealed) == FACTS


def test_nobody_else_can_read_or_write_it(sealed: Path) -> None:
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert stat.S_IMODE(sealed.parent.stat().st_mode) == 0o700


def test_a_wide_umask_opens_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_folder(tmp_path / "plans")
        write_sealed(tmp_path / "plans" / "x", {}, b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "plans").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "plans" / "x").stat().st_mode) == 0o600


@pytest.mark.parametrize("kept", [0, 5, 40, 200, -1000, -1])
def test_a_truncated_file_is_damaged(sealed: Path, kept: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:kept])
    with pytest.raises(DamagedError):
        read_sealed(sealed)


def test_a_longer_file_is_damaged(sealed: Path) -> None:
    sealed.write_bytes(sealed.read_bytes() + b"\0")
    with pytest.raises(DamagedError, match="it holds 8449 bytes instead of 8448"):
        read_sealed(sealed)


def test_a_flipped_bit_is_damage(sealed: Path) -> None:
    content = bytearray(sealed.read_bytes())
    content[-100] ^= 4
    sealed.write_bytes(content)
    with pytest.raises(DamagedError, match="not those that were written"):
        read_sealed(sealed)


@pytest.mark.parametrize(
    "header", [b"not json", b"[]", b"{}", b'{"facts": 3}', b'{"facts": {}}', b'"' + b"x" * 70_000 + b'"']
)
def test_a_header_of_other_make_is_damage(sealed: Path, header: bytes) -> None:
    sealed.write_bytes(b"vcam sealed 1\n" + header + b"\n" + PAYLOAD)
    with pytest.raises(DamagedError, match="header cannot be read"):
        read_sealed(sealed)


def test_any_other_file_is_damage(sealed: Path) -> None:
    sealed.write_bytes(PAYLOAD)
    with pytest.raises(DamagedError, match="no header"):
        read_facts(sealed)


def test_what_is_not_there_is_not_damage(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_sealed(folder / "none")
    with pytest.raises(FileNotFoundError):
        read_sealed(folder / "no folder" / "none")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_unsafe(sealed: Path, mode: int) -> None:
    sealed.chmod(mode)
    with pytest.raises(UnsafeError, match="other users may write to") as caught:
        read_sealed(sealed)
    assert caught.value.remedy == f"chmod 600 {sealed}"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_unsafe(sealed: Path, mode: int) -> None:
    sealed.parent.chmod(mode)
    for use in (lambda: make_folder(sealed.parent), lambda: read_sealed(sealed)):
        with pytest.raises(UnsafeError) as caught:
            use()
        assert caught.value.remedy == f"chmod 700 {sealed.parent}"


def test_a_way_to_the_folder_that_anyone_may_change_is_unsafe(sealed: Path) -> None:
    above = sealed.parent.parent
    above.chmod(0o777)
    with pytest.raises(UnsafeError, match=f"anyone may write to {above}"):
        read_sealed(sealed)
    above.chmod(0o1777)  # like /tmp: nobody may rename what is another's
    assert read_sealed(sealed).facts == FACTS


def test_others_may_read(sealed: Path) -> None:
    sealed.chmod(0o644)
    sealed.parent.chmod(0o755)
    assert read_sealed(sealed).facts == FACTS


@as_root
@pytest.mark.parametrize("which", [lambda path: path, lambda path: path.parent], ids=["file", "folder"])
def test_what_belongs_to_another_user_is_unsafe(sealed: Path, which: Callable[[Path], Path]) -> None:
    os.chown(which(sealed), NOBODY, NOBODY)
    with pytest.raises(UnsafeError, match=f"belongs to user {NOBODY}, not to 0"):
        read_sealed(sealed)


@as_root
def test_what_root_has_put_there_is_safe(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image may bring plans that its builder made."""
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert read_sealed(sealed).facts == FACTS


def test_a_link_is_not_followed(sealed: Path, tmp_path: Path) -> None:
    moved = sealed.rename(tmp_path / "elsewhere")
    sealed.symlink_to(moved)
    with pytest.raises(OSError, match="symbolic link"):
        read_sealed(sealed)


def test_a_pipe_does_not_hold_it_up(folder: Path) -> None:
    os.mkfifo(folder / "pipe", 0o600)
    with pytest.raises(DamagedError):
        read_sealed(folder / "pipe")


def test_nothing_is_written_over(sealed: Path) -> None:
    with pytest.raises(FileExistsError):
        write_sealed(sealed, {}, b"other")
    assert bytes(read_sealed(sealed).payload) == PAYLOAD


def test_half_a_file_is_not_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_sealed(folder / "x", {}, PAYLOAD)
    assert list(folder.iterdir()) == []


def test_publishing_replaces(sealed: Path) -> None:
    other = sealed.with_name(".two.tmp")
    write_sealed(other, {}, b"two")
    publish(other, sealed)
    assert bytes(read_sealed(sealed).payload) == b"two"
    assert list(sealed.parent.iterdir()) == [sealed]


def test_no_descriptor_is_left_open(sealed: Path) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    sealed.chmod(0o666)
    for _ in range(3):
        with pytest.raises(UnsafeError):
            read_sealed(sealed)
        with pytest.raises(FileNotFoundError):
            read_sealed(sealed.with_name("none"))
    sealed.chmod(0o600)
    read_sealed(sealed)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
