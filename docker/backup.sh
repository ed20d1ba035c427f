#!/bin/sh
# backup.sh FOLDER: databases, artifacts and run folders into a new folder, which is there whole or not at all.
# Of the environment: PGHOST, PGUSER, PGPASSWORD (a superuser); ARTIFACTS and OUTPUT, the folders to keep.
set -eu
umask 077
target=${1:?usage: backup.sh FOLDER}
[ ! -e "$target" ] || { echo "backup: $target is there already; name a new folder" >&2; exit 2; }
rm -rf "$target.part"
mkdir -p "$target.part"
# The databases first: what they name is then among the files.
for database in mlflow auth studies; do
    pg_dump --format=custom --file="$target.part/$database.dump" "$database"
done
tar --create --file="$target.part/artifacts.tar" --directory="$ARTIFACTS" .
tar --create --file="$target.part/output.tar" --directory="$OUTPUT" --exclude=./cache .
mv "$target.part" "$target"
echo "backup: $target"
