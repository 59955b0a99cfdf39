#!/bin/sh
# Start PostgreSQL of the container, unless the volume has the tables of another major version: beside them it would begin an
# empty cluster, and the platform would seem to have lost its register.
# Exit status 78: docs/operations/upgrade.md says how the tables get into the new version. Nothing was changed.
set -u
volume=${VOLUME:-/var/lib/postgresql} here=${PGDATA:?PGDATA is not set}
# Up to 17 the image kept its cluster at the root of the volume, since 18 in a folder by version.
for file in "$volume/PG_VERSION" "$volume"/data/PG_VERSION "$volume"/*/docker/PG_VERSION; do
  [ -s "$file" ] || continue
  version=$(cat "$file")
  if [ "${file%/PG_VERSION}" != "$here" ] || [ "$version" != "${PG_MAJOR:-$version}" ]; then
    echo "refused to start: the volume has the tables of PostgreSQL $version, and this is ${PG_MAJOR:-another version}. Nothing was changed. docs/operations/upgrade.md says how to carry them over." >&2
    exit 78
  fi
done
exec docker-entrypoint.sh "$@"
