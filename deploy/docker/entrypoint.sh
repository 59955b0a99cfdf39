#!/bin/sh
# Runs the image's own module: `docker run vonggac-inventory` serves, `docker run vonggac-inventory migrate` migrates.
# Inside a container the HTTP API listens on every address, port 8080, unless the environment sets others.
set -eu
prefix="VONGGAC_$(printf '%s' "$VONGGAC_IMAGE" | tr '[:lower:]' '[:upper:]')"
eval "export ${prefix}_HOST=\"\${${prefix}_HOST:-0.0.0.0}\" ${prefix}_PORT=\"\${${prefix}_PORT:-8080}\""
# Authorities of the operator's own stand beside the public ones, for whatever speaks TLS: Python's ssl, httpx, requests.
if [ -n "${VONGGAC_EXTRA_CA_FILE:-}" ]; then
  public=${VONGGAC_PUBLIC_CA_FILE:-/etc/ssl/certs/ca-certificates.crt} bundle="${TMPDIR:-/tmp}/authorities.crt"
  grep -q -e '-----BEGIN CERTIFICATE-----' "$VONGGAC_EXTRA_CA_FILE" || {
    echo "VONGGAC_EXTRA_CA_FILE: $VONGGAC_EXTRA_CA_FILE has no certificate (-----BEGIN CERTIFICATE-----), or cannot be read" >&2
    exit 1
  }
  # A line's end between the two: a file need not end in one.
  { cat "$public" && echo && cat "$VONGGAC_EXTRA_CA_FILE"; } > "$bundle"
  export SSL_CERT_FILE="$bundle" REQUESTS_CA_BUNDLE="$bundle"
fi
# exec: Python becomes process 1 and gets SIGTERM itself.
exec python -m "$VONGGAC_IMAGE" "$@"
