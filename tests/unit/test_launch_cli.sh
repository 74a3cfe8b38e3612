#!/bin/bash
# budget: 120
# test_launch_cli.sh: every input pavise-launch has to refuse gives its documented exit status and one line,
# and leaves no process, mount, file, lock or category pair behind; so do all the ends of a VM.
# The programs it starts are stand-ins (tests/sandbox/dummy_child.c).
set -u

build=${PAVISE_BUILD:-build}
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "not root: pavise-launch is root's"
([ -c /dev/kvm ] && exec 9<>/dev/kvm) 2>/dev/null || skip "no usable /dev/kvm"

work=$(mktemp -d)
run=$work/run
launch=$build/bin/pavise-launch
cgroup=/sys/fs/cgroup/pavise-launch-cli.$$ # made on hosts alone that have cgroup v2 there
count=0
export LC_ALL=C
trap 'rm -rf "$work"; rmdir "$cgroup" 2>/dev/null' EXIT

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); echo "not ok $count - $1"; shift; printf '# %s\n' "$@"; failed=1; }
failed=0
pass_over() { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }

# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
has_landlock() { python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)'; }

# Everything a launch could leave: the run directory, mounts, children (their output is their log there),
# launchers.
traces() {
    find "$run" -mindepth 1 -maxdepth 1 ! -name .pairs 2>/dev/null
    ls -A "$run/.pairs" 2>/dev/null
    grep -F "$work" /proc/self/mountinfo
    readlink /proc/[0-9]*/fd/1 | grep -F "$run/"
    pgrep -f -a -- "--run-dir $run"
    find "$cgroup" -mindepth 1 -type d 2>/dev/null
}

# start ARGS...: runs the launcher with the usual arguments unless given, fds 5 plan, 6 disk, 7 read-only disk
start() {
    # shellcheck disable=SC2094 # two descriptors of one disk, as a caller passes them
    timeout 100 "$launch" --cgroup "$cgroup" "$@" --run-dir "$run" --libexec "$libexec" 5<"$plan" 6<>"$disk" 7<"$disk" \
        >"$work/out" 2>"$work/err"
}

usual=(--plan-fd 5 --memory 67108864 --cpus 1 --isolation degraded --no-vtpm)

# check NAME STATUS PATTERN ARGS...: refused, with one line that names the cause
check() {
    local name=$1 want=$2 pattern=$3 got lines left
    shift 3
    start "$@"
    got=$?
    lines=$(wc -l <"$work/err")
    left=$(traces)
    if [ "$got" = "$want" ] && [ "$lines" = 1 ] && [ ! -s "$work/out" ] && [ -z "$left" ] &&
        grep -q -- "$pattern" "$work/err"; then
        ok "$name"
    else
        not_ok "$name" "status $got, wanted $want" "$(head -c 600 "$work/err")" "left: $left"
    fi
}

# ends NAME STATUS PATTERN ARGS...: runs, and ends with that line last
ends() {
    local name=$1 want=$2 pattern=$3 got left
    shift 3
    start "$@"
    got=$?
    left=$(traces)
    if [ "$got" = "$want" ] && [ -z "$left" ] && tail -n 1 "$work/err" | grep -q -- "$pattern"; then
        ok "$name"
    else
        not_ok "$name" "status $got, wanted $want" "$(head -c 600 "$work/err")" "left: $left"
    fi
}

plan=$work/plan disk=$work/disk libexec=$work/libexec
mkdir "$libexec"
cp "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$libexec/"
for name in pavise-vmm-sim pavise-psp-sim pavise-tdx-sim; do cp "$libexec/pavise-dev" "$libexec/$name"; done
"$build/tests/mkplan" "$plan" 67108864 2 || exit 1
"$build/tests/mkplan" "$work/tdxplan" 67108864 2 tdx || exit 1
"$build/tests/mkplan" "$work/snpplan" 67108864 2 snp || exit 1
truncate -s 1M "$disk"
mkdir "$work/empty"

long=$(printf 'a%.0s' {1..33})
for name in '' A 'a b' a/b ../a .pairs "$long" a_b $'a\nb'; do
    check "name '${name//$'\n'/\\n}' refused" 64 "not 1 to 32 characters" "$name" "${usual[@]}"
done
check "no name" 64 "usage" "${usual[@]}"
check "two names" 64 "usage" a b "${usual[@]}"
check "no plan" 64 "usage" a --memory 67108864 --cpus 1
check "unknown option" 64 "usage" a "${usual[@]}" --color
check "memory 0" 64 "2 MiB" a "${usual[@]}" --memory 0
check "memory no multiple of 2 MiB" 64 "2 MiB" a "${usual[@]}" --memory 67108865
check "memory no number" 64 "memory" a "${usual[@]}" --memory 64M
check "memory negative" 64 "memory" a "${usual[@]}" --memory -2097152
check "memory beyond 64 bits" 64 "memory" a "${usual[@]}" --memory 18446744073709551616
check "memory beyond the host's" 5 "the host has" a "${usual[@]}" --memory 1125899906842624
check "memory below the plan's" 64 "the plan demands" a "${usual[@]}" --memory 2097152
check "cpus 0" 64 "at least 1" a "${usual[@]}" --cpus 0
check "cpus above the plan's" 64 "the plan allows 2" a "${usual[@]}" --cpus 3
check "isolation unknown" 64 "required or degraded" a "${usual[@]}" --isolation auto
check "a cgroup by a relative path" 64 "not an absolute path" a "${usual[@]}" --cgroup vms
check "tee unknown" 64 "none, snp or tdx" a "${usual[@]}" --tee sev
check "platform unknown" 64 "kvm or sim" a "${usual[@]}" --platform xen
check "tee that the plan is not for" 64 "say --tee none" a "${usual[@]}" --tee snp
check "simulation of a plain machine" 64 "add --tee snp or --tee tdx" a "${usual[@]}" --platform sim
check "host data of a plain machine" 64 "add --tee snp" a "${usual[@]}" \
    --host-data "$(printf '%064d' 0)"
check "host data too short" 64 "64 hexadecimal" a "${usual[@]}" --tee snp --host-data 00
check "an ID block of a plain machine" 64 "add --tee snp" a "${usual[@]}" --id-block-fd 5 --id-auth-fd 5
check "an ID block that nobody signed" 64 "go together" a "${usual[@]}" --tee snp --id-block-fd 5
check "id-auth of no ID block" 64 "go together" a "${usual[@]}" --tee snp --id-auth-fd 5
check "an ID block that is closed" 64 "id-block-fd" a "${usual[@]}" --tee snp --id-block-fd 44 --id-auth-fd 5
check "a certificate table of a plain machine" 64 "add --tee snp" a "${usual[@]}" --certs-fd 5
plan=$work/snpplan check "a certificate table that is too large" 3 "certs: .* not 48 to 65536" a "${usual[@]}" --tee snp \
    --cpus 2 --certs-fd 6
check "simulation without a chip" 64 "sim-key-fd" a "${usual[@]}" --tee snp --platform sim
check "a chip without simulation" 64 "sim-key-fd" a "${usual[@]}" --tee snp --sim-key-fd 5 --sim-certs-fd 5
check "a chip that is closed" 64 "sim-key-fd" a "${usual[@]}" --tee snp --platform sim --sim-key-fd 44 --sim-certs-fd 5
zeros=$(printf '%096d' 0)
for key in mrconfigid mrowner mrownerconfig; do
    check "$key of a plain machine" 64 "add --tee tdx" a "${usual[@]}" "--$key" "$zeros"
    check "$key of an SEV-SNP guest" 64 "add --tee tdx" a "${usual[@]}" --tee snp "--$key" "$zeros"
    check "$key too short" 64 "$key: not 96 hexadecimal" a "${usual[@]}" --tee tdx "--$key" "${zeros%0}"
    check "$key that is no number" 64 "$key: not 96 hexadecimal" a "${usual[@]}" --tee tdx "--$key" "${zeros%0}x"
done
check "host data of a TDX guest" 64 "add --tee snp" a "${usual[@]}" --tee tdx --host-data "${zeros:32}"
check "quotes of a plain machine" 64 "add --tee tdx" a "${usual[@]}" --quote-vsock 2:4050
check "a quote service without a port" 64 "CID:PORT" a "${usual[@]}" --tee tdx --quote-vsock 2
check "a quote service beyond 32 bits" 64 "port" a "${usual[@]}" --tee tdx --quote-vsock 2:4294967296
check "a quote service without a name" 64 "go together" a "${usual[@]}" --tee tdx --quote-dir-fd 5
check "two quote services" 64 "not two" a "${usual[@]}" --tee tdx --quote-dir-fd 5 --quote-name s --quote-vsock 2:1
check "quotes beside the simulated ones" 64 "brings its own" a "${usual[@]}" --tee tdx --platform sim \
    --sim-key-fd 5 --sim-certs-fd 5 --quote-vsock 2:4050
check "TDX with a plan for another guest" 64 "say --tee none" a "${usual[@]}" --tee tdx --quote-vsock 2:4050
plan=$work/tdxplan check "a TDX plan for a plain machine" 64 "say --tee tdx" a "${usual[@]}"
plan=$work/tdxplan check "more processors than a TDX plan allows" 64 "the plan allows 2" a "${usual[@]}" --tee tdx \
    --quote-vsock 2:4050 --cpus 3
plan=$work/tdxplan check "a directory of quotes that is a file" 64 "not a directory" a "${usual[@]}" --tee tdx \
    --quote-dir-fd 6 --quote-name s
check "log without descriptor" 64 "NAME:FD" a "${usual[@]}" --log vmm
check "log name that climbs" 64 "not 1 to 32" a "${usual[@]}" --log ../vmm:1
check "plan descriptor closed" 64 "plan-fd" a "${usual[@]}" --plan-fd 44
check "disk descriptor closed" 64 "disk" a "${usual[@]}" --disk-fd 44
check "disk opened read-only" 64 "not opened for" a "${usual[@]}" --disk-fd 7
check "read-only disk opened for writing" 64 "not opened for" a "${usual[@]}" --disk-ro-fd 6
check "the same disk twice" 64 "disk 1: the same file as disk 0" a "${usual[@]}" --disk-fd 6 --disk-ro-fd 7
check "the same descriptor twice" 64 "disk 1: the same file as disk 0" a "${usual[@]}" --disk-fd 6 --disk-fd 6
check "the same read-only disk twice" 64 "disk 1: the same file as disk 0" a "${usual[@]}" --disk-ro-fd 7 --disk-ro-fd 7
check "nine disks" 64 "at most 8" a "${usual[@]}" --disk-ro-fd 7 --disk-ro-fd 7 --disk-ro-fd 7 \
    --disk-ro-fd 7 --disk-ro-fd 7 --disk-ro-fd 7 --disk-ro-fd 7 --disk-ro-fd 7 --disk-ro-fd 7
exec 8<"$work/empty" 9<>/dev/null
check "a folder as disk" 64 "not a regular file" a "${usual[@]}" --disk-ro-fd 8
check "a device as disk" 64 "not a regular file" a "${usual[@]}" --disk-fd 9
check "a device as plan" 64 "not a regular file" a "${usual[@]}" --plan-fd 9
exec 8<&- 9<&-

truncate -s 511 "$work/small"
disk=$work/small check "disk smaller than a sector" 3 "sectors" a "${usual[@]}" --disk-fd 6
truncate -s 1M "$disk"

bad=$work/bad
: >"$bad"
plan=$bad check "empty plan" 3 "plan" a "${usual[@]}"
head -c 4096 "$plan" >"$bad"
plan=$bad check "plan cut off" 3 "plan" a "${usual[@]}"
{ printf 'X'; tail -c +2 "$plan"; } >"$bad"
plan=$bad check "plan with a wrong magic" 3 "plan" a "${usual[@]}"
{ cat "$plan"; printf 'x'; } >"$bad"
plan=$bad check "plan with a tail" 3 "plan" a "${usual[@]}"

libexec=$work/empty check "no programs" 5 "pavise-dev" a "${usual[@]}"
libexec=$work/none check "no folder of programs" 5 "programs' folder" a "${usual[@]}"
cp "$libexec/pavise-vmm" "$libexec/keep"
echo nonsense >"$libexec/pavise-vmm"
check "a VMM that is no program" 5 "vmm: executing" a "${usual[@]}"
mv "$libexec/keep" "$libexec/pavise-vmm"

if [ ! -e /sys/fs/selinux/enforce ]; then
    check "isolation required without SELinux" 5 "SELinux: not active" a --plan-fd 5 --memory 67108864 \
        --cpus 1 --no-vtpm
fi

mount_none() { unshare -m sh -c 'mount --bind /dev/null /dev/kvm && exec "$@"' sh "$@"; }
check_no_kvm() {
    mount_none "$launch" a "${usual[@]}" --run-dir "$run" --libexec "$libexec" 5<"$plan" 2>"$work/err"
    if [ $? = 5 ] && grep -q /dev/kvm "$work/err" && [ "$(wc -l <"$work/err")" = 1 ] && [ -z "$(traces)" ]; then
        ok "/dev/kvm is another device"
    else
        not_ok "/dev/kvm is another device" "$(cat "$work/err")"
    fi
}
check_no_kvm

setpriv --reuid 65534 --clear-groups "$launch" a "${usual[@]}" --run-dir "$run" 5<"$plan" 2>"$work/err"
if [ $? = 5 ] && grep -q 'not root' "$work/err"; then ok "not root"; else not_ok "not root" "$(cat "$work/err")"; fi

mkdir -p "$run" && chmod 0755 "$run"
check "a run directory others may enter" 5 "mode 0700" a "${usual[@]}"
chmod 0700 "$run"

ends "power off" 0 "^off: the guest powered off$" off "${usual[@]}" --disk-fd 6
ends "a host without cgroup v2" 0 "^off: the guest powered off$" off "${usual[@]}" --cgroup "$work/none"
if [ "$(grep -c '^off: note: no limits of memory and processes: .*/none: no cgroup v2 there' "$work/err")" = 1 ] &&
    [ ! -e "$work/none" ]; then ok "which is said, and nothing made"; else not_ok "which is said, and nothing made" "$(cat "$work/err")"; fi
ends "firmware stop" 8 "^fwstop: firmware stop 0x41: the initrd is not" fwstop "${usual[@]}"
ends "triple fault" 7 "^crash: the guest crashed (triple fault)$" crash "${usual[@]}"
ends "a VMM that dies says why" 70 "vmm: ended with status 9: the dummy was told to die" die "${usual[@]}"
ends "a VMM that lies" 70 "vmm: sent record 3 out of turn" liar "${usual[@]}"
ends "a VMM without a filter is not let go" 70 "vmm: thread [0-9]* says it is sealed, but its system call filter" \
    nofilter "${usual[@]}"
ends "nor one with a thread without" 70 "vmm: thread [0-9]* says it is sealed, but its system call filter" \
    lone "${usual[@]}"
ends "--timings says what took how long" 0 "powered off" off "${usual[@]}" --timings
if [ "$(grep -cE 'timing: (prepare|devices|launch|seal|guest|clean-up) ' "$work/err")" = 6 ]; then
    ok "every phase has its time"
else
    not_ok "every phase has its time" "$(cat "$work/err")"
fi
# share PHASE: of its line.
share() { awk -v phase="timing: $1 " 'index($0, phase) { print $(NF - 1) }' "$work/err"; }
parts=$(awk '/timing: all / { exit } /timing: / { sum += $(NF - 1) } END { print (sum > 99.5 && sum < 100.5) }' "$work/err")
if [ "$parts" = 1 ] && [ "$(share all)" = 100.0 ]; then
    ok "and its share of the whole"
else
    not_ok "and its share of the whole" "$(cat "$work/err")"
fi
phases=$(sed -n 's/.*timing: \(VMM [a-z]*\|firmware\|kernel\) *\([0-9.]*\) s *[0-9.]* %$/\1 \2/p' "$work/err" | paste -s -d ,)
if [ "$phases" = "VMM start 0.012,VMM load 0.100,VMM seal 0.001,firmware 0.030,kernel 0.500" ] &&
    grep -q 'timing: pages encrypted by the launch: 117$' "$work/err"; then
    ok "and what the VMM says of its own"
else
    not_ok "and what the VMM says of its own" "$(cat "$work/err")"
fi
ends "--timings of a guest that the firmware stopped" 8 "^fwstop: firmware stop 0x41" fwstop "${usual[@]}" --timings
if grep -q 'timing: firmware *0\.030 s' "$work/err" && ! grep -q 'timing: kernel' "$work/err"; then
    ok "its time is the firmware's"
else
    not_ok "its time is the firmware's" "$(cat "$work/err")"
fi
ends "a VMM with a moment that is none" 70 "vmm: sent record 7 out of turn" badtime "${usual[@]}"

# TDX: the relay of quotes is the real one where it can seal itself.
if has_landlock; then cp "$build/bin/pavise-quote" "$libexec/"; else cp "$libexec/pavise-dev" "$libexec/pavise-quote"; fi
tdx=("${usual[@]}" --tee tdx)
mkdir -m 711 "$work/qgs"
exec 8<"$work/qgs"
plan=$work/tdxplan ends "TDX without quotes" 0 "powered off" off "${tdx[@]}"
if grep -q 'note: no quotes' "$work/err"; then ok "it says that there are no quotes"
else not_ok "it says that there are no quotes" "$(cat "$work/err")"; fi
plan=$work/tdxplan ends "TDX with a service on a unix socket" 0 "powered off" off "${tdx[@]}" --quote-dir-fd 8 --quote-name qgs.socket
plan=$work/tdxplan ends "TDX with a service on a vsock" 0 "powered off" off "${tdx[@]}" --quote-vsock 2:4050
plan=$work/tdxplan check "a service's name that climbs" 64 "no name of a socket" off "${tdx[@]}" \
    --quote-dir-fd 8 --quote-name ../x
# The stand-in says whose group it is.
mkdir "$work/stand-ins"
cp "$libexec"/* "$work/stand-ins/"
cp "$libexec/pavise-dev" "$work/stand-ins/pavise-quote"
# group_of NAME MODE GROUP: that of the relay, for a service with such a socket
group_of() {
    rm -f "$work/qgs/$1" "$work/quote.log"
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/qgs/$1"
    chgrp "$3" "$work/qgs/$1"
    chmod "$2" "$work/qgs/$1"
    exec 9>"$work/quote.log"
    plan=$work/tdxplan libexec=$work/stand-ins start off "${tdx[@]}" --quote-dir-fd 8 --quote-name "$1" --log quote:9
    exec 9>&-
    sed -n 's/^uid \([0-9]*\) .* gid \([0-9]*\) .*/\1 \2/p' "$work/quote.log"
}
read -r user group <<<"$(group_of a 0660 4242)"
if [ "$group" = 4242 ] && [ "$user" -ge 1879048192 ]; then ok "the relay has the group of the service's socket"
else not_ok "the relay has the group of the service's socket" "$user $group"; fi
for way in "0660 0" "0666 4242" "0600 4242"; do
    # shellcheck disable=SC2086 # two words
    read -r user group <<<"$(group_of b $way)"
    if [ -n "$user" ] && [ "$user" = "$group" ]; then ok "and its own where that is no use: $way"
    else not_ok "and its own where that is no use: $way" "$user $group"; fi
done
exec 8<&-
exec 8>"$work/vmm.log"
plan=$work/tdxplan ends "simulated TDX, two processors" 0 "powered off" off "${tdx[@]}" --platform sim --sim-key-fd 5 \
    --sim-certs-fd 5 --cpus 2 --mrconfigid "$zeros" --log vmm:8
exec 8>&-
if grep -qE '^arg psp=[0-9]+$' "$work/vmm.log" && grep -qE '^arg quote=[0-9]+$' "$work/vmm.log" &&
    grep -qx "arg mrconfigid=$zeros" "$work/vmm.log"; then
    ok "the VMM gets platform, relay and identity"
else
    not_ok "the VMM gets platform, relay and identity" "$(cat "$work/vmm.log")"
fi

if ! command -v swtpm >/dev/null; then
    pass_over "vTPM started and ended" "no swtpm on this machine"
elif ! has_landlock; then
    pass_over "vTPM started and ended" "needs Landlock"
else
    ends "vTPM started and ended" 0 "powered off" off --plan-fd 5 --memory 67108864 --cpus 1 --isolation degraded
fi

# A running VM: its name, its disk, its children.
timeout 100 "$launch" hold "${usual[@]}" --timings --disk-fd 6 --run-dir "$run" --libexec "$libexec" \
    5<"$plan" 6<>"$disk" 2>"$work/hold.err" &
# wait_for FILE: its VM runs. Whoever starts the next one empties it before: the shell behind & may be late.
wait_for() { for _ in $(seq 100); do grep -qs running "$1" && return; sleep 0.1; done; }
wait_for "$work/hold.err"
refuse_beside() {
    local name=$1 want=$2 pattern=$3 got
    shift 3
    start "$@"
    got=$?
    if [ $got = "$want" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q "$pattern" "$work/err" &&
        [ "$(ls "$run")" = hold ] && [ "$(find "$run/.pairs" -type f | wc -l)" = 1 ]; then
        ok "$name"
    else
        not_ok "$name" "status $got" "$(cat "$work/err")" "$(ls -A "$run" "$run/.pairs")"
    fi
}
refuse_beside "name in use" 6 "in use" hold "${usual[@]}"
refuse_beside "disk in use" 6 "in use" other "${usual[@]}" --disk-fd 6
refuse_beside "disk in use, read-only asked" 6 "in use" other "${usual[@]}" --disk-ro-fd 7
if "$build/bin/pavise-ls" --run-dir "$run" 2>&1 | grep -qE '^hold +running +degraded: no labels[^c]* c[0-9]+,c[0-9]+ +1 +64M none +0:00:[0-9]+ +[0-9]+$'; then
    ok "pavise ls shows it, and what its isolation lacks"
else
    not_ok "pavise ls shows it, and what its isolation lacks" "$("$build/bin/pavise-ls" --run-dir "$run" 2>&1)"
fi
"$build/bin/pavise-inspect" hold --run-dir "$run" >"$work/out" 2>&1
missing=
for child in vmm dev-blk0 dev-vsock; do
    pid=$(sed -n "s/^process: *$child, pid \([0-9]*\),.*/\1/p" "$work/out")
    uid=$(sed -n "s/^process: *$child, pid [0-9]*, uid \([0-9]*\),.*/\1/p" "$work/out")
    [ -n "$pid" ] && [ "$(stat -c %u "/proc/$pid")" = "$uid" ] || missing="$missing $child"
done
if [ -z "$missing" ] && grep -q "^disk 0: *$disk, 1048576 bytes$" "$work/out" &&
    grep -qE '^limits: +(none|[0-9]+ bytes of memory, [0-9]+ tasks)$' "$work/out"; then
    ok "pavise inspect names processes, user ids and disks as they are"
else
    not_ok "pavise inspect names processes, user ids and disks as they are" "$missing" "$(cat "$work/out")"
fi
"$build/bin/pavise-inspect" hold --json --run-dir "$run" >"$work/out" 2>&1
if PYTHONPATH=$(dirname "$0") python3 - "$work/out" "$(dirname "$0")/../../docs/status.schema.json" <<'PY'
import json, sys
from json_schema import conforms
fault = conforms(*(json.load(open(f, encoding="utf-8")) for f in sys.argv[1:]))
sys.exit(fault)
PY
then ok "its JSON keeps the schema"; else not_ok "its JSON keeps the schema" "$(cat "$work/out")"; fi
# Clients that ask and do not read, or ask what there is not.
if python3 - "$run/hold/control.sock" 2>"$work/err" <<'PY'
import socket, struct, sys
def client():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s
def ask(kind, a=0, b=0):
    return struct.pack("=4I", 0x314C5650, kind, a, b)
deaf, sent = client(), 0
try:
    while sent < 100000:
        deaf.send(ask(4))
        sent += 1
except (BrokenPipeError, ConnectionResetError):
    pass
assert 10 < sent < 100000, sent
for request in (ask(4, 1), ask(4, 0, 1), ask(5), ask(4) + b"x", ask(4)[:15]):
    s = client()
    s.send(request)
    assert struct.unpack("=4I", s.recv(64))[1] == 0x104 and s.recv(64) == b"", request
PY
then ok "a client that does not read is disconnected, and so is one that asks nonsense"
else not_ok "a client that does not read is disconnected, and so is one that asks nonsense" "$(cat "$work/err")"; fi
"$build/bin/pavise-stop" hold --run-dir "$run" 2>"$work/err"
got=$?
left=$(traces)
if [ $got = 0 ] && [ -z "$left" ]; then ok "pavise stop returns when nothing is left"
else not_ok "pavise stop returns when nothing is left" "status $got" "$left"; fi
wait
if grep -q 'timing: firmware *0\.050 s' "$work/hold.err"; then ok "a VM that was stopped says where its time went"
else not_ok "a VM that was stopped says where its time went" "$(cat "$work/hold.err")"; fi
"$build/bin/pavise-stop" hold --run-dir "$run" 2>"$work/err"
if [ $? = 6 ]; then ok "pavise stop of no VM"; else not_ok "pavise stop of no VM" "$(cat "$work/err")"; fi

# Degraded isolation, and no right to write audit records.
: >"$work/hold.err"
setpriv --bounding-set -audit_write "$launch" hold "${usual[@]}" --run-dir "$run" --libexec "$libexec" 5<"$plan" \
    2>"$work/hold.err" &
wait_for "$work/hold.err"
if "$build/bin/pavise-inspect" hold --run-dir "$run" 2>&1 | grep -qE '^isolation: *degraded: no labels, (limits, )?records$'; then
    ok "degraded isolation goes on without audit records, and says so"
else
    not_ok "degraded isolation goes on without audit records, and says so" \
        "$("$build/bin/pavise-inspect" hold --run-dir "$run" 2>&1)" "$(cat "$work/hold.err")"
fi
"$build/bin/pavise-stop" hold --run-dir "$run"
wait

# A launcher that is killed takes its children along, and the next one clears up after it.
# Not through timeout: the signal is for the launcher itself.
: >"$work/hold.err"
"$launch" hold "${usual[@]}" --run-dir "$run" --libexec "$libexec" 5<"$plan" 2>"$work/hold.err" &
pid=$!
wait_for "$work/hold.err"
ids=$(ps -o pid= --ppid $pid)
kill -KILL $pid
wait $pid 2>/dev/null
for _ in $(seq 50); do
    alive=$(for i in $ids; do [ -d "/proc/$i" ] && echo "$i"; done)
    [ -z "$alive" ] && break
    sleep 0.1
done
if [ -n "$ids" ] && [ -z "$alive" ]; then ok "children of a killed launcher die"
else not_ok "children of a killed launcher die" "were: $ids" "alive: $alive"; fi
if [ -d "$run/hold" ]; then ok "a killed launcher leaves its folder (so the next test can fail)"
else not_ok "a killed launcher leaves its folder"; fi
if "$build/bin/pavise-ls" --no-reclaim --run-dir "$run" 2>&1 | grep -q '^hold *dead: '; then ok "pavise ls --no-reclaim calls it dead"
else not_ok "pavise ls --no-reclaim calls it dead" "$("$build/bin/pavise-ls" --no-reclaim --run-dir "$run" 2>&1)"; fi
ends "the next launch reclaims name and pair" 0 "powered off" off "${usual[@]}"
: >"$work/hold.err"
"$launch" hold "${usual[@]}" --run-dir "$run" --libexec "$libexec" 5<"$plan" 2>"$work/hold.err" &
pid=$!
wait_for "$work/hold.err"
kill -KILL $pid
wait $pid 2>/dev/null
"$build/bin/pavise-ls" --run-dir "$run" >"$work/out" 2>"$work/err"
got=$?
left=$(traces)
if [ $got = 0 ] && [ ! -s "$work/out" ] && grep -q '^pavise: reclaimed hold: ' "$work/err" && [ -z "$left" ]; then
    ok "so does pavise ls, and says so"
else
    not_ok "so does pavise ls, and says so" "status $got" "$(cat "$work/out" "$work/err")" "$left"
fi

for signal in TERM INT HUP; do
    : >"$work/hold.err"
    "$launch" hold "${usual[@]}" --run-dir "$run" --libexec "$libexec" 5<"$plan" 2>"$work/hold.err" &
    pid=$!
    wait_for "$work/hold.err"
    kill -$signal $pid
    wait $pid
    got=$?
    left=$(traces)
    if [ $got = 0 ] && [ -z "$left" ] && grep -q '^hold: stopped$' "$work/hold.err"; then ok "SIG$signal stops in order"
    else not_ok "SIG$signal stops in order" "status $got" "$(cat "$work/hold.err")" "$left"; fi
done

echo "1..$count"
exit $failed
