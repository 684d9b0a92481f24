"""Compiles the modules that every request passes through into extension modules: ``python compile_hot.py FOLDER``.

In FOLDER a copy of the package comes to lie in which those of ``hot_modules.txt`` have an extension module beside their
source. Python prefers it, everything else stays as it is, and so does what the program does: the source is the
reference, and mypyc compiles what it says. Extension modules know one another's insides, so they are made and used
together, for one version of Python.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent
LIST = ROOT / "hot_modules.txt"
REQUIRED = ("mypy>=2,<3", "setuptools>=75", "msgspec>=0.22", "uvloop>=0.22")
"""What has to be installed where the modules are compiled: the compiler, and what their types speak of."""
_CONFIG = """[mypy]
python_version = {version}
strict = True
mypy_path = .
explicit_package_bases = True
follow_imports = silent
"""
_SETUP = """import sys
from mypyc.build import mypycify
from setuptools import setup
setup(
    name="doorward-hot",
    packages=[],
    ext_modules=mypycify(["--config-file", "mypy.ini", *sys.argv.pop().split()], opt_level="3", debug_level="0",
                         group_name="doorward_hot"),
)
"""


_SOUND = """#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define PyBytes_FromStringAndSize(text, size) (PyBytes_FromStringAndSize)((text), (size) < 0 ? 0 : (size))
#define PyByteArray_FromStringAndSize(text, size) (PyByteArray_FromStringAndSize)((text), (size) < 0 ? 0 : (size))
"""
"""Included everywhere: a slice of bytes that ends before it begins is empty in Python, and an error as mypyc has it."""


class CannotCompile(Exception):
    """Something that is needed is missing, or a module is not fit to be compiled."""


def hot_modules() -> list[Path]:
    """Their sources, relative to the folder of the package."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text().splitlines())
    return sorted(
        path.relative_to(ROOT / "src")
        for line in lines
        if line
        for path in (ROOT / "src").glob(line)
        if path.name != "__init__.py"
    )


def compile_into(folder: Path) -> list[Path]:
    """Put the package there with its extension modules, and return these. Raises CannotCompile."""
    _need_compiler()
    package, work = folder / "doorward", folder / ".work"
    for old in (package, work):
        shutil.rmtree(old, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.po")
    shutil.copytree(ROOT / "src" / "doorward", package, ignore=ignored)
    work.mkdir()
    (folder / "mypy.ini").write_text(_CONFIG.format(version=sysconfig.get_python_version()))
    (folder / "setup.py").write_text(_SETUP)
    (folder / "sound.h").write_text(_SOUND)
    sources = " ".join(map(str, hot_modules()))
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", ".work/lib", "--build-temp", ".work/o"]
    made = subprocess.run(  # noqa: S603
        [*command, sources],
        cwd=folder,
        env={
            **os.environ,
            "MYPYPATH": "",
            "PYTHONPATH": "",
            "CFLAGS": f"{os.environ.get('CFLAGS', '')} -include sound.h",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (work / "said").write_text(made.stdout)
    if made.returncode:
        raise CannotCompile(f"the modules could not be compiled:\n{made.stdout[-4000:]}")
    placed = []
    for built in sorted((work / "lib").rglob("*")):
        if built.is_file():
            placed.append(folder / built.relative_to(work / "lib"))
            shutil.copy2(built, placed[-1])
    shutil.rmtree(work)
    return placed


def _need_compiler() -> None:
    command = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))[0]
    if shutil.which(command) is None:
        raise CannotCompile(f"there is no C compiler ({command}); on Debian and Ubuntu: sudo apt-get install gcc")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        raise CannotCompile("Python's headers are missing; on Debian and Ubuntu: sudo apt-get install python3-dev")
    for name in ("mypyc", "setuptools"):
        if not any((Path(entry) / name).is_dir() for entry in sys.path if entry):
            raise CannotCompile(f"{name} is missing; install it: pip install {' '.join(map(shlex.quote, REQUIRED))}")


def main() -> None:
    try:
        placed = compile_into(Path(sys.argv[1]))
    except CannotCompile as missing:
        raise SystemExit(str(missing)) from None
    print(f"{len(placed)} extension modules in {sys.argv[1]}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
