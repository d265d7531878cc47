#!/usr/bin/env bash
# System packages that setting up needs: a compiler and headers (three dependencies build from
# source), FFmpeg (tests make their media with it), speech synthesisers (corpus recipes),
# curl and jq (docs/walkthrough.md, which a test runs), Chromium (tests of the console) and PostgreSQL (tests
# start a server of their own; Debian keeps its binaries off the PATH).
# Does nothing, silently, where all of them are there.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }

need gcc gcc
need g++ g++
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
python3 -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' 2>/dev/null ||
  missing+=(python3-dev)
need ffmpeg ffmpeg
need espeak-ng espeak-ng
need flite flite
need text2wave festival
need git git
need curl curl
need jq jq
command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
  need chromium chromium
command -v postgres >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
  missing+=(postgresql)
for voice in kallpc16k:kal_diphone kdlpc16k:ked_diphone us-slt-hts:cmu_us_slt_arctic_hts; do
  compgen -G "/usr/share/festival/voices/*/${voice#*:}" >/dev/null || missing+=("festvox-${voice%:*}")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Please install: ${missing[*]} (this script knows only Debian's apt-get)." >&2
  exit 1
fi
run() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
echo "Installing system packages: ${missing[*]}"
run apt-get update -qq
DEBIAN_FRONTEND=noninteractive run apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
