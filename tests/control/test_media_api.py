"""Uploads: decoded in a process of its own, written anew, under names that are no paths; bombs and lies are refused."""

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.control.rig import API, Control, picture, pixels
from vcam.control import media_api as media_api_module
from vcam.control import picture as picture_module
from vcam.control import rewrite
from vcam.control.media import MediaFolder
from vcam.control.media_api import MOST_UPLOAD_BYTES
from vcam.control.picture import make_safe
from vcam.control.rates import Rate
from vcam.errors import MediaError
from vcam.frame import Plane
from vcam.scene.clip import Timed
from vcam.scene.picture import rgb_picture


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


def names(folder: Path) -> list[str]:
    """Of all files, whatever they are."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG of one grey channel that says it is that large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_picture_is_taken_in_listed_given_and_deleted(control: Control) -> None:
    status, told = control.upload(picture(color=(200, 30, 30)), "../My Room (1).PNG")
    name = str(told["name"])
    assert status == 201
    assert name.startswith("my-room-1-")
    assert (told["background"], told["in_use"]) == (f"image:{name}", False)
    assert (told["kind"], told["transparent"]) == ("picture", False)
    assert names(control.media) == [name, f"thumbnails/{name}"]
    listed = control.ask("GET", "/backgrounds")[1]["backgrounds"]
    assert listed == [told]
    answer = control.client.get(f"{API}/backgrounds/{name}")
    assert answer.headers["content-type"] == "image/jpeg"
    whole = pixels(answer.content)
    assert whole.shape == (48, 64, 3)
    assert abs(whole.astype(int) - (200, 30, 30)).max() <= 2
    small = pixels(control.client.get(f"{API}/backgrounds/{name}", params={"thumbnail": "1"}).content)
    assert small.shape == (180, 320, 3)
    assert control.ask("DELETE", f"/backgrounds/{name}") == (204, {})
    assert names(control.media) == []
    assert control.client.get(f"{API}/backgrounds/{name}").status_code == 404


def test_the_same_file_is_kept_once(control: Control) -> None:
    first, second = control.upload(picture()), control.upload(picture())
    assert (first[0], second[0]) == (201, 200)
    assert first[1]["name"] == second[1]["name"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_kind_that_vcam_shows_may_be_uploaded(control: Control, kind: str) -> None:
    assert control.upload(picture(kind), kind=f"image/{kind.lower()}")[0] == 201


def test_nothing_but_the_picture_is_kept(control: Control) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "secret camera"
    out = BytesIO()
    Pillow.new("RGB", (64, 48)).save(out, "JPEG", exif=exif, comment=b"secret place")
    _, told = control.upload(out.getvalue() + b"<script>secret</script>", kind="image/jpeg")
    stored = (control.media / str(told["name"])).read_bytes()
    assert b"secret" not in stored
    assert stored.startswith(b"\xff\xd8")


def test_the_background_in_effect_cannot_be_deleted(control: Control) -> None:
    _, told = control.upload(picture())
    control.ask("PATCH", "/scene", {"background": told["background"]})
    assert control.ask("DELETE", f"/backgrounds/{told['name']}")[0] == 409
    backgrounds = control.ask("GET", "/backgrounds")[1]["backgrounds"]
    assert isinstance(backgrounds, list)
    assert backgrounds[0]["in_use"] is True


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "is not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture"),
        (picture("PPM"), "is not a picture"),
        (picture()[:60], "cannot be read"),
        (png(30_000, 30_000, b""), "is not a picture|is too large"),
        (png(8000, 8000, zlib.compress(bytes(1000))), "is too large: 8000x8000"),
    ],
    ids=["empty", "postscript", "svg", "ppm", "truncated", "bomb", "large"],
)
def test_what_is_no_picture_is_refused_and_not_kept(control: Control, data: bytes, told: str) -> None:
    status, problem = control.upload(data, "holiday.png")
    assert status == 422
    assert str(problem["problem"]).startswith("holiday.png ")
    assert any(part in str(problem["problem"]) for part in told.split("|"))
    assert str(control.folder) not in str(problem)
    assert names(control.media) == []


def test_a_process_that_takes_too_much_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = tmp_path / "x"
    upload.write_bytes(picture())
    with monkeypatch.context() as patch:
        patch.setattr(picture_module, "STILL_WALL_LIMIT_S", 0.01)
        with pytest.raises(MediaError, match="takes too long"):
            make_safe(upload, tmp_path / "a", tmp_path / "b", called="it")
    run = subprocess.run

    def hungry(command: list[str], **keys: object) -> object:
        """The same process with hardly any memory."""
        code = (
            "import sys, vcam.control.rewrite as r; from pathlib import Path; r.STILL_LIMITS = r.Limits(1 << 20, 10);"
            f"sys.exit(r.main(*map(Path, {command[3:]!r})))"
        )
        return run([sys.executable, "-c", code], **keys)  # type: ignore[call-overload]  # passed through

    monkeypatch.setattr(subprocess, "run", hungry)
    with pytest.raises(MediaError, match="more memory or time"):
        make_safe(upload, tmp_path / "a", tmp_path / "b", called="it")


@pytest.mark.parametrize(("kind", "limits"), [("PNG", [2 << 30, 10]), ("GIF", [3 << 30, 100])])
def test_the_limits_hold_in_the_process_that_decodes(tmp_path: Path, kind: str, limits: list[int]) -> None:
    (tmp_path / "in").write_bytes(picture(kind))
    code = (
        "import os, resource, sys; from pathlib import Path; from vcam.control import rewrite;"
        f"rewrite.main(*(Path({str(tmp_path)!r}) / each for each in ('in', 'out', 'small')));"
        "print([resource.getrlimit(each)[0] for each in (resource.RLIMIT_AS, resource.RLIMIT_CPU)], os.nice(0))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    facts, _, told = out.partition("}")
    assert json.loads(facts + "}")["suffix"] == ".jpg"
    assert told.startswith(str(limits))
    assert int(told.split()[-1]) >= 10, "viewers must not notice"


def test_an_upload_of_another_kind_or_without_end_is_refused(control: Control) -> None:
    assert control.upload(picture(), kind="text/html")[0] == 415
    assert control.upload(picture(), kind="")[0] == 415
    assert control.upload(picture(), name="x" * 201)[0] == 422

    def endless() -> Iterator[bytes]:
        for _ in range(MOST_UPLOAD_BYTES // (1 << 20) + 1):
            yield bytes(1 << 20)

    headers = {"content-type": "image/png"}
    assert control.client.post(f"{API}/backgrounds", content=endless(), headers=headers).status_code == 413
    declared = {**headers, "content-length": str(MOST_UPLOAD_BYTES + 1)}
    assert control.client.post(f"{API}/backgrounds", content=b"", headers=declared).status_code == 413
    assert names(control.media) == []


def test_uploads_have_a_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.control.media_api._UPLOADS", Rate(burst=2, per_s=0.001))
    control = Control(tmp_path)
    assert [control.upload(b"no picture")[0] for _ in range(2)] == [422, 422]
    answer = control.client.post(f"{API}/backgrounds", content=b"x", headers={"content-type": "image/png"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_the_folder_has_an_end(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    control.upload(picture(color=(1, 2, 3)))
    with monkeypatch.context() as patch:
        patch.setattr("vcam.control.media.MOST_FILES", 1)
        assert control.upload(picture())[0] == 409
    monkeypatch.setattr("vcam.control.media.MOST_BYTES", 1000)
    assert control.upload(picture())[0] == 409
    assert len(names(control.media)) == 2


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fvcam.toml",
        "%2e%2e%2fsecret.jpg",
        "secret.jpg%00",
        "..",
        ".upload-1",
        "thumbnails",
        "SECRET.JPG",
        "link.jpg",
        "%2fetc%2fpasswd",
    ],
)
def test_nothing_outside_of_the_folder_is_given_or_deleted(control: Control, name: str) -> None:
    control.upload(picture())
    secret = control.folder / "secret.jpg"
    secret.write_bytes(picture("JPEG"))
    (control.media / "link.jpg").symlink_to(secret)
    for method in ("GET", "DELETE"):
        answer = control.client.request(method, f"{API}/backgrounds/{name}")
        assert answer.status_code in (404, 405)
    assert secret.exists()
    assert control.ask("PATCH", "/scene", {"background": "image:link.jpg"})[0] == 404


def test_what_a_dead_process_left_is_removed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = MediaFolder(tmp_path)
    path, file = media.upload()
    file.close()
    media.clean()
    assert path.exists(), "another vcam may be writing it"
    monkeypatch.setattr("vcam.control.media._ABANDONED_S", -1.0)
    media.clean()
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_told(control: Control) -> None:
    control.media.write_text("a file where the folder should be")
    status, told = control.upload(picture())
    assert status == 409
    assert "media_dir" in str(told["hint"])
    assert control.ask("GET", "/backgrounds") == (200, {"backgrounds": [], "configured": "green"})


def test_a_disk_that_is_full_is_told(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vcam.control.media.make_safe", full)
    status, told = control.upload(picture())
    assert status == 409
    assert "No space left" in str(told["problem"])
    assert names(control.media) == []


def glass() -> bytes:
    """A PNG whose left half is clear."""
    out = BytesIO()
    picture = Pillow.new("RGBA", (64, 48), (200, 30, 30, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 48))
    picture.save(out, "PNG")
    return out.getvalue()


def animation(kind: str, *, clear: bool, count: int = 4) -> bytes:
    """Colours one after the other, a tenth of a second each."""
    ground = (0, 0, 0, 0) if clear else (20, 60, 20, 255)
    pictures = [Pillow.new("RGBA", (64, 48), ground) for _ in range(count)]
    for k, each in enumerate(pictures):
        each.paste((255 * k // count, 30, 200, 255), (16, 12, 48, 36))
    out = BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=100, loop=0, kmax=1)
    return out.getvalue()


def film(size: tuple[int, int] = (64, 48), count: int = 20, *, fps: int = 10, muxer: str = "mp4") -> bytes:
    """A video that gets brighter."""
    import av

    out = BytesIO()
    with av.open(out, "w", format=muxer) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        container.metadata["comment"] = "secret place"
        for k in range(count):
            grey = np.full((size[1], size[0], 3), 40 + 160 * k // count, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def decoded(data: bytes) -> list[tuple[float, Plane]]:
    """Times and pictures of a video."""
    import av

    with av.open(BytesIO(data), "r") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        frames = list(container.decode(container.streams.video[0]))
    return [(float(frame.time or 0), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)) for frame in frames]


def given(control: Control, told: dict[str, object]) -> tuple[str, bytes]:
    """The kind and the file that became of an upload."""
    answer = control.client.get(f"{API}/backgrounds/{told['name']}")
    small = control.client.get(f"{API}/backgrounds/{told['name']}", params={"thumbnail": "1"})
    assert small.headers["content-type"] == "image/jpeg"
    assert pixels(small.content).shape == (180, 320, 3)
    return answer.headers["content-type"], answer.content


def test_what_is_transparent_stays_so(control: Control) -> None:
    status, told = control.upload(glass(), "podium.png")
    assert (status, told["kind"], told["transparent"]) == (201, "picture", True)
    kind, data = given(control, told)
    assert kind == "image/png"
    stored = np.asarray(Pillow.open(BytesIO(data)))
    assert stored[20, 5, 3] == 0
    assert tuple(stored[20, 60]) == (200, 30, 30, 255)
    assert control.ask("PATCH", "/scene", {"background": told["background"]})[0] == 200


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_what_moves_becomes_a_video(control: Control, kind: str) -> None:
    status, told = control.upload(animation(kind, clear=False), "wave.gif", f"image/{kind.lower()}")
    assert (status, told["kind"], told["transparent"]) == (201, "video", False)
    assert str(told["background"]).startswith("video:wave-")
    given_kind, data = given(control, told)
    assert given_kind == "video/mp4"
    shown = decoded(data)
    assert [round(at_s, 2) for at_s, _ in shown] == [0.0, 0.1, 0.2, 0.3]
    assert abs(shown[2][1][24, 32].astype(int) - (127, 30, 200)).max() < 16


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_what_moves_and_is_transparent_stays_both(control: Control, kind: str) -> None:
    status, told = control.upload(animation(kind, clear=True), "sticker.gif", f"image/{kind.lower()}")
    assert (status, told["kind"], told["transparent"]) == (201, "video", True)
    given_kind, data = given(control, told)
    assert given_kind == "image/webp"
    opened = Pillow.open(BytesIO(data))
    assert getattr(opened, "n_frames", 1) == 4
    opened.seek(2)
    rgba = np.asarray(opened.convert("RGBA"))
    assert rgba[2, 2, 3] == 0
    assert abs(rgba[24, 32].astype(int) - (127, 30, 200, 255)).max() < 24
    assert control.ask("PATCH", "/scene", {"layers": [f"image:{told['name']}"]})[0] == 200


@pytest.mark.parametrize(("muxer", "kind"), [("mp4", "video/mp4"), ("matroska", "video/x-matroska")])
def test_a_video_is_written_anew(control: Control, muxer: str, kind: str) -> None:
    script = b"<script>secret</script>"
    sent = film(muxer=muxer) + (struct.pack(">I", 8 + len(script)) + b"free" + script) * (muxer == "mp4")
    status, told = control.upload(sent, "waves.mp4", kind)
    assert (status, told["kind"]) == (201, "video")
    _, data = given(control, told)
    assert b"secret" not in data
    shown = decoded(data)
    assert len(shown) == 20
    assert abs(shown[10][0] - 1.0) < 0.01
    assert abs(int(shown[10][1][20, 20, 1]) - 120) < 12
    assert control.ask("PATCH", "/scene", {"background": told["background"]})[0] == 200


def test_a_video_is_bounded_in_size_rate_and_length(control: Control) -> None:
    _, told = control.upload(film((2000, 1000), 12, fps=120), "large.mp4", "video/mp4")
    shown = decoded(given(control, told)[1])
    assert shown[0][1].shape == (640, 1280, 3)
    assert len(shown) == 3
    timed = [Timed(rgb_picture(np.zeros((2, 2, 3), np.uint8)), 500_000_000)] * 1000
    assert len(list(rewrite._at_times(iter(timed)))) == 120


@pytest.mark.parametrize(
    "data",
    [
        film()[:2000],
        b"\x00\x00\x00\x18ftypmp42" + bytes(3000),
        b"\x1a\x45\xdf\xa3" + bytes(3000),
        b"GIF89a" + bytes(20),
        b"RIFF\xff\xff\xff\xffWEBP" + bytes(20),
        animation("GIF", clear=False)[:150],
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
    ids=["torn", "empty mp4", "empty mkv", "gif", "webp", "torn gif", "playlist", "concat"],
)
def test_a_broken_video_is_refused_and_not_kept(control: Control, data: bytes) -> None:
    status, told = control.upload(data, "holiday.mp4", "video/mp4")
    assert status == 422
    assert "holiday.mp4" in str(told["problem"])
    assert str(control.folder) not in str(told)
    assert names(control.media) == []


def test_a_video_may_be_larger_than_a_picture_but_not_without_end(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_api_module, "MOST_UPLOAD_BYTES", 1000)
    monkeypatch.setattr(media_api_module, "MOST_VIDEO_BYTES", 2000)
    assert control.upload(bytes(1500), kind="image/png")[0] == 413
    assert control.upload(bytes(1500), kind="video/mp4")[0] == 422
    assert control.upload(bytes(2500), kind="video/mp4")[0] == 413
