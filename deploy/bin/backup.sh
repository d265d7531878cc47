#!/usr/bin/env bash
# Backs up the database, the uploads and the secret of a deployment into one new folder.
#
#   MODERATION_DATABASE_URL=… MODERATION_DATA_DIR=… backup.sh FOLDER
#
# The service may go on meanwhile. The database comes first and the uploads last, so that no item in
# the copy is without its bytes. Uploads that an earlier backup has are linked, not copied again: give
# its folder as MODERATION_BACKUP_BEFORE. What is written holds everything: keep it as safe as the
# deployment itself.
set -euo pipefail
umask 077

here="$(dirname -- "$(realpath -- "$0")")"
target="${1:?usage: backup.sh FOLDER}"
data="${MODERATION_DATA_DIR:?set MODERATION_DATA_DIR}"
url="${MODERATION_DATABASE_URL:-sqlite:///$data/moderation.sqlite}"
secret="${MODERATION_SECRET_FILE:-$data/secret}"

if [ -e "$target" ]; then
  echo "$target is there already; name a new folder" >&2
  exit 2
fi
partial="$target.partial.$$"
trap 'rm -rf -- "$partial"' EXIT
mkdir -p -- "$partial"

case "$url" in
  sqlite:///*)
    # The online backup of SQLite: a consistent copy while others write.
    python3 - "${url#sqlite:///}" "$partial/database.sqlite" <<'PYTHON'
import sqlite3
import sys

with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as source:
    with sqlite3.connect(sys.argv[2]) as copy:
        source.backup(copy)
        (told,) = copy.execute("PRAGMA integrity_check").fetchone()
        copy.execute("PRAGMA journal_mode = DELETE")
if told != "ok":
    sys.exit(f"the copy is damaged: {told}")
PYTHON
    ;;
  postgresql://*)
    settings="$(MODERATION_DATABASE_URL="$url" python3 "$here/libpq_environment.py")"
    eval "$settings"
    pg_dump --format=custom --no-owner --no-privileges --file="$partial/database.dump"
    ;;
  *)
    echo "a database of another kind than SQLite and PostgreSQL" >&2
    exit 2
    ;;
esac

if [ -f "$secret" ]; then
  install -m 600 -- "$secret" "$partial/secret"
fi
mkdir -- "$partial/blobs"
if [ -d "$data/blobs" ]; then
  before="${MODERATION_BACKUP_BEFORE:+$(realpath -- "$MODERATION_BACKUP_BEFORE")/blobs}"
  (
    cd -- "$data/blobs"
    # Whole files only: they are named by their SHA-256 and never change.
    find . -type f -regextype posix-extended -regex '.*/[0-9a-f]{64}' -print0
  ) | while IFS= read -r -d '' name; do
    mkdir -p -- "$partial/blobs/$(dirname -- "$name")"
    if [ -n "$before" ] && [ -f "$before/$name" ]; then
      ln -- "$before/$name" "$partial/blobs/$name"
    else
      # An erasure meanwhile takes the file: then it belongs into no backup either.
      cp --preserve=timestamps -- "$data/blobs/$name" "$partial/blobs/$name" 2>/dev/null ||
        [ ! -e "$data/blobs/$name" ]
    fi
  done
fi
(
  cd -- "$partial"
  find . -type f ! -path './blobs/*' ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >SHA256SUMS
)
sync
mv -T -- "$partial" "$target"
echo "backed up to $target"
