#!/bin/bash
# Runs in the lab machine as unconfined root: two VMs of stand-ins under required isolation, and what
# may not happen to them. TAP goes to /usr/local/out/tap.
set -u
libexec=/usr/libexec/pavise
images=/var/lib/pavise
probe=/usr/local/lab/lab_probe                       # as unconfined root
in_launcher=/usr/local/libexec/pavise/pavise-launch  # the same program, in the launcher's domain
in_vmm=/usr/local/libexec/pavise/pavise-vmm          # the same program, to be executed as a VMM
logs=/tmp/logs
subject=unconfined_u:unconfined_r
object=unconfined_u:object_r
evil=$subject:pavise_vmm_t:s0:c1000,c1001 # a VMM gone bad, at a pair of its own
. ./tap.sh
mkdir -p "$logs"

label() { stat -c %C "$@"; }
process() { ps -eo pid=,args= | awk -v p="$1" -v n="$2" '$2 == p && index($0, n) { print $1; exit }'; }
label_of() { tr -d '\0' <"/proc/$1/attr/current"; }

# A process in a VM's domain can write to a log of its own level only: no pipe, no terminal, no other
# file.
confined() {
    local level=s0
    [[ $1 != *:s0:c* ]] || level=s0:${1##*:s0:}
    rm -f "$logs/confined"
    cp --context="$object:pavise_log_t:$level" /dev/null "$logs/confined"
    timeout 20 "$in_launcher" exec "$@" >>"$logs/confined" 2>&1
    cat "$logs/confined"
}
# The stand-in says what it got, then waits: ended from outside.
given() {
    confined "$evil" "$1" $libexec/pavise-vmm name=mute & sleep 2
    pkill -f name=mute
    wait $!
}
stop() { kill -TERM "$(pgrep -f "^$libexec/pavise-launch $1 ")"; }

launch() {
    local name=$1 disk=$2
    shift 2
    timeout 150 "$libexec/pavise-launch" "$name" --plan-fd 5 --memory 67108864 --cpus 1 --disk-fd 6 \
        --log vmm:7 --log dev-blk0:8 "$@" 5</usr/local/lab/plan 6<>"$disk" \
        7>>"$logs/$name.vmm" 8>>"$logs/$name.blk" 2>"$logs/$name.err" 4>&-
}
up() { for _ in $(seq 200); do grep -qs running "$logs/$1.err" && return; sleep 0.1; done; }

truncate -s 1M $images/a.img $images/b.img $images/shared.img
is "images are born with our type" "$(label $images/a.img)" unconfined_u:object_r:pavise_image_t:s0

launch hold $images/a.img & first=$!
up hold
launch deaf $images/b.img --no-vtpm & second=$!
up deaf

a=$(process pavise-vmm name=hold) b=$(process pavise-vmm name=deaf)
pair_a=$(sed -n 's/.*categories \(.*\))/\1/p' "$logs/hold.err")
pair_b=$(sed -n 's/.*categories \(.*\))/\1/p' "$logs/deaf.err")
like "the pair is two categories" "$pair_a" '^c[0-9]+,c[0-9]+$'
if [ "$pair_a" != "$pair_b" ]; then ok "two VMs, two pairs"; else not_ok "two VMs, two pairs" "$pair_a"; fi
is "label of the VMM" "$(label_of "$a")" "$subject:pavise_vmm_t:s0:$pair_a"
is "label of the other VMM" "$(label_of "$b")" "$subject:pavise_vmm_t:s0:$pair_b"
is "label of the vTPM" "$(label_of "$(process swtpm socket)")" "$subject:pavise_vtpm_t:s0:$pair_a"
like "labels of the devices" "$(for p in $(ps -eo pid=,args= | awk '$2 == "pavise-dev" { print $1 }'); do
    label_of "$p"; echo; done | sort | uniq -c | tr -s ' \n' ' ')" \
    "2 $subject:pavise_dev_t:s0:c[0-9,c]+ 2 $subject:pavise_dev_t:s0:c[0-9,c]+"
is "label of the launcher" "$(label_of "$(process $libexec/pavise-launch hold)")" \
    "$subject:pavise_launch_t:s0-s0:c0.c1023"
is "label of the image in use" "$(label $images/a.img)" "$object:pavise_image_t:s0:$pair_a"
is "label of the logs" "$(label /run/pavise/hold/console.log)" "$object:pavise_log_t:s0:$pair_a"
is "label of the vTPM's state" "$(label /run/pavise/hold/tpm)" "$object:pavise_tpmstate_t:s0:$pair_a"
is "label of what the vTPM writes" "$(label /run/pavise/hold/tpm/tpm2-00.permall)" \
    "$object:pavise_tpmstate_t:s0:$pair_a"
like "label of guest memory" "$(stat -Lc %C "/proc/$(pgrep -f "^$libexec/pavise-launch hold ")"/fd/* 2>/dev/null)" \
    "pavise_ram_t:s0:$pair_a"

# No denial in ordinary work. (The stand-ins look around in their root, which is denied: not those.)
busybox dmesg | grep 'avc: *denied' | grep -E 'scontext=[^ ]*pavise_(launch|vtpm)_t' >"$logs/denials"
is "launcher and vTPM are denied nothing they do" "$(cat "$logs/denials")" ""

result=$($probe root "$a" 2>&1)
for attempt in ptrace process_vm_readv /proc/PID/mem pidfd_getfd; do
    like "unconfined root: $attempt on the VMM" "$result" "^$attempt: (Permission denied|Operation not permitted)$"
done
sleep 60 & innocent=$!
result=$($probe root $innocent 2>&1)
like "control: the same on another process works" "$(tr '\n' ' ' <<<"$result")" \
    'ptrace: done process_vm_readv: Bad address /proc/PID/mem: done pidfd_getfd: done'
kill $innocent
launcher=$(pgrep -f "^$libexec/pavise-launch deaf ")
like "unconfined root: pidfd_getfd on the launcher" "$($probe root "$launcher")" "^pidfd_getfd: (Permission|Operation)"

if chcon -t usr_t $images/a.img 2>/dev/null; then not_ok "unconfined root cannot relabel an image"
else ok "unconfined root cannot relabel an image"; fi

# The bad VMM against the VM "hold".
result=$(confined $evil - $in_vmm attack "$a" /run/pavise/hold/control.sock $images/a.img \
    /run/pavise/hold/tpm/tpm2-00.permall)
like "the attacker runs as a VMM" "$result" "^label $evil$"
for attempt in 'signal 0' SIGSTOP ptrace process_vm_readv pidfd_getfd /proc/PID/mem \
    'connect to its control socket' 'open its file for reading' 'open its file for writing' \
    'inet socket' 'netlink socket' 'writable and executable memory' userfaultfd io_uring \
    'label for exec' 'label for sockets' 'open /dev/kvm' 'open /etc/shadow' 'execute a shell'; do
    lines=$(grep "^$attempt: " <<<"$result")
    if [ -n "$lines" ] && ! grep -Evq ': (Permission denied|Operation not permitted)$' <<<"$lines"; then
        ok "a VMM against another VM: $attempt"
    else
        not_ok "a VMM against another VM: $attempt" "$lines"
    fi
done

# Entry: only with a label, only at one level, only from the launcher.
like "control: the right label enters" "$(confined "$evil" - $in_vmm root 1)" '^ptrace: '
for wrong in - "$subject:pavise_vmm_t:s0" "$subject:pavise_vmm_t:s0-s0:c0.c1023" \
    "$subject:pavise_vmm_t:s0-s0:c1,c2" "$subject:pavise_dev_t:s0:c1,c2" "$subject:unconfined_t:s0-s0:c0.c1023"; do
    like "the launcher's domain executes a VMM as '$wrong'" \
        "$(confined "$wrong" - $in_vmm root 1)" '^exec: (Permission denied|Operation not permitted)$'
done
if runcon "$evil" $in_vmm root 1 2>/dev/null; then not_ok "unconfined root enters the VMM's domain"
else ok "unconfined root cannot enter the VMM's domain"; fi

# Descriptor 3 of another VM's level is replaced by a null device; of its own level it is not.
result=$(given "$subject:pavise_vmm_t:s0:c1002,c1003")
like "a descriptor of another VM is taken away" "$result" '^fd 3 type 20000 .* null 1$'
result=$(given "$evil")
like "control: one of its own VM stays" "$result" '^fd 3 type 140000 .* null 0$'
result=$(given -)
like "a socket at the launcher's level is taken away" "$result" '^fd 3 type 20000 .* null 1$'

# End: everything is given back.
stop hold
wait $first
is "status of a VM stopped in order" $? 0
is "the image has its label back" "$(label $images/a.img)" $object:pavise_image_t:s0
stop deaf
wait $second
is "a VMM that does not listen is killed" $? 0
is "nothing is left" "$(find /run/pavise -mindepth 1)" /run/pavise/.pairs
like "children saw their own label" "$(cat $logs/hold.vmm)" "^label $subject:pavise_vmm_t:s0:$pair_a$"
like "children have ids of their own" "$(cat $logs/hold.blk)" '^uid 18[0-9]{8} '

# A trust domain on a simulated platform: its relay of quotes, the real one, is the one that connects.
mkdir -p /var/lib/pavise-sim
echo key >/var/lib/pavise-sim/key
restorecon -RF /var/lib/pavise-sim
timeout 150 "$libexec/pavise-launch" quote --plan-fd 5 --memory 67108864 --cpus 2 --no-vtpm --tee tdx \
    --platform sim --sim-key-fd 6 --sim-certs-fd 6 --log vmm:7 --log tdx:8 --log quote:9 5</usr/local/lab/tdxplan \
    6</var/lib/pavise-sim/key 7>>"$logs/quote.vmm" 8>>"$logs/quote.tdx" 9>>"$logs/quote.quote" \
    2>"$logs/quote.err" 4>&- & first=$!
up quote
sleep 3
pair=$(sed -n 's/.*categories \(.*\))/\1/p' "$logs/quote.err")
is "label of the relay of quotes" "$(label_of "$(process pavise-quote label=)")" "$subject:pavise_quote_t:s0:$pair"
is "label of the simulated platform" "$(label_of "$(process pavise-tdx-sim label=)")" "$subject:pavise_psp_t:s0:$pair"
is "label of the folder of its service" "$(label /run/pavise/quote/qgs)" "$object:pavise_qgs_t:s0:$pair"
like "type of its socket" "$(label /run/pavise/quote/qgs/socket)" "^$object:pavise_qgs_t:s0"
stop quote
wait $first
is "status of the trust domain" "$? $(tail -n 1 "$logs/quote.err")" "0 quote: stopped"
like "the service was asked" "$(cat "$logs/quote.tdx")" '^asked for a quote: refused$'
like "and its refusal came back" "$(cat "$logs/quote.vmm")" '^quote: status 2$'
like "with a sentence in the log" "$(cat "$logs/quote.quote")" '^pavise-quote: QGS: no quote, error 0x12001: '
busybox dmesg | grep 'avc: *denied' | grep -E 'scontext=[^ ]*pavise_(quote|launch)_t' >"$logs/denials-quote"
is "the relay is denied nothing it does" "$(grep -v -F -f "$logs/denials" "$logs/denials-quote" | grep -E 'quote|qgs|psp_t')" ""
is "nothing is left of it" "$(find /run/pavise -mindepth 1)" /run/pavise/.pairs
# The host's own service: another domain at another level, its socket for a group.
mkdir -m 755 /run/tdx-qgs
restorecon -RF /run/tdx-qgs
# As init starts services: at s0.
runcon -l s0 /bin/bash -c 'exec "$@"' sh $probe listen /run/tdx-qgs/qgs.socket 4242 >"$logs/service" & service=$!
for _ in $(seq 100); do [ ! -S /run/tdx-qgs/qgs.socket ] || break; sleep 0.1; done
sleep 1 # its group comes a moment later
exec 9</run/tdx-qgs
timeout 150 "$libexec/pavise-launch" quote --plan-fd 5 --memory 67108864 --cpus 1 --no-vtpm --tee tdx --quote-dir-fd 9 \
    --quote-name qgs.socket --log vmm:7 --log quote:8 5</usr/local/lab/tdxplan 7>>"$logs/host.vmm" 8>>"$logs/host.quote" \
    2>"$logs/quote.err" 4>&- & first=$!
exec 9<&-
up quote
sleep 3
is "the relay has the group of the service's socket" \
    "$(sed -n 's/^Gid:\t\([0-9]*\).*/\1/p' "/proc/$(process pavise-quote label=)/status")" 4242
stop quote
wait $first
like "the host's service is asked" "$(tr '\n' ' ' <"$logs/service")" '^accept: done read: done write: done'
like "and its refusal comes back" "$(cat "$logs/host.vmm" "$logs/host.quote")" '^quote: status 2$'
kill $service 2>/dev/null

# A socket elsewhere, whatever its rights say, is none of its business.
mkdir -m 755 /tmp/elsewhere
exec 9</tmp/elsewhere
timeout 60 "$libexec/pavise-launch" off --plan-fd 5 --memory 67108864 --cpus 1 --no-vtpm --tee tdx --quote-dir-fd 9 \
    --quote-name socket 5</usr/local/lab/tdxplan 2>"$logs/elsewhere.err" 4>&-
is "a service in a folder that is not labelled for it" "$? $(grep -c 'pavise_qgs_t' "$logs/elsewhere.err")" "64 1"
exec 9<&-

# Refusals of required isolation: status 5 or 6, one line, nothing left.
refuse() {
    local name=$1 want=$2 pattern=$3 got
    shift 3
    "$@" 5</usr/local/lab/plan 2>"$logs/refusal"
    got=$?
    if [ $got = "$want" ] && [ "$(wc -l <"$logs/refusal")" = 1 ] && grep -q "$pattern" "$logs/refusal" &&
        [ "$(find /run/pavise -mindepth 1)" = /run/pavise/.pairs ]; then
        ok "$name"
    else
        not_ok "$name" "status $got" "$(cat "$logs/refusal")" "$(ls -A /run/pavise /run/pavise/.pairs)"
    fi
}
usual=(off --plan-fd 5 --memory 67108864 --cpus 1 --no-vtpm)
cp $libexec/pavise-launch /usr/local/lab/copy
refuse "a launcher outside its domain" 5 "not in pavise_launch_t" /usr/local/lab/copy "${usual[@]}"
truncate -s 1M /tmp/disk.img
with_disk() { "$libexec/pavise-launch" "${usual[@]}" --disk-fd 6 6<>"$1"; }
refuse "an image of another type" 5 "not pavise_image_t" with_disk /tmp/disk.img
mkdir -p /usr/local/lab/programs
cp $libexec/pavise-vmm $libexec/pavise-dev /usr/local/lab/programs/
refuse "programs with a wrong label" 5 "Permission denied" "$libexec/pavise-launch" "${usual[@]}" \
    --libexec /usr/local/lab/programs
refuse "a launcher without all categories" 5 "needs all categories" \
    runcon -l s0-s0:c0.c5 /bin/bash -c '"$@"' sh "$libexec/pavise-launch" "${usual[@]}"

# An image with the categories of nobody is what a crash leaves; with a running VM's, it is in use.
cp --context=$object:pavise_image_t:s0:c7,c8 $images/shared.img $images/stale.img
with_disk $images/stale.img 5</usr/local/lab/plan 2>"$logs/stale.err"
is "an image with stale categories is taken" $? 0
is "and comes back at s0" "$(label $images/stale.img)" $object:pavise_image_t:s0
launch hold $images/a.img & first=$!
up hold
pair=$(sed -n 's/.*categories \(.*\))/\1/p' "$logs/hold.err" | tail -n 1)
cp --context="$object:pavise_image_t:s0:$pair" $images/shared.img $images/taken.img
with_disk $images/taken.img 5</usr/local/lab/plan 2>"$logs/taken.err"
is "an image labelled for a running VM is refused" "$? $(grep -c 'another VM uses it' "$logs/taken.err")" "6 1"
kill -KILL "$(pgrep -f "^$libexec/pavise-launch hold ")"
wait $first
sleep 1
is "children of a killed launcher die" "$(pgrep -c -f '^pavise-')" 0
is "its image is still labelled" "$(label $images/a.img)" "$object:pavise_image_t:s0:$pair"
with_disk $images/a.img 5</usr/local/lab/plan 2>"$logs/after.err"
is "the next launch takes it over" "$? $(label $images/a.img)" "0 $object:pavise_image_t:s0"

tap_end
