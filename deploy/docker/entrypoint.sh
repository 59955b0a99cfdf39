#!/bin/sh
# Runs the image's own module: `docker run vonggac-inventory` serves, `docker run vonggac-inventory migrate` migrates.
# Inside a container the HTTP API listens on every address, port 8080, unless the environment sets others.
set -eu
prefix="VONGGAC_$(printf '%s' "$VONGGAC_IMAGE" | tr '[:lower:]' '[:upper:]')"
eval "export ${prefix}_HOST=\"\${${prefix}_HOST:-0.0.0.0}\" ${prefix}_PORT=\"\${${prefix}_PORT:-8080}\""
# exec: Python becomes process 1 and gets SIGTERM itself.
exec python -m "$VONGGAC_IMAGE" "$@"
