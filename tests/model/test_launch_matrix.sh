#!/bin/sh
# budget: 180
# The launch matrix (launch_matrix.c) as TAP: a test for each configuration, each control, the sum.
set -u
build=${PAVISE_BUILD:-build}

out=$("$build/tests/launch-matrix" 2>&1)
status=$?
last=$(printf '%s\n' "$out" | tail -n 1)
reason=${last#launch: cannot run here: }
if [ $status = 5 ] && [ "$reason" != "$last" ]; then
    echo "1..0 # SKIP $reason"
    exit 0
fi
printf '%s\n' "$out" | awk -v status="$status" '
function verdict(good, name) { print (good ? "ok " : "not ok ") ++n " - " name }
/^ ?[0-9]+: /  { verdict($0 ~ /: equal$/, $0); configs++; next }
/^control: /   { verdict($0 ~ /, as it must( be)?$/, $0); controls++; next }
/^launch: /    { last = $0; next }
               { print "# " $0 }
END {
    want = "launch: " configs " configurations, " configs " predicted = launched"
    verdict(status == 0 && configs >= 12 && controls == 2 && last == want, last)
    print "1.." n
}'
