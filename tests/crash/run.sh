#!/bin/sh
# run.sh: both halves of the suite, on this machine's KVM and in the lab; the last line is their sum.
set -u

build=${PAVISE_BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
rm -f "$build"/crash/*.out
status=0
for part in test_crash.sh test_crash_lab.sh; do
    [ ! -e "$here/$part" ] || "$here/$part" || status=1
done
sed -n 's/^crash: \([0-9]*\) faults, \([0-9]*\) leaks$/\1 \2/p' "$build"/crash/*.out 2>/dev/null |
    awk '{ faults += $1; leaks += $2 } END { printf "crash: %d faults, %d leaks\n", faults, leaks; exit leaks != 0 || faults == 0 }' || status=1
exit $status
