#!/bin/bash
# budget: 120
# test_reclaim_cli.sh: a launcher that is killed, whenever, leaves nothing that the next command does not bring in order,
# and that says what it did; of two launchers started at once for one image exactly one gets it. The programs
# they start are stand-ins (tests/sandbox/dummy_child.c); labels: tests/sandbox/test_images.sh.
set -u

build=${PAVISE_BUILD:-build}
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "not root: pavise-launch is root's"
([ -c /dev/kvm ] && exec 9<>/dev/kvm) 2>/dev/null || skip "no usable /dev/kvm"

work=$(mktemp -d)
run=$work/run
libexec=$work/libexec
launch=$libexec/pavise-launch
count=0 failed=0
export LC_ALL=C
trap 'rm -rf "$work"' EXIT

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); echo "not ok $count - $1"; shift; printf '%s\n' "$@" | sed 's/^/# /'; failed=1; }
# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got $2" "wanted $3"; fi; }
# like NAME TEXT PATTERN
like() { if grep -Eq -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "$2" "wanted $3"; fi; }

# Everything a launch could leave: the run directory, mounts, children (their output is their log there), launchers.
traces() {
    find "$run" -mindepth 1 -maxdepth 1 ! -name .pairs 2>/dev/null
    ls -A "$run/.pairs" 2>/dev/null
    grep -F "$work" /proc/self/mountinfo
    readlink /proc/[0-9]*/fd/1 | grep -F "$run/"
    pgrep -f -a -- "--run-dir $run"
}

mkdir "$libexec"
cp "$build/bin/pavise-launch" "$build/bin/pavise-run" "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$libexec/"
"$build/tests/mkplan" "$work/plan" 67108864 2 || exit 1
truncate -s 1M "$work/disk" "$work/disk2"

# start NAME ERRORS ARGS...: in place of this (sub)shell; fds 5 plan, 6 disk, 7 disk read only, 8 another disk
start() {
    local name=$1 errors=$2
    shift 2
    # shellcheck disable=SC2094 # two descriptors of one disk, as a caller passes them
    exec "$launch" "$name" --plan-fd 5 --memory 67108864 --cpus 1 --isolation degraded --no-vtpm --run-dir "$run" "$@" \
        5<"$work/plan" 6<>"$work/disk" 7<"$work/disk" 8<>"$work/disk2" 2>"$work/$errors"
}
up() { for _ in $(seq 100); do grep -qs running "$work/$1" && return; sleep 0.1; done; }
reclaim() { "$launch" --reclaim --run-dir "$run" 2>"$work/said"; }
# end_by_force PID: as a crash does; what it said goes, so that nobody takes it for the next one's
end_by_force() { kill -KILL "$1"; wait "$1" 2>/dev/null; rm -f "$work/err"; }

reclaim
is "nothing to reclaim: nothing said, nothing made" "$? $(cat "$work/said") $(ls -d "$run" 2>/dev/null)" "0  "

(start hold err) & pid=$!
up err
pair=$(find "$run/.pairs" -type f -printf '%f' | tr . ,)
reclaim
is "a running VM is left alone" "$? $(cat "$work/said") $(ls "$run")" "0  hold"
end_by_force $pid
reclaim
is "a killed launcher: status" $? 0
# Its processes may be gone by now or not.
is "each thing done is a line" "$(grep -v 'of its processes ended$' "$work/said")" "pavise: reclaimed hold: its launcher (pid $pid) died
pavise: reclaimed hold: folder removed
pavise: reclaimed hold: pair $pair given back"
is "nothing is left" "$(traces)" ""
reclaim
is "a second time there is nothing to say" "$? $(cat "$work/said")" "0 "

# A taken-over process that cleared its death signal, and does not care that its channels closed.
(start cling err) & pid=$!
up err
end_by_force $pid
sleep 0.5
is "control: such a process outlives its launcher" "$(readlink /proc/[0-9]*/fd/1 | grep -c "^$run/cling/vmm.log")" 1
reclaim
is "and not the reclaim" "$? $(grep -c '^pavise: reclaimed cling: 1 of its processes ended$' "$work/said") $(traces)" "0 1 "

# The launch of another VM does it too, and `pavise run` shows it.
(start hold err) & pid=$!
up err
end_by_force $pid
"$libexec/pavise-run" off --plan "$work/plan" --memory 64M --isolation degraded --no-vtpm --run-dir "$run" 2>"$work/said"
is "pavise run after a crash" "$? $(traces)" "0 "
like "says what it cleared up" "$(cat "$work/said")" "^pavise: reclaimed hold: pair c[0-9]+,c[0-9]+ given back$"
like "and runs its VM" "$(tail -n 1 "$work/said")" "^off: the guest powered off$"

# At whatever moment: the start takes some 40 ms.
bad=
for i in $(seq 12); do
    (start hold err --disk-fd 6) & pid=$!
    sleep "$(printf '0.%03d' $((i * 4)))"
    end_by_force $pid
    reclaim || bad="$bad $i: status"
    left=$(traces)
    [ -z "$left" ] || bad="$bad $i: $left"
    grep -v '^pavise: reclaimed hold: ' "$work/said" && bad="$bad $i: $(cat "$work/said")"
done
is "killed at any moment of the start" "$bad" ""

# A reclaimer is killed as well.
bad=
for i in $(seq 6); do
    (start cling err) & pid=$!
    up err
    end_by_force $pid
    (exec "$launch" --reclaim --run-dir "$run" 2>/dev/null) & pid=$!
    sleep "0.00$i"
    end_by_force $pid
    reclaim || bad="$bad $i: status"
    left=$(traces)
    [ -z "$left" ] || bad="$bad $i: $left"
done
is "a reclaimer that is killed is followed by one that ends it" "$bad" ""

# Two launchers for one image: six times at once.
bad=
for i in $(seq 6); do
    rm -f "$work"/err?
    way=--disk-fd fd=6
    [ $((i % 2)) = 0 ] || { way=--disk-ro-fd fd=7; }
    # The loser has another disk before it, which it has to give back.
    (start hold err1 --disk-fd 6) & one=$!
    (start quote err2 --disk-fd 8 $way $fd) & two=$!
    for _ in $(seq 100); do
        grep -qs 'running\|in use' "$work/err1" && grep -qs 'running\|in use' "$work/err2" && break
        sleep 0.05
    done
    won=$(grep -l running "$work/err1" "$work/err2" | wc -l)
    lost=$(cat "$work/err1" "$work/err2" | grep -c 'in use by another VM')
    folders=$(find "$run" -mindepth 1 -maxdepth 1 ! -name .pairs | wc -l)
    [ "$won $lost $folders" = "1 1 1" ] || bad="$bad $i: $won got it, $lost refused, $folders folders"
    kill -TERM $one $two 2>/dev/null
    wait $one; s1=$?
    wait $two; s2=$?
    case "$s1 $s2" in "0 6" | "6 0") ;; *) bad="$bad $i: status $s1 $s2" ;; esac
    left=$(traces)
    [ -z "$left" ] || bad="$bad $i: left $left"
    flock -n "$work/disk2" true || bad="$bad $i: a lock is left"
done
is "of two launchers exactly one gets the image" "$bad" ""

rm -f "$work"/err?
(start hold err1 --disk-ro-fd 7) & one=$!
up err1
(start mute err2 --disk-ro-fd 7) & two=$!
sleep 1
is "two readers without labels share one image" "$(cd "$run" && echo *)" "hold mute"
kill -TERM $one $two
wait $one $two
is "and leave nothing" "$(traces)" ""

for words in "hold --reclaim" "--reclaim hold" "--reclaim --plan-fd 5"; do
    # shellcheck disable=SC2086 # words
    "$launch" $words --run-dir "$run" 5<"$work/plan" 2>"$work/said"
    is "refused: $words" "$? $(grep -c usage "$work/said")" "64 1"
done
mkdir -p "$work/open" && chmod 755 "$work/open"
"$launch" --reclaim --run-dir "$work/open" 2>"$work/said"
is "a run directory others may enter" "$? $(grep -c 'mode 0700' "$work/said")" "5 1"
setpriv --reuid 65534 --clear-groups "$build/bin/pavise-launch" --reclaim --run-dir "$run" 2>"$work/said"
is "not root" "$? $(grep -c 'not root' "$work/said")" "5 1"

echo "1..$count"
exit $failed
