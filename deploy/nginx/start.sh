#!/bin/sh
# Start nginx before the console. A new certificate: docker compose kill --signal HUP https
set -eu
certificates=${CERTIFICATES_FOLDER:-/certificates}
for file in tls.crt tls.key; do
  [ -r "$certificates/$file" ] || {
    echo "refused to start: $certificates/$file is missing, or user $(id -u) may not read it. Put the console's certificate and its key there (deploy/certificates/console, or CERTIFICATES in .env)." >&2
    exit 1
  }
done
names=$(awk '/^nameserver/ { print ($2 ~ /:/) ? "[" $2 "]" : $2 }' /etc/resolv.conf | tr '\n' ' ')
echo "resolver $names valid=10s;" >/tmp/resolver.conf
exec nginx -c "${NGINX_CONFIGURATION:-/etc/vonggac/console.conf}" -g "daemon off;"
