#!/bin/sh
# Health check of the NATS container: exit status 0 while every stream stores.
# A stream that has met a full disk stores nothing more until the server is started again. Once there is room, this ends
# the server (process 1), and compose starts it (restart: unless-stopped).
set -u
monitoring=${MONITORING:-127.0.0.1:8222} store=${STORE:-/data} server=${SERVER_PID:-1} least_kb=${LEAST_KB:-65536}
answer=$(printf 'GET /healthz HTTP/1.0\r\n\r\n' | nc "${monitoring%:*}" "${monitoring##*:}" 2>/dev/null)
case $answer in
  *" 200 OK"*) exit 0 ;;
  *"no space left"* | *"write error"* | *"insufficient resources"*)
    free_kb=$(stat -f -c '%a %S' "$store" | awk '{ printf "%d", $1 * $2 / 1024 }')
    if [ "$free_kb" -ge "$least_kb" ]; then
      echo "stores nothing since its disk was full; $free_kb KiB are free: ending the server"
      kill -TERM "$server"
    else
      echo "the disk is full: $free_kb KiB are free"
    fi
    ;;
esac
exit 1
