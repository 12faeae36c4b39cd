#!/usr/bin/env bash
# Prints a Python that is new enough for the project, runs, and has what set-up needs. Each is tried:
# a name on PATH may be a pyenv shim without a version behind it.
set -uo pipefail
cd "$(dirname "$0")/.."

oldest=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\).*/\1/p' pyproject.toml)
seen=""

try() {
  local said
  command -v "$1" >/dev/null 2>&1 || return 1
  # shellcheck disable=SC2016 # the program is Python's
  if ! said=$("$1" -c 'import sys; print("%s %s %s" % (sys.version.split()[0], sys.version_info >= (3, int(sys.argv[1])), sys.executable))' "$oldest" 2>/dev/null); then
    seen="$seen, $1 does not run"
  elif [ "${said#* True }" = "$said" ]; then
    seen="$seen, $1 is ${said%% *}"
  elif ! "$1" -c 'import ssl, zlib, ctypes' >/dev/null 2>&1; then
    seen="$seen, $1 was built without ssl, zlib or ctypes"
  else
    echo "${said#* True }"
    exit 0
  fi
  return 1
}

environment=${UV_PROJECT_ENVIRONMENT:-.venv}
for candidate in "$environment/bin/python" ${UV_PYTHON:+"$UV_PYTHON"} \
  python3.14 python3.13 python3.12 python3.11 python3 python; do
  try "$candidate"
done
# A uv that is here may keep a Python of its own, or be able to fetch one.
if command -v uv >/dev/null 2>&1; then
  try "$(uv python find ">=3.$oldest" 2>/dev/null || {
    uv python install "3.$oldest" >&2 && uv python find ">=3.$oldest"
  })"
fi
[ -n "$seen" ] || seen=", none was found"
cat >&2 <<TEXT
No Python 3.$oldest or newer runs here: ${seen#, }.
Install one (Debian, Ubuntu: apt install python3; macOS: brew install python), or name one: UV_PYTHON=/path/to/python3 ./dev up
TEXT
exit 1
