#!/bin/sh
# planted.sh SECONDS FUZZER...: does each fuzzer find a bug? Each is built a second time with one
# check of its parser removed (planted: which one, and where) and runs from its committed seeds; it
# has to stop with a finding, which it must not without the bug. MAKE: the make to build with.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${PAVISE_BUILD:-$root/build}
out=$build/planted

# The copy of FILE with its bug; fails when the table's expression changes nothing any more.
plant() {
    mkdir -p "$out"
    sed "$2" "$root/$1" >"$3"
    ! cmp -s "$root/$1" "$3"
}

# Prints the seconds it took; fails when nothing was found.
hunt() {
    rm -rf "$out/$1.found"
    mkdir -p "$out/$1.found"
    from=$(date +%s)
    ! "$out/fuzz_$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$out/$1-" "$out/$1.found" "$here/corpus/$1" >"$out/$1.log" 2>&1 || return 1
    echo $(($(date +%s) - from))
}

# What the sanitizer called it, or which input the harness itself refused.
called() {
    sed -n 's/.*SUMMARY: \([A-Za-z]*: [a-zA-Z-]*\).*/\1/p' "$out/$1.log" | head -n 1
}

seconds=$1
shift
good=0
for fuzzer in "$@"; do
    name=${fuzzer#fuzz_}
    row=$(grep "^$name " "$here/planted" || true)
    file=$(echo "$row" | awk '{ print $2 }')
    expression=$(echo "$row" | sed 's/^[^ ]* *[^ ]* *//')
    if [ -z "$file" ]; then
        echo "$name: no bug in tests/fuzz/planted"
    elif ! plant "$file" "$expression" "$out/$fuzzer.c"; then
        echo "$name: the bug no longer fits $file"
    elif ! ${MAKE:-make} -C "$root" -s O="$build" "$out/$fuzzer" PLANTED_IN="$file" \
        >"$out/$name.build" 2>&1; then
        tail -n 5 "$out/$name.build"
        echo "$name: does not build with its bug"
    elif took=$(hunt "$name" "$seconds"); then
        printf '%-12s found in %2s s: %s in %s\n' "$name" "$took" "$(called "$name")" "$file"
        good=$((good + 1))
    else
        echo "$name: NOT FOUND in $seconds s: $expression in $file"
    fi
done
echo "planted: $good of $# found"
[ "$good" -eq $# ]
