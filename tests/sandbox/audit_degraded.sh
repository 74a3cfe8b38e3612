#!/bin/bash
# budget: 120
# audit_degraded.sh: `pavise audit vm` finds and names what is wrong with a running VM of degraded isolation:
# what stand-ins do wrong (mistakes.h), and what is otherwise than a manifest says.
set -u

build=${PAVISE_BUILD:-build}
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "not root: pavise-launch is root's"
([ -c /dev/kvm ] && exec 9<>/dev/kvm) 2>/dev/null || skip "no usable /dev/kvm"

work=$(mktemp -d)
run=$work/run
count=0 failed=0
export LC_ALL=C
# shellcheck disable=SC2317 # called by the trap
finish() {
    for pid in "$work"/*.pid; do [ ! -f "$pid" ] || kill "$(cat "$pid")" 2>/dev/null; done
    wait
    rm -rf "$work"
}
trap finish EXIT

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); failed=1; echo "not ok $count - $1"; printf '%s\n' "${@:2}" | sed 's/^/# /' | head -n 40; }
says() { if grep -qE -- "$3" "$2"; then ok "$1"; else not_ok "$1" "wanted $3" "$(cat "$2")"; fi; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got $2" "wanted $3"; fi; }
audit() { timeout 30 "$build/bin/pavise" audit "$@" >"$work/out" 2>&1; }
# The ids of open questions.
open_ids() { sed -n 's/^OPEN *\([a-z._]*\):.*/\1/p' "$work/out" | sort | tr '\n' ' '; }

libexec=$work/libexec
mkdir "$libexec"
cp "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$libexec/"
"$build/tests/mkplan" "$work/plan" 67108864 2 || exit 1

# start LAUNCHER NAME: a VM of stand-ins that runs until it is ended
start() {
    truncate -s 1M "$work/$2.img"
    "$1" "$2" --plan-fd 5 --memory 67108864 --cpus 1 --isolation degraded --no-vtpm --disk-fd 6 --run-dir "$run" \
        --libexec "$libexec" 5<"$work/plan" 6<>"$work/$2.img" 2>"$work/$2.err" &
    echo $! >"$work/$2.pid"
    for _ in $(seq 100); do
        ! grep -qs running "$work/$2.err" || break
        kill -0 "$(cat "$work/$2.pid")" 2>/dev/null || break
        sleep 0.1
    done
    sleep 0.3 # what it does once it runs
}
end() { kill "$(cat "$work/$1.pid")" && wait "$(cat "$work/$1.pid")"; rm -f "$work/$1.pid"; }

# What degraded isolation lacks here; a host with SELinux or cgroup v2 lacks less.
lacks='vm\.defences|label\.task|policy\.enforcing|policy\.permissive|fd\.labels|limits\.cgroup|landlock\.domain'
beyond() { open_ids | tr ' ' '\n' | grep -vxE "$lacks|" | tr '\n' ' '; }

audit vm --all --run-dir "$run"
is "no VM, nothing amiss" "$? $(open_ids)" "0 "
audit vm hold --run-dir "$run"
is "a VM that is none" "$? $(cat "$work/out")" "6 pavise-audit-live: hold: no such VM in $run"
for wrong in "vm" "vm a --all" "vm A" "vm a b" "host a" "vm a --threshold 11" "vm a --color"; do
    # shellcheck disable=SC2086 # words
    audit $wrong --run-dir "$run"
    is "audit $wrong: refused" "$? $(wc -l <"$work/out")" "64 1"
done

start "$build/bin/pavise-launch" hold
audit vm hold --run-dir "$run"
is "a degraded VM is above the threshold" $? 1
is "for what it lacks alone" "$(beyond)" ""
says "it is called degraded" "$work/out" '^ +degraded isolation was asked for$'
says "and what it is without" "$work/out" '^ +without labels$'
says "without labels the exposure is 10" "$work/out" '^exposure: 10\.0 of 10, DANGEROUS'
says "what cannot be seen is unknown, and open" "$work/out" '^ +unknown: vmm: no kernel shows it$'
audit vm hold --run-dir "$run" --threshold 10
is "a threshold of 10 takes all" $? 0
audit vm hold --run-dir "$run" --json
if python3 - "$work/out" <<'PY'; then ok "JSON: every question, once"; else not_ok "JSON" "$(head -n 30 "$work/out")"; fi
import json, sys
r = json.load(open(sys.argv[1], encoding="utf-8"))
ids = [q["id"] for q in r["questions"]]
landlock = next(q for q in r["questions"] if q["id"] == "landlock.domain")
sys.exit(not (r["format"] == "pavise-vm-audit" and r["vm"] == "hold" and len(ids) == len(set(ids)) > 20 and
              all(q["open"] == bool(q["findings"]) for q in r["questions"]) and landlock["unknown"]))
PY
audit vm --all --run-dir "$run" --json
if python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit([v["vm"] for v in r] != ["hold", "--all"])' \
    "$work/out"; then ok "JSON of all: a list"; else not_ok "JSON of all" "$(head -n 30 "$work/out")"; fi

# mistake NAME QUESTION REGEX: that question alone is open beyond what degraded isolation lacks
mistake() {
    start "${launch:-$build/bin/pavise-launch}" "$1"
    audit vm "$1" --run-dir "$run"
    is "$1: $2" "$(beyond)" "$2 "
    says "$1: is named" "$work/out" "$3"
    end "$1"
}
mistake pipe fd.expected '^ +vmm: descriptor [0-9]+: pipe \(r, '
mistake copies fd.expected '^ +vmm: descriptor [0-9]+: eventfd \(rw, '
start "$build/bin/pavise-launch" wx
audit vm wx --run-dir "$run"
is "wx: two questions" "$(beyond)" "memory.executable memory.write_execute "
says "wx: is named" "$work/out" '^ +vmm: anonymous$'
end wx
mistake mapped memory.executable '^ +vmm: /memfd:pavise-plan \(deleted\)$'
mistake forked vm.strangers '^ +process [0-9]+: user [0-9]+, label none$'
mistake dumpable task.dumpable '^ +vmm$'
launch=$build/tests/launch_unchecked
mistake lone task.filters '^ +vmm: thread [0-9]+: 0 of 2 \(Seccomp 0\)$'
mistake nofilter task.filters '^ +vmm: thread [0-9]+: 0 of 2 \(Seccomp 0\)$'
start "$build/bin/pavise-launch" named
audit vm named --run-dir "$run"
is "threads with names meant to deceive: nothing" "$(beyond)" ""
says "and they are looked at" "$work/out" 'label.task'
is "each of them" "$(grep -c 'vmm: thread' "$work/out")" 4
end named

# A forked process is none's in the audit of all, too.
start "$build/bin/pavise-launch" forked
audit vm --all --run-dir "$run"
says "the audit of all names it" "$work/out" '^OPEN +all.strangers:'
end forked

# Somebody who traces a thread; what he may, SELinux decides (tests/sandbox/lab/run.sh).
vmm=$(pgrep -f "^pavise-vmm name=hold ")
python3 -c 'import ctypes, sys, time
c = ctypes.CDLL(None)
c.ptrace(0x4206, int(sys.argv[1]), 0, 0)
time.sleep(20)' "$vmm" & tracer=$!
for _ in $(seq 50); do ! grep -q '^TracerPid:.0$' "/proc/$vmm/status" || sleep 0.1; done
audit vm hold --run-dir "$run"
is "a tracer" "$(beyond)" "task.traced "
says "he is named" "$work/out" "^ +vmm: thread $vmm: by process $tracer\$"
kill $tracer
wait $tracer 2>/dev/null

# otherwise NAME QUESTION PYTHON: the manifest m says something else than what is
otherwise() {
    cp "$run/hold/manifest.json" "$work/manifest"
    python3 - "$run/hold/manifest.json" "$3" <<'PY'
import json, sys
m = json.load(open(sys.argv[1], encoding="utf-8"))
p = next(p for p in m["processes"] if p["role"] == "vmm")
exec(sys.argv[2])
json.dump(m, open(sys.argv[1], "w", encoding="utf-8"))
PY
    audit vm hold --run-dir "$run"
    is "$1: $2" "$(beyond)" "$2 "
    cat "$work/manifest" >"$run/hold/manifest.json"
}
otherwise "another program" vm.program 'p["program"] = "1:1"'
otherwise "a process that ended" "jail.namespaces vm.processes vm.strangers" 'p["start"] += 1'
otherwise "a process less" vm.strangers 'm["processes"].remove(p)'
otherwise "another user" task.ids 'p["uid"] += 1'
otherwise "higher limits than ordered" limits.process 'p["rlimits"]["nofile"] = 8'
otherwise "a namespace of the host" jail.namespaces 'import os; m["host_namespaces"]["net"] = os.stat("/proc/%d/ns/net" % p["pid"]).st_ino'
otherwise "another disk" fd.expected 'd = next(d for d in m["processes"] if d["role"] == "dev-blk0"); d["descriptors"][6]["file"] = "1:1"'
otherwise "one filter more" task.filters 'p["filters"] = 3'
otherwise "the manifest of another" vm.manifest 'm["name"] = "other"'

echo '{' >"$work/broken"
cp "$run/hold/manifest.json" "$work/manifest"
cat "$work/broken" >"$run/hold/manifest.json"
audit vm hold --run-dir "$run"
is "of a VM without a manifest nothing else is said" "$(grep -c '^good' "$work/out") $(open_ids)" "0 vm.manifest "
says "a manifest that is none" "$work/out" '^ +unknown: manifest.json: line [0-9]'
cat "$work/manifest" >"$run/hold/manifest.json"
mkdir -m 700 "$run/twin"
sed 's/"name": "hold"/"name": "twin"/' "$run/hold/manifest.json" >"$run/twin/manifest.json"
audit vm --all --run-dir "$run"
is "a pair twice is said of both" "$(grep -cE '^ +c[0-9]+,c[0-9]+: (hold|twin) has it too$' "$work/out")" 2
chmod 755 "$run/twin"
audit vm twin --run-dir "$run"
says "a folder that is not root's alone" "$work/out" "^ +unknown: its folder is not root's alone"
rm -r "$run/twin"
end hold
is "nothing is left" "$(find "$run" -mindepth 1 ! -path "*/.pairs*" ! -name '.*')" ""

# The host, as made-up trees have it.
tree=$work/tree
mkdir -p "$tree"/{proc/sys/{kernel/yama,vm},dev} "$tree"/sys/{fs/{selinux/booleans,cgroup},kernel/{mm/ksm,security}} \
    "$tree"/sys/devices/system/cpu/{smt,vulnerabilities}
put() { echo "$2" >"$tree/$1"; }
put sys/fs/selinux/enforce 1
put sys/fs/selinux/booleans/secure_mode_policyload "1 1"
put sys/kernel/security/lockdown "none [integrity] confidentiality"
put sys/kernel/security/lsm "capability,landlock,lockdown,yama,selinux"
put sys/kernel/mm/ksm/run 0
put sys/devices/system/cpu/smt/control off
put sys/devices/system/cpu/vulnerabilities/l1tf "Mitigation: PTE Inversion"
put sys/fs/cgroup/cgroup.controllers "cpuset cpu io memory pids"
put proc/sys/kernel/core_pattern core
put proc/sys/kernel/yama/ptrace_scope 1
put proc/sys/kernel/kptr_restrict 1
put proc/sys/kernel/unprivileged_bpf_disabled 2
put proc/sys/vm/unprivileged_userfaultfd 0
put proc/swaps "Filename				Type		Size		Used		Priority"
: >"$tree/dev/kvm"
chmod 660 "$tree/dev/kvm"
audit host --root "$tree"
is "a good host: what only the kernel says" "$? $(open_ids)" "1 host.domains "
# worse FILE TEXT QUESTION
worse() {
    cp -p "$tree/$1" "$work/was"
    put "$1" "$2"
    audit host --root "$tree"
    is "host: ${1##*/} ${2%%$'\n'*}" "$(open_ids)" "$(printf '%s\n' "$3" host.domains | sort | tr '\n' ' ')"
    cp -p "$work/was" "$tree/$1"
}
worse sys/fs/selinux/enforce 0 host.selinux
worse sys/fs/selinux/booleans/secure_mode_policyload "0 0" host.policyload
worse sys/kernel/security/lockdown "[none] integrity confidentiality" host.lockdown
worse sys/kernel/security/lsm "capability,yama,selinux" host.lsm
worse sys/kernel/mm/ksm/run 1 host.ksm
worse sys/devices/system/cpu/smt/control on host.smt
worse sys/devices/system/cpu/vulnerabilities/l1tf "Vulnerable" host.processor
worse sys/fs/cgroup/cgroup.controllers "cpuset cpu" host.cgroup
worse proc/sys/kernel/core_pattern "|/usr/lib/systemd/systemd-coredump %P" host.core_pattern
worse proc/sys/kernel/yama/ptrace_scope 0 host.yama
worse proc/sys/kernel/kptr_restrict 0 host.pointers
worse proc/sys/kernel/unprivileged_bpf_disabled 0 host.bpf
worse proc/sys/vm/unprivileged_userfaultfd 1 host.userfaultfd
worse proc/swaps $'Filename\n/dev/sda2	partition	1	0	-2' host.swap
chmod 666 "$tree/dev/kvm"
audit host --root "$tree"
is "host: /dev/kvm for everybody" "$(open_ids)" "host.domains host.kvm "
rm "$tree/proc/sys/kernel/yama/ptrace_scope"
audit host --root "$tree"
says "host: what is not there is unknown" "$work/out" '^ +unknown: /proc/sys/kernel/yama/ptrace_scope: No such file'

echo "1..$count"
exit $failed
