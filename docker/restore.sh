#!/bin/sh
# restore.sh FOLDER: what backup.sh kept, into the databases that roles.sql made and into empty folders.
# Of the environment: PGHOST, PGUSER, PGPASSWORD (a superuser); ARTIFACTS and OUTPUT, the folders to fill.
set -eu
source=${1:?usage: restore.sh FOLDER}
for part in mlflow.dump auth.dump studies.dump artifacts.tar output.tar; do
    [ -f "$source/$part" ] || { echo "restore: $source holds no $part; give the folder of a backup" >&2; exit 2; }
done
for folder in "$ARTIFACTS" "$OUTPUT"; do
    [ -z "$(ls -A "$folder")" ] || { echo "restore: $folder must be empty; move away what is there" >&2; exit 2; }
done
for database in mlflow auth studies; do
    pg_restore --clean --if-exists --single-transaction --exit-on-error --dbname="$database" "$source/$database.dump"
done
tar --extract --file="$source/artifacts.tar" --directory="$ARTIFACTS" --same-permissions
tar --extract --file="$source/output.tar" --directory="$OUTPUT" --same-permissions
echo "restore: $source is back"
