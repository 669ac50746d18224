"""Pictures of the digest as an e-mail, on a telephone and on a desk, for the documentation.

``python -m tools.mail_pictures [FOLDER]`` renders the digest sample of the tests in headless Chromium.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chalicelib.notices.email import bodies
from tests.notices_samples import SAMPLES

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "images"
#: Width and height in CSS pixels: the top of the message, at the size of a telephone and of a desk.
SIZES = ((360, 1600), (800, 1400))
#: Bytes that a picture in the documentation may have.
MAX_BYTES = 200_000
SECONDS = 60
FRAME = """<!DOCTYPE html>
<meta name="color-scheme" content="light dark">
<body style="margin:0;overflow:hidden">
<iframe src="mail.html" width="{width}" height="{height}" style="border:0;display:block"></iframe>
</body>
"""


class PictureFailed(Exception):
    """There is no picture, and the text says why."""


def chromium() -> str:
    """The path of Chromium. Raises PictureFailed without one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise PictureFailed("Chromium was not found; accepted is chromium, chromium-browser or google-chrome on the PATH")


def picture(html: str, width: int, height: int, target: Path, *, dark: bool = False) -> None:
    """Writes the top of the page as PNG, in CSS pixels. Raises PictureFailed."""
    with tempfile.TemporaryDirectory() as folder:
        # Chromium's own window is never narrower than 500 pixels: the page stands in a frame of the wanted width.
        Path(folder, "mail.html").write_text(html, encoding="utf-8")
        frame = Path(folder, "frame.html")
        frame.write_text(FRAME.format(width=width, height=height), encoding="utf-8")
        shot = Path(folder, "shot.png")
        _run(
            [
                f"--user-data-dir={folder}/profile",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                f"--window-size={width},{height}",
                f"--screenshot={shot}",
                frame.as_uri(),
            ]
        )
        if not shot.exists():
            raise PictureFailed(f"Chromium made no picture of {width} pixels")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shot, target)


def _run(arguments: list[str]) -> None:
    command = [
        chromium(),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        *arguments,
    ]
    try:
        done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise PictureFailed(f"Chromium took more than {SECONDS} seconds") from None
    if done.returncode:
        raise PictureFailed(f"Chromium failed:\n{done.stderr}")


def main(arguments: list[str]) -> int:
    """Writes the pictures into ``docs/images``, or the folder named; exit code 1 when that fails."""
    folder = Path(arguments[0]) if arguments else TARGET
    _, html = bodies(SAMPLES["digest-full"])
    try:
        for width, height in SIZES:
            target = folder / f"mail-{width}.png"
            picture(html, width, height, target)
            size = target.stat().st_size
            print(f"wrote {target}: {size:,} bytes")
            if size > MAX_BYTES:
                raise PictureFailed(f"{target.name} has {size:,} bytes; accepted are {MAX_BYTES:,}")
    except PictureFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
