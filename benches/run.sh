#!/usr/bin/env bash
# run.sh DATAFLARE: times the workflows beside DuckDB doing the same, in turn, three times each, on this machine.
set -euo pipefail
dataflare=$1
here=$(cd "$(dirname "$0")" && pwd)
dir=${BENCH_DIR:-/var/tmp/dataflare-bench-own}
mkdir -p "$dir/out"
[ -d "$dir/ndjson" ] || "$dataflare" run "$here/input.yaml" --set dir="$dir"
[ -x "$dir/venv/bin/python" ] || python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q duckdb pytz

timed() { # LABEL COMMAND...
    local label=$1; shift
    rm -rf "$dir/out"; mkdir -p "$dir/out"
    python3 - "$label" "$@" <<'PY'
import os, subprocess, sys, time
label, command = sys.argv[1], sys.argv[2:]
start = time.perf_counter()
process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
print(f"{label:24} {wall:6.2f} s wall  {usage.ru_utime + usage.ru_stime:6.2f} s cpu  {usage.ru_maxrss // 1024:5} MiB  exit {os.waitstatus_to_exitcode(status)}", flush=True)
PY
}

duck() { # SQL
    "$dir/venv/bin/python" -c "import duckdb, sys; duckdb.sql(sys.argv[1])" "$1"
}
export -f duck
export dir
for round in 1 2 3; do
    timed "ndjson dataflare" "$dataflare" run "$here/ndjson.yaml" --set dir="$dir"
    timed "ndjson duckdb" bash -c "duck \"copy (select event_id, user_id, ts, type, country, price, quantity from read_json('$dir/ndjson/*/*.ndjson', format='newline_delimited', columns={event_id:'BIGINT', user_id:'BIGINT', ts:'TIMESTAMP', type:'VARCHAR', country:'VARCHAR', price:'DOUBLE', quantity:'BIGINT'}) where type in ('view', 'click', 'purchase', 'refund', 'login') and price is not null) to '$dir/out/duck.parquet' (format parquet, compression zstd, compression_level 3)\""
    timed "csv dataflare" "$dataflare" run "$here/csv.yaml" --set dir="$dir"
    timed "csv duckdb" bash -c "duck \"copy (select * from read_csv('$dir/csv/*/*.csv')) to '$dir/out/duck.parquet' (format parquet, compression zstd, compression_level 3)\""
    timed "empty dataflare" "$dataflare" run "$here/empty.yaml" --set dir="$dir"
done
