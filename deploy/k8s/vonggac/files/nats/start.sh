#!/bin/sh
# Start nats-server. Streams from before services had accounts lie in one without a name: they are moved to that of the streams.
# It does not start if its store is of another kind of installation than its configuration: a cluster takes the streams
# of a server that stood alone for orphans and deletes them, and a server alone has no use for what a cluster agreed on.
# Exit status 78: the way to the other number of servers that keeps everything is docs/operations/nats-servers.md.
set -u
store=${STORE:-/data} place=${PLACE:-/etc/nats/place.conf} config=${CONFIG:-/etc/nats/nats.conf}
# What the servers of a cluster have agreed on stands here; a server alone writes nothing of the kind.
agreed=$(ls -d "$store"/jetstream/*/_js_/_meta_ 2>/dev/null)
streams=$(ls -d "$store"/jetstream/*/streams/* 2>/dev/null)
refuse() {
  echo "refused to start: $1. Nothing was changed. Set nats.replicas back to $2; docs/operations/nats-servers.md says how to get to $3 without loss." >&2
  exit 78
}
if grep -q '^ *cluster *{' "$place"; then
  [ -z "$agreed" ] && [ -n "$streams" ] && refuse "the store has the streams of a server that stood alone, and a cluster would delete them" 1 3
else
  [ -n "$agreed" ] && refuse "the store is that of a server in a cluster" 3 1
fi
before="$store/jetstream/\$G/streams" now="$store/jetstream/STREAMS/streams"
if [ -n "$(ls "$before" 2>/dev/null)" ] && [ -z "$(ls "$now" 2>/dev/null)" ]; then
  if [ -n "$agreed" ]; then
    echo "refused to start: the streams are from before services had accounts, and a cluster has agreed on where they are. Nothing was changed. Start the release before, and follow docs/operations/upgrade.md." >&2
    exit 78
  fi
  mkdir -p "${now%/*}" && { rmdir "$now" 2>/dev/null; mv "$before" "$now"; } || exit 78
  echo "moved the streams to their account" >&2
fi
exec nats-server --config "$config"
