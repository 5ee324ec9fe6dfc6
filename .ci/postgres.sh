#!/usr/bin/env bash
# A PostgreSQL for one test run: a new cluster in a temporary folder, on a free port of the loopback interface.
#   eval "$(.ci/postgres.sh start)"     sets VIGIA_TEST_POSTGRES and VIGIA_TEST_POSTGRES_DIR
#   .ci/postgres.sh stop                ends the one in VIGIA_TEST_POSTGRES_DIR and removes it
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$bin" ] && command -v initdb >/dev/null; then bin=$(dirname "$(command -v initdb)"); fi
if [ -z "$bin" ]; then
  echo "postgres.sh: PostgreSQL is not installed (Debian: apt-get install postgresql)" >&2
  exit 1
fi

# initdb refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 40000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
  echo "postgres.sh: no free port was found" >&2
  return 1
}

start() {
  local dir port
  dir=$(mktemp -d "${TMPDIR:-/tmp}/vigia-postgres.XXXXXX")
  if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
  chmod 700 "$dir"
  cd "$dir"
  as_owner "$bin/initdb" -D "$dir/data" -U vigia -A trust -E UTF8 --no-locale >"$dir.log" 2>&1
  port=$(free_port)
  as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 \
    -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c max_connections=200" start >>"$dir.log" 2>&1 || { cat "$dir.log" "$dir/log" >&2; exit 1; }
  rm -f "$dir.log"
  echo "export VIGIA_TEST_POSTGRES=postgres://vigia@127.0.0.1:$port/postgres"
  echo "export VIGIA_TEST_POSTGRES_DIR=$dir"
}

stop() {
  local dir=${VIGIA_TEST_POSTGRES_DIR:?is not set: nothing to stop}
  cd "$dir"
  as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null || true
  cd /
  rm -rf "$dir"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  *) echo "usage: postgres.sh start|stop" >&2; exit 2 ;;
esac
