"""Image files that are not what they should be: each ends in pixels that are described, or in one clear line."""

import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reid.data.decode import FORMATS, decode
from reid.errors import InputError

SIZE = (16, 8)
UNKNOWN = "not a JPEG, PNG, BMP, GIF, TIFF, WEBP or PPM file"


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims a size, with data that would inflate to black."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def gif(width: int, height: int) -> bytes:
    """A GIF of one frame that claims a size, with hardly any data."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00;"


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((40, 80), 90).convert("RGB").save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", UNKNOWN),
        (b"not an image at all", UNKNOWN),
        (jpeg()[:300], "(truncated|Truncated|broken data stream)"),
        (jpeg()[:-200], "image file is truncated"),
        (png(40, 80), "image file is truncated"),
        (png(20000, 20000), "exceeds limit of"),
        (png(10000, 10000), "exceeds limit of"),
        (b"P6 20000 20000 255\n" + bytes(100), "exceeds limit of"),
        (gif(20000, 20000), "exceeds limit of"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", UNKNOWN),
    ],
    ids=[
        "zero bytes",
        "text",
        "header only",
        "truncated",
        "empty png",
        "20000x20000",
        "10000x10000",
        "PPM",
        "GIF",
        "program",
    ],
)
def test_unreadable_files_are_named_in_one_line(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a 人.jpg"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"a 人\.jpg: cannot be read as an image \(.*{reason}.*--skip-unread"
    ) as caught:
        decode(path, SIZE)
    assert "\n" not in str(caught.value)


def test_no_regular_file(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    for name, reason in [
        ("folder.jpg", "not a regular file"),
        ("pipe.jpg", "not a regular file"),
        ("loop.jpg", "Too many levels of symbolic links"),
        ("absent.jpg", "No such file"),
        ("n" * 300 + ".jpg", "File name too long"),
    ]:
        with pytest.raises(InputError, match=rf"{name}: cannot be read as an image \({reason}"):
            decode(tmp_path / name, SIZE)


REFUSE = """
import resource, sys
from pathlib import Path
from reid.data.decode import decode
from reid.errors import InputError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(Path(sys.argv[1]), (16, 8))
except InputError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


@pytest.mark.slow
def test_a_bomb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    """A whole 20000x20000 BMP, 1.2 GB of black (sparse on disk), costs a few megabytes."""
    size = 54 + 3 * 20000 * 20000
    header = struct.pack("<2sIIIIiiHHIIiiII", b"BM", size, 0, 54, 40, 20000, 20000, 1, 24, 0, 0, 0, 0, 0, 0)
    (tmp_path / "bomb.bmp").write_bytes(header)
    os.truncate(tmp_path / "bomb.bmp", size)
    done = subprocess.run(
        [sys.executable, "-c", REFUSE, tmp_path / "bomb.bmp"], capture_output=True, text=True, check=False
    )
    megabytes, _, error = done.stdout.partition(" ")
    assert "exceeds limit" in error, done.stderr
    assert int(megabytes) < 50


def colours(path: Path) -> list[int]:
    pixels = decode(path, SIZE)
    assert pixels.shape == (*SIZE, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == pixels[0, 0]).all()
    return [int(value) for value in pixels[0, 0]]


class TestUnusualImagesAreConverted:
    def test_cmyk(self, tmp_path: Path) -> None:
        Image.new("CMYK", (9, 9), (255, 0, 0, 0)).save(tmp_path / "i.jpg", quality=100)
        red, green, blue = colours(tmp_path / "i.jpg")
        assert red < 5
        assert min(green, blue) > 250

    def test_grey(self, tmp_path: Path) -> None:
        Image.new("L", (9, 9), 77).save(tmp_path / "i.png")
        assert colours(tmp_path / "i.png") == [77] * 3

    def test_16_bit_keeps_its_upper_bits(self, tmp_path: Path) -> None:
        Image.fromarray(np.full((9, 9), 77 * 256 + 200, dtype=np.uint16)).save(tmp_path / "i.png")
        assert colours(tmp_path / "i.png") == [77] * 3

    def test_one_bit(self, tmp_path: Path) -> None:
        Image.new("1", (9, 9), 1).save(tmp_path / "i.png")
        assert colours(tmp_path / "i.png") == [255] * 3

    @pytest.mark.parametrize("transparency", [None, 0, bytes([10, 200])])
    def test_palette(self, transparency: int | bytes | None, tmp_path: Path) -> None:
        image = Image.new("P", (9, 9), 0)
        image.putpalette([1, 2, 3, 4, 5, 6])
        image.info = {} if transparency is None else {"transparency": transparency}
        image.save(tmp_path / "i.png")
        assert colours(tmp_path / "i.png") == [1, 2, 3]

    @pytest.mark.parametrize(("mode", "colour"), [("RGBA", (1, 2, 3, 0)), ("LA", (2, 0))])
    def test_alpha_is_dropped(self, mode: str, colour: tuple[int, ...], tmp_path: Path) -> None:
        Image.new(mode, (9, 9), colour).save(tmp_path / "i.png")
        assert colours(tmp_path / "i.png") == ([1, 2, 3] if mode == "RGBA" else [2, 2, 2])

    def test_one_pixel(self, tmp_path: Path) -> None:
        Image.new("RGB", (1, 1), (5, 6, 7)).save(tmp_path / "i.png")
        assert colours(tmp_path / "i.png") == [5, 6, 7]

    def test_exif_rotation_is_ignored(self, tmp_path: Path) -> None:
        image = Image.fromarray(
            np.repeat(np.arange(0, 256, 16, dtype=np.uint8)[:, None], 8, axis=1).repeat(3).reshape(16, 8, 3)
        )
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(tmp_path / "plain.jpg", quality=95)
        image.save(tmp_path / "turned.jpg", quality=95, exif=exif)
        np.testing.assert_array_equal(decode(tmp_path / "plain.jpg", SIZE), decode(tmp_path / "turned.jpg", SIZE))

    @pytest.mark.parametrize("ending", ["jpe", "jfif", "gif", "tif", "tiff", "webp", "ppm", "bmp"])
    def test_other_formats(self, ending: str, tmp_path: Path) -> None:
        Image.new("RGB", (9, 9), (200, 60, 70)).save(tmp_path / f"i.{ending}", lossless=True)
        assert colours(tmp_path / f"i.{ending}") == pytest.approx([200, 60, 70], abs=4)

    @pytest.mark.parametrize("ending", ["gif", "tif", "webp"])
    def test_the_first_of_several_frames(self, ending: str, tmp_path: Path) -> None:
        first, second = (Image.new("RGB", (9, 9), colour) for colour in ((250, 0, 0), (0, 0, 250)))
        first.save(tmp_path / f"i.{ending}", save_all=True, append_images=[second], lossless=True)
        assert colours(tmp_path / f"i.{ending}") == [250, 0, 0]

    def test_16_bit_of_a_tiff_and_of_a_ppm(self, tmp_path: Path) -> None:
        Image.fromarray(np.full((9, 9), 77 * 256 + 200, dtype=np.uint16)).save(tmp_path / "i.tif")
        (tmp_path / "i.pgm").write_bytes(b"P5 3 3 65535\n" + (77 * 256 + 200).to_bytes(2, "big") * 9)
        assert colours(tmp_path / "i.tif") == colours(tmp_path / "i.pgm") == [77] * 3

    def test_fractions_are_refused(self, tmp_path: Path) -> None:
        Image.new("F", (9, 9), 0.5).save(tmp_path / "i.tif")
        with pytest.raises(InputError, match=r"i\.tif: cannot be read as an image \(its pixels are fractions"):
            decode(tmp_path / "i.tif", SIZE)

    def test_the_name_does_not_decide_the_format(self, tmp_path: Path) -> None:
        Image.new("RGB", (9, 9), (5, 6, 7)).save(tmp_path / "i.jpg", "PNG")
        assert colours(tmp_path / "i.jpg") == [5, 6, 7]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_broken_bytes_end_in_pixels_or_in_input_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((12, 24)).save(file, data.draw(st.sampled_from(FORMATS)))
    content = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    path = tmp_path_factory.getbasetemp() / "broken.img"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert decode(path, SIZE).shape == (*SIZE, 3)
