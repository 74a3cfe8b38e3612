#!/bin/sh
# run.sh SECONDS FUZZER...: runs each fuzzer that long over its corpus; as TAP, one test each.
#
# New inputs are kept under the build folder; the committed corpus is only read.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-$here/../../build}
seconds=$1
shift
if [ $# -eq 0 ]; then
    cd "$build/fuzz" 2>/dev/null && for f in fuzz_*; do [ -x "$f" ] && set -- "$@" "$f"; done
fi
echo "1..$#"
n=0
for fuzzer in "$@"; do
    n=$((n + 1))
    found=$build/fuzz/found/$fuzzer
    seeds=$here/corpus/${fuzzer#fuzz_}
    mkdir -p "$found"
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086 # no corpus means no argument
    if "$build/fuzz/$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$found/crash-" "$found" $seeds >"$build/fuzz/$fuzzer.log" 2>&1; then
        echo "ok $n - $fuzzer"
    else
        tail -n 40 "$build/fuzz/$fuzzer.log" | sed 's/^/# /'
        echo "not ok $n - $fuzzer"
    fi
done
