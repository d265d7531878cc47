#!/usr/bin/env bash
# Restores what backup.sh wrote, into an empty database and an empty folder.
#
#   MODERATION_DATABASE_URL=… MODERATION_DATA_DIR=… restore.sh FOLDER
#
# Stop the service first. Nothing is overwritten: a database with tables, or a folder with uploads, is
# refused. Everything is checked before anything is written, and each upload against its name.
# Afterwards: `moderation audit verify`.
set -euo pipefail
umask 077

here="$(dirname -- "$(realpath -- "$0")")"
source="$(realpath -- "${1:?usage: restore.sh FOLDER}")"
data="${MODERATION_DATA_DIR:?set MODERATION_DATA_DIR}"
url="${MODERATION_DATABASE_URL:-sqlite:///$data/moderation.sqlite}"
secret="${MODERATION_SECRET_FILE:-$data/secret}"

refuse() {
  echo "$1" >&2
  exit 2
}

[ -f "$source/SHA256SUMS" ] || refuse "$source is no whole backup"
(cd -- "$source" && sha256sum --quiet --strict --check SHA256SUMS) || refuse "$source is damaged"
if [ -n "$(find "$source/blobs" -type f -print -quit)" ]; then
  (cd -- "$source/blobs" && find . -type f -printf '%f  %p\n' | sha256sum --quiet --strict --check -) ||
    refuse "an upload in $source is damaged"
fi
[ ! -e "$data/blobs" ] || [ -z "$(find "$data/blobs" -type f -print -quit)" ] ||
  refuse "$data/blobs is not empty"
[ ! -e "$secret" ] || cmp -s -- "$secret" "$source/secret" || refuse "$secret is another secret"

case "$url" in
  sqlite:///*)
    file="${url#sqlite:///}"
    [ -f "$source/database.sqlite" ] || refuse "$source holds no SQLite database"
    for one in "$file" "$file-wal" "$file-journal"; do
      [ ! -e "$one" ] || refuse "$one is there already"
    done
    mkdir -p -- "$(dirname -- "$file")"
    cp -- "$source/database.sqlite" "$file.partial"
    sync -- "$file.partial"
    mv -T -- "$file.partial" "$file"
    ;;
  postgresql://*)
    [ -f "$source/database.dump" ] || refuse "$source holds no PostgreSQL dump"
    settings="$(MODERATION_DATABASE_URL="$url" python3 "$here/libpq_environment.py")"
    eval "$settings"
    tables="$(psql --no-psqlrc --tuples-only --no-align --command \
      "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
    [ "$tables" = 0 ] || refuse "the database has $tables tables already"
    pg_restore --no-owner --no-privileges --exit-on-error --file=- "$source/database.dump" |
      psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --single-transaction --output=/dev/null
    ;;
  *)
    refuse "a database of another kind than SQLite and PostgreSQL"
    ;;
esac

mkdir -p -- "$data"
cp -R --preserve=timestamps -- "$source/blobs" "$data/"
if [ -f "$source/secret" ] && [ ! -e "$secret" ]; then
  install -D -m 600 -- "$source/secret" "$secret"
fi
sync
echo "restored from $source; now: moderation audit verify"
