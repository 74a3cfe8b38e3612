#!/bin/bash
# Switches for the layers (sandbox/layers.h) are in the escape suite's launcher and nowhere else: no installed
# program has one, and the code that is installed is what it would be if nobody had ever written layer_on.
set -u
build=${PAVISE_BUILD:-build}
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

check() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}
has_switch() { # FILE: its name in the environment, or the function
    grep -q PAVISE_LAYERS_OFF "$1" || nm "$1" 2>/dev/null | grep -q ' layer_on$'
}

has_switch "$build/tests/escape/pavise-launch-layers"
check "control: the suite's launcher has switches" $?
found=
for program in "$build"/bin/*; do
    [ -f "$program" ] || continue
    ! has_switch "$program" || found="$found $program"
done
[ -z "$found" ] || echo "#$found"
[ -z "$found" ] && [ -f "$build/bin/pavise-launch" ]
check "no program in bin has one" $?

# The same source with and without the calls, compiled as the Makefile does, without line numbers.
cd "$top" || exit 1
mapfile -t sources < <(grep -l 'layer_on(' sandbox/*.c sandbox/*/*.c)
[ "${#sources[@]}" -gt 0 ]
check "there are switches: ${sources[*]}" $?
compile() { gcc -std=gnu17 -I. -I"$build/gen" -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -O2 -fPIE -x c - -c -o "$1"; }
for source in "${sources[@]}"; do
    compile "$work/with.o" <"$source" &&
        sed 's/layer_on(LAYER_[A-Z]*)/true/g' "$source" | compile "$work/without.o" &&
        cmp -s "$work/with.o" "$work/without.o"
    check "$source compiles to the same code without them" $?
done
sed 's/layer_on(LAYER_[A-Z]*)/false/g' sandbox/child.c | compile "$work/off.o"
compile "$work/with.o" <sandbox/child.c
! cmp -s "$work/with.o" "$work/off.o"
check "control: with them off it does not" $?
echo "1..$count"
