#!/bin/sh
# smoke.sh SECONDS FUZZER...: each fuzzer that long, from its committed seeds alone, as many at a
# time as there are processors (JOBS=N: others). Prints a line for each: seconds, executions, edges
# covered. Fails on a finding, and on a fuzzer that covers fewer edges than its floor (floors), so
# that a seed that lost its way behind the first checks does not stay unseen.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-$here/../../build}
out=$build/fuzz/smoke

# One fuzzer; its line goes to $out/NAME.line, and what it found stays in $out/NAME.
run_one() {
    seconds=$1 fuzzer=$2 name=${2#fuzz_}
    found=$out/$name log=$out/$name.log status=0
    rm -rf "$found"
    mkdir -p "$found"
    # libFuzzer writes to its first folder only.
    "$build/fuzz/$fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$out/$name-" "$found" "$here/corpus/$name" \
        >"$log" 2>&1 || status=$?
    edges=$(sed -n 's/^#[0-9]*[[:space:]]*DONE *cov: *\([0-9]*\).*/\1/p' "$log" | tail -n 1)
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    floor=$(awk -v name="$name" '$1 == name { print $2 }' "$here/floors")
    verdict=ok
    if [ "$status" -ne 0 ]; then
        verdict=FOUND
    elif [ -z "$floor" ]; then
        verdict="NO FLOOR in tests/fuzz/floors"
    elif [ "${edges:-0}" -lt "$floor" ]; then
        verdict="BELOW ITS FLOOR"
    fi
    printf '%-12s %4s s %10s executions %6s edges (floor %s): %s\n' "$name" "$seconds" \
        "${runs:-?}" "${edges:-?}" "${floor:-none}" "$verdict" | tee "$out/$name.line"
    [ "$verdict" != FOUND ] || tail -n 30 "$log" | sed 's/^/    /'
}

if [ "$1" = --one ]; then
    run_one "$2" "$3"
    exit
fi
seconds=$1
shift
rm -rf "$out"
mkdir -p "$out"
printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -n 1 "$0" --one "$seconds"
good=$(cat "$out"/*.line | grep -c ': ok$' || true)
if [ "$good" -ne $# ]; then
    grep -hv ': ok$' "$out"/*.line || true
    echo "fuzz-smoke: $good of $# targets are well" >&2
    exit 1
fi
echo "fuzz-smoke: $# targets, no finding"
