#!/bin/bash
# Runs in the lab machine as unconfined root: what becomes of the labels of images when launchers are killed,
# and when two of them want one image. TAP goes to /usr/local/out/tap.
set -u
libexec=/usr/libexec/pavise
images=/var/lib/pavise
logs=/tmp/logs
. ./tap.sh
mkdir -p "$logs"

# said NAME LINE: the reclaim has said exactly that
said() { if grep -qxF -- "$2" "$logs/said"; then ok "$1"; else not_ok "$1" "wanted $2" "$(cat "$logs/said")"; fi; }
label() { stat -c %C "$@"; }

private=system_u:object_r:pavise_image_t:s0
shared=system_u:object_r:pavise_image_ro_t:s0
vm_image() { echo "unconfined_u:object_r:pavise_image_t:s0:$1"; }

# vm NAME ARGS...: in place of this subshell; what it says goes to a file of its name
vm() {
    local name=$1
    shift
    exec "$libexec/pavise-launch" "$name" --plan-fd 5 --memory 67108864 --cpus 1 --no-vtpm "$@" \
        5</usr/local/lab/plan 2>"$logs/$name.err" 4>&-
}
up() { for _ in $(seq 300); do grep -qs running "$logs/$1.err" && return; sleep 0.1; done; }
pair_of() { sed -n 's/.*categories \(.*\))/\1/p' "$logs/$1.err" | tail -n 1; }
reclaim() { "$libexec/pavise-launch" --reclaim 2>"$logs/said" 4>&-; }
# What it said goes, so that nobody takes it for the next one's.
end_by_force() { kill -KILL "$1"; wait "$1" 2>/dev/null; rm -f "$logs"/*.err; }
left() { find /run/pavise -mindepth 1 ! -name .pairs; pgrep -a '^pavise-'; }
new_image() { rm -rf "$images/${1:?}"; truncate -s 1M "$images/$1"; restorecon -F "$images/$1"; }

for name in a.img b.img c.img readonly/s.img; do new_image $name; done
is "images at rest" "$(label $images/a.img $images/b.img $images/readonly/s.img | tr '\n' ' ')" "$private $private $shared "

# One VM with a private, a read-only and a shared image.
three() { vm "$1" --disk-fd 6 --disk-ro-fd 7 --disk-ro-fd 8 6<>$images/a.img 7<$images/b.img 8<$images/readonly/s.img; }
in_use() { label $images/a.img $images/b.img $images/readonly/s.img | tr '\n' ' '; }
(three hold) & pid=$!
up hold
pair=$(pair_of hold)
labelled="$(vm_image "$pair") unconfined_u:object_r:pavise_image_ro_t:s0:$pair $shared "
is "labels in use" "$(in_use)" "$labelled"
is "what they were is on record" "$(sed 's/^[0-9]*:[0-9]* [0-9]* //' /run/pavise/hold/disks | tr '\n' ' ')" \
    "$private $images/a.img $private $images/b.img end "
end_by_force $pid
is "a killed launcher leaves them" "$(in_use)" "$labelled"
reclaim
is "--reclaim after it: status" $? 0
is "labels are back, with the user they had" "$(in_use)" "$private $private $shared "
said "it says who died" "pavise: reclaimed hold: its launcher (pid $pid) died"
said "and each label" "pavise: reclaimed hold: $images/a.img labelled $private again"
said "and the other" "pavise: reclaimed hold: $images/b.img labelled $private again"
said "and the folder" "pavise: reclaimed hold: folder removed"
said "and the pair" "pavise: reclaimed hold: pair $pair given back"
said "and the cgroup" "pavise: reclaimed hold: cgroup removed"
is "and nothing else" "$(wc -l <"$logs/said")" 6
is "no cgroup is left" "$(find /sys/fs/cgroup/pavise -mindepth 1 -type d)" ""
is "nothing is left" "$(left)" ""

# The launch of another VM, with one of the images.
(three hold) & pid=$!
up hold
end_by_force $pid
(vm off --disk-fd 6 6<>$images/a.img)
is "the next launch takes the image" "$?" 0
is "and has put all labels back" "$(in_use)" "$private $private $shared "
is "and says so" "$(grep -c '^pavise: reclaimed hold: .* again$' "$logs/off.err")" 2
is "and leaves nothing" "$(left)" ""

# Killed while it labels, at several moments.
bad=
for i in 1 2 3 4 5 6; do
    (three hold) & pid=$!
    # The record is there from just before the first label on.
    for _ in $(seq 2000); do [ ! -e /run/pavise/hold/disks ] || break; done
    [ $i -lt 4 ] || sleep "0.0$((i - 3))"
    end_by_force $pid
    reclaim || bad="$bad $i: status"
    [ "$(in_use)$(left)" = "$private $private $shared " ] || bad="$bad $i: $(in_use) $(left)"
done
is "killed while it labels" "$bad" ""

# Moved, replaced, linked, relabelled by hand, held: one VM with each.
for name in moved.img replaced.img link.img reset.img held.img; do new_image $name; done
(vm hold --disk-fd 6 --disk-fd 7 --disk-fd 8 --disk-fd 9 --disk-fd 10 6<>$images/moved.img 7<>$images/replaced.img \
    8<>$images/link.img 9<>$images/reset.img 10<>$images/held.img) & pid=$!
up hold
pair=$(pair_of hold)
end_by_force $pid
mkdir $images/elsewhere
mv $images/moved.img $images/link.img $images/elsewhere/
mv $images/replaced.img $images/elsewhere/
cp --context="$(vm_image "$pair")" $images/c.img $images/replaced.img
ln -s elsewhere/link.img $images/link.img
restorecon -F $images/reset.img
exec 9<$images/held.img
flock -s 9
reclaim
is "what cannot be had: status" $? 6
said "moved" "pavise: left of hold: $images/moved.img: not there any more: left as it is"
said "replaced" "pavise: left of hold: $images/replaced.img: another file than it was: left as it is"
said "a link" "pavise: left of hold: $images/link.img: not there any more: left as it is"
said "held" "pavise: left of hold: $images/held.img: still in use by a program: kept for the next command"
is "none of them is touched" \
    "$(label $images/elsewhere/moved.img $images/elsewhere/replaced.img $images/elsewhere/link.img $images/replaced.img \
        $images/held.img | sort -u)" "$(vm_image "$pair")"
is "one that has its label needs nothing" "$(label $images/reset.img) $(grep -c reset.img "$logs/said")" "$private 0"
is "the pair stays out of use" "$(find /run/pavise -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" \
    "$(printf '%s\n' .pairs ".pairs/${pair/,/.}" ".$pair" ".$pair/cgroup" ".$pair/disks" ".$pair/pair" | sort | tr '\n' ' ')"
(vm off --disk-fd 6 6<>$images/held.img)
is "an image that a program holds is nobody's" "$? $(grep -c 'in use by another VM or program' "$logs/off.err")" "6 1"
exec 9<&-
reclaim
is "the next command ends it" "$? $(label $images/held.img)$(left)" "0 $private"
said "and says so" "pavise: reclaimed hold: $images/held.img labelled $private again"
# The second net: whoever uses a moved image next.
(vm off --disk-fd 6 6<>$images/elsewhere/moved.img)
is "a moved image is taken by its next user" "$? $(label $images/elsewhere/moved.img)" "0 unconfined_u:object_r:pavise_image_t:s0"

# Two launchers at once for one private image, that one of them only reads.
bad=
for i in 1 2 3 4; do
    way=(--disk-fd 6)
    [ $((i % 2)) = 0 ] || way=(--disk-ro-fd 7)
    rm -f "$logs"/*.err
    (vm hold --disk-fd 6 6<>$images/a.img) & one=$!
    # shellcheck disable=SC2094 # two descriptors of one image, as two callers pass them
    (vm quote "${way[@]}" 6<>$images/a.img 7<$images/a.img) & two=$!
    for _ in $(seq 300); do
        grep -qs 'running\|in use\|used it\|uses it' "$logs/hold.err" &&
            grep -qs 'running\|in use\|used it\|uses it' "$logs/quote.err" && break
        sleep 0.1
    done
    winner=$(grep -l running "$logs/hold.err" "$logs/quote.err")
    winner=$(basename "${winner:-none}" .err)
    level=$(label $images/a.img)
    [ "${level##*:s0:}" = "$(pair_of "$winner")" ] || bad="$bad $i: $winner won, image $level"
    [ "$(find /run/pavise -mindepth 1 -maxdepth 1 ! -name .pairs -printf %P)" = "$winner" ] || bad="$bad $i: $(left)"
    kill -TERM $one $two 2>/dev/null
    wait $one; s1=$?
    wait $two; s2=$?
    case "$s1 $s2" in "0 6" | "6 0") ;; *) bad="$bad $i: status $s1 $s2: $(cat "$logs/hold.err" "$logs/quote.err")" ;; esac
    [ "$(label $images/a.img)$(left)" = "$private" ] || bad="$bad $i: afterwards $(label $images/a.img) $(left)"
done
is "of two launchers exactly one gets the image, and its label" "$bad" ""

# Readers of a private image one after the other; of a shared one all at once.
rm -f "$logs"/*.err
(vm hold --disk-ro-fd 6 --disk-ro-fd 7 6<$images/a.img 7<$images/readonly/s.img) & one=$!
up hold
level=$(label $images/a.img)
(vm off --disk-ro-fd 6 6<$images/a.img)
is "a private image has one reader" "$? $(label $images/a.img)" "6 $level"
(vm quote --disk-ro-fd 6 6<$images/readonly/s.img) & two=$!
up quote
is "a shared one has all" "$(grep -c running "$logs/quote.err") $(label $images/readonly/s.img)" "1 $shared"
(vm off --disk-fd 6 6<>$images/readonly/s.img)
is "and no writer" "$? $(grep -c 'content that VMs share' "$logs/off.err")" "64 1"
kill -TERM $one $two
wait $one $two
is "and leaves nothing" "$(label $images/a.img $images/readonly/s.img | tr '\n' ' ')$(left)" "$private $shared "

is "the launcher is denied nothing it does" \
    "$(busybox dmesg | grep 'avc: *denied' | grep -E 'scontext=[^ ]*pavise_launch_t')" ""
tap_end
