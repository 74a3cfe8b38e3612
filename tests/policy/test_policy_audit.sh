#!/bin/bash
# budget: 400
# test_policy_audit.sh: pavise audit policy finds what the stock policy leaves open, finds it shut with our
# modules, and names what a later module adds: a rule chosen at random, a permissive domain, an attribute.
set -u

here=$(cd "$(dirname "$0")" && pwd)
policy=$here/../../policy/selinux
audit=${PAVISE_BUILD:-$here/../../build}/bin/pavise-audit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0
root=$("$here/../lab/mk-root.sh") || { echo "Bail out! no base policy"; exit 1; }
stock=$(echo "$root"/etc/selinux/default/policy/policy.*)

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); failed=1; echo "not ok $count - $1"; tail -n 8 "$2" | sed 's/^/# /'; }

# says NAME FILE REGEX
says() { if grep -qE -- "$3" "$2"; then ok "$1"; else not_ok "$1" "$2"; fi; }
# exits NAME STATUS COMMAND...: its output is then in $work/out
exits() {
    local name=$1 want=$2 got
    shift 2
    "$@" >"$work/out" 2>&1
    got=$?
    if [ $got = "$want" ]; then ok "$name"; else echo "exit $got" >>"$work/out" && not_ok "$name" "$work/out"; fi
}
# build NAME MODULE...: $work/NAME is the binary policy with these modules beside ours
build() {
    local name=$1
    shift
    "$policy/build.sh" "$work/store" "$root" "$policy"/pavise.cil "$policy"/pavise-sim.cil \
        "$policy"/pavise-attestd.cil "$policy"/pavise-audit.cil "$@" >"$work/build.log" 2>&1 || return
    cp "$work"/store/etc/selinux/default/policy/policy.* "$work/$name"
}

exits "stock: refused" 1 "$audit" policy "$stock"
cp "$work/out" "$work/stock.txt"
# The rows that Debian's constraints leave open between two VMs of libvirt's.
says "stock: signull" "$work/stock.txt" '^ +process \{ [^}]*\bsignull\b[^}]*\}: svirt_t:s0:c10,c20 -> svirt_t:s0:c30,c40'
says "stock: descriptors" "$work/stock.txt" '^ +fd \{ use \}: svirt_t'
says "stock: guest_memfd and its like" "$work/stock.txt" '^ +anon_inode \{ [^}]*\bread\b[^}]*\bmap\b'
says "stock: map and getattr of files" "$work/stock.txt" '^ +file \{ [^}]*\bgetattr\b[^}]*\bmap\b[^}]*\}: svirt_t'
says "stock: reparent" "$work/stock.txt" '^ +dir \{ [^}]*\breparent\b'
says "stock: no class for memfds" "$work/stock.txt" '^ +memfd_file$'
says "stock: root traces a VM" "$work/stock.txt" 'unconfined_t -> svirt_t process \{ ptrace \}'

if build ours; then ok "our modules build"; else not_ok "our modules build" "$work/build.log"; fi
exits "ours: within 1 of 10" 0 "$audit" policy "$work/ours" --threshold 1
cp "$work/out" "$work/ours.txt"
for question in reach.strong reach.weak power.process power.capability power.network power.kernel \
    power.device power.write power.execute power.transition power.ioctl guard.trace guard.relabel \
    guard.entry flow.direct rules.extra rules.missing wall.open wall.level wall.entry wall.guard \
    wall.secret; do
    says "ours: $question" "$work/ours.txt" "^good +$question:"
done
exits "a policy against itself" 0 "$audit" policy "$work/ours" --against "$work/ours"
exits "JSON says the same" 0 "$audit" policy "$work/ours" --threshold 1 --json
if python3 - "$work/out" <<'PY'; then ok "JSON: every question, once"; else not_ok "JSON: every question, once" "$work/out"; fi
import json, sys
r = json.load(open(sys.argv[1], encoding="utf-8"))
ids = [q["id"] for q in r["questions"]]
sys.exit(not (r["format"] == "pavise-policy-audit" and len(ids) == len(set(ids)) > 20 and
              all(q["open"] == bool(q["findings"]) for q in r["questions"]) and r["exposure"] <= 1))
PY

# A rule between one of our types and one of the base's. One that an assertion refuses is no use here.
PATH=$PATH:/usr/sbin
mapfile -t theirs < <(python3 "$here/cil.py" base "$root" | # types, not aliases: those have no name in the answer
    sed -nE 's/^\(type ((httpd|sshd|syslogd|cupsd|postfix|named|ftpd|samba|nfsd|ntpd|dhcpc|mysqld)[a-z_]*_t)\)$/\1/p')
domains=(httpd_t sshd_t syslogd_t cupsd_t named_t ntpd_t)
ours=(pavise_image_t pavise_log_t pavise_conf_t pavise_runtime_t)
permissions=(getattr read append lock)
seed=$RANDOM
RANDOM=$seed
planted=
for _ in 1 2 3 4 5; do
    if [ $((RANDOM % 2)) = 0 ]; then
        source=${domains[RANDOM % ${#domains[@]}]} target=${ours[RANDOM % ${#ours[@]}]}
    else
        source=pavise_launch_t target=${theirs[RANDOM % ${#theirs[@]}]}
    fi
    permission=${permissions[RANDOM % ${#permissions[@]}]}
    echo "(allow $source $target (file ($permission)))" >"$work/planted.cil"
    if build planted "$work/planted.cil"; then
        planted="$source $target file .*\\b$permission\\b"
        break
    fi
done
echo "# seed $seed: $(cat "$work/planted.cil")"
exits "a rule planted at random: refused" 1 "$audit" policy "$work/planted" --threshold 1
says "a rule planted at random: named" "$work/out" "^ +$planted"

cat >"$work/careless.cil" <<'CIL'
(typepermissive pavise_dev_t)
(typeattributeset daemon (pavise_launch_t))
(allow pavise_dev_t self (process (getsched)))
CIL
if build careless "$work/careless.cil"; then ok "careless module builds"; else not_ok "careless module builds" "$work/build.log"; fi
exits "careless: refused" 1 "$audit" policy "$work/careless" --threshold 9.9
says "a permissive domain is named" "$work/out" '^ +pavise_dev_t is permissive$'
says "an attribute is named" "$work/out" '^ +pavise_launch_t @daemon$'
says "a gate is not averaged away" "$work/out" '^exposure: 10.0 of 10, DANGEROUS'

exits "against ours: refused" 1 "$audit" policy "$work/careless" --against "$work/ours"
says "and the decision that differs is named" "$work/out" \
    '^ +pavise_dev_t:s0:c10,c20 -> pavise_dev_t:s0:c10,c20 process \{ getsched \}'

# Half a policy, and other things that are none.
size=$(stat -c %s "$work/ours")
for part in 1 16 400 5000 $((size / 3)) $((size - 1)); do
    head -c "$part" "$work/ours" >"$work/part"
    exits "the first $part bytes: no policy" 3 "$audit" policy "$work/part"
done
exits "another domain is named" 64 "$audit" policy "$work/ours" --domain no_such_t
says "and said" "$work/out" 'no_such_t: no domain of this policy'

echo "1..$count"
exit $failed
