#!/bin/sh
# Gets ready what the targets of the Makefile need: uv, the locked packages and, with the argument `server`, the Temporal CLI.
# When all is there it takes no time and says nothing. What it says goes to stderr: stdout belongs to the commands.
set -eu
exec 1>&2
cd "$(dirname "$0")/.."
unset VIRTUAL_ENV # an environment that happens to be active is not ours

UV_VERSION=0.13.9
PACKAGES=.venv/made-for   # the folder and the lock that .venv was made for
SERVER=.venv/temporal-cli # where the Temporal CLI was found

fail() {
    echo "$1" >&2
    exit 1
}

# Prints the first Python that is new enough and has venv; fails when there is none. The one in .venv stays while it works.
find_python() {
    for name in .venv/bin/python python3 python3.11 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
            return
        fi
    done
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            fail "Python is here, its module venv is not: install it (on Debian and Ubuntu: apt install python3-venv)."
        fi
    done
    fail "Python 3.11 or newer is needed and none was found: install it, and see that python3 finds it."
}

install_packages() {
    command -v git >/dev/null || fail "git is needed and was not found: install it (on Debian and Ubuntu: apt install git)."
    python=$(find_python) || exit 1
    cache=$("$python" -c 'import os, pathlib; print(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")')/sojourn
    uv=$cache/uv/bin/uv
    if ! "$uv" --version 2>/dev/null | grep -qF "uv $UV_VERSION"; then
        echo "Installing uv $UV_VERSION into $cache/uv ..."
        rm -rf "$cache/uv"
        "$python" -m venv "$cache/uv"
        "$cache/uv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "uv==$UV_VERSION" ||
            fail "uv could not be installed: see what pip says above; the package index must be within reach once."
    fi
    # Packages of another folder, or for a Python that is gone, would not run here.
    if [ "$(sed 1q "$PACKAGES" 2>/dev/null || true)" != "$(pwd -P)" ] && [ -e "$PACKAGES" ]; then
        rm -rf .venv
    fi
    rm -f "$PACKAGES"
    export UV_PYTHON="$python" UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv
    # What other clones have fetched is in the cache, and needs no network.
    "$uv" sync --frozen --compile-bytecode --offline --quiet 2>/dev/null || "$uv" sync --frozen --compile-bytecode ||
        fail "The packages could not be installed: see what uv says above; the package index must be within reach once."
    echo "$wanted" >"$PACKAGES"
}

wanted="$(pwd -P)
$(cat uv.lock pyproject.toml | cksum)"
if [ ! -x .venv/bin/python ] || [ "$(cat "$PACKAGES" 2>/dev/null)" != "$wanted" ]; then
    install_packages
fi
if [ "${1:-}" = server ] && { [ ! -s "$SERVER" ] || [ ! -x "$(cat "$SERVER")" ]; }; then
    .venv/bin/python -m demo.temporal_cli >"$SERVER" || {
        rm -f "$SERVER"
        exit 1
    }
fi
