#!/bin/sh
# Write into .env, for each image of others in docker-compose.yml, its name, version and digest: from then on exactly these bytes
# run, whatever a registry gives for the version tomorrow. Run it again after an upgrade of the platform.
#   sh deploy/docker/pin-images.sh            pulls them first; PULL=no: those that are here
# ENGINE names another program than docker, such as podman.
set -eu
cd "$(dirname "$0")/../.."
engine=${ENGINE:-docker} file=${ENV_FILE:-.env} pinned=
for one in $(sed -n 's/.*image: \${\([A-Z]*_IMAGE\):-\([^}]*\)}.*/\1=\2/p' docker-compose.yml); do
  name=${one%%=*} image=${one#*=}
  repository=${image%:*}
  [ "${PULL:-}" = no ] || $engine pull --quiet "$image" >/dev/null
  digest=$($engine image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image" |
    sed -n "s|^\(.*/\)\{0,1\}$repository@\(sha256:[0-9a-f]\{64\}\)\$|\2|p" | head -n 1)
  [ -n "$digest" ] || { echo "$image has no digest here: it came from no registry" >&2; exit 1; }
  pinned="$pinned$name=$image@$digest
"
done
touch "$file"
others=$(grep -vE '^[A-Z]+_IMAGE=' "$file" || true)
printf '%s\n%s' "$others" "$pinned" >"$file.new"
mv "$file.new" "$file"
printf '%s' "$pinned"
