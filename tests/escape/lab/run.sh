#!/bin/bash
# Runs in the lab machine as unconfined root: ten times a VM that is attacked and a VM whose every process
# is the payload, each time without another layer. What each attempt came to goes to /usr/local/out/RUN.log;
# matrix.py judges. README.md says what is started and what "without" means.
set -u
lab=/usr/local/lab
out=/usr/local/out
object=unconfined_u:object_r
quiet=/tmp/escape-logs
layers="label seccomp landlock namespaces ids capabilities descriptors limits"
mkdir -p "$quiet" /srv/escape "$lab/libexec" /state
for name in pavise-vmm pavise-dev pavise-quote; do cp "$lab/payload" "$lab/libexec/$name"; done
cp /usr/bin/swtpm "$lab/swtpm.real"

say() { echo "escape: [$SECONDS] $*"; }
# Another file of that label: the other VM's vTPM runs the one there is.
swtpm_is() {
    cp --context=system_u:object_r:pavise_vtpm_exec_t:s0 "$1" /usr/bin/swtpm.new
    chmod 755 /usr/bin/swtpm.new
    mv -f /usr/bin/swtpm.new /usr/bin/swtpm
}
backwards() { local text=$1 i; for ((i = ${#text} - 1; i >= 0; i--)); do printf %s "${text:i:1}"; done; }
# Of the processes below that one, the one whose arguments begin so.
child() { ps -eo pid=,ppid=,args= | awk -v p="$1" -v a="$2" '$2 == p { pid = $1; $1 = $2 = ""; if (index($0, a) == 3) print pid }'; }
await() { # SECONDS TEXT FILE [TIMES [PID]]: the text that often, while the process lives
    local i found
    for ((i = 0; i < $1 * 10; i++)); do
        found=$(grep -sc "$2" "$3")
        [ "${found:-0}" -lt "${4-1}" ] || return 0
        [ -z "${5-}" ] || [ -d "/proc/$5" ] || return 1
        sleep 0.1
    done
    say "no '$2' in $3"
    return 1
}

swtpm_filter() {
    mkdir -p /tmp/tpm
    swtpm socket --tpm2 --tpmstate dir=/tmp/tpm --ctrl type=unixio,path=/tmp/tpm/socket --seccomp action=kill & local pid=$!
    sleep 2
    ESCAPE_SWTPM_FILTER=$("$lab/payload" filter $pid)
    export ESCAPE_SWTPM_FILTER
    kill $pid
    wait $pid 2>/dev/null
    [ -n "$ESCAPE_SWTPM_FILTER" ] || say "swtpm's filter cannot be read"
}

# What a run is made of: with labels, where the policy has them; else beside it, so that no wall of the
# policy stands on a type.
set_up() {
    export PAVISE_LAYERS_OFF=$1
    if [[ $1 == all || $1 == label ]]; then
        launcher=$lab/pavise-launch-layers
        as_launcher=$lab/payload
        images=/srv/escape
        run_dir=/run/escape
        options=(--isolation degraded --libexec "$lab/libexec" --run-dir "$run_dir")
        export ESCAPE_PROGRAM=$lab/libexec/pavise-vmm ESCAPE_FILE_LABEL=$object:tmp_t:s0
    else
        launcher=/usr/libexec/pavise/pavise-launch
        as_launcher=/usr/local/libexec/pavise/pavise-launch
        images=/var/lib/pavise
        run_dir=/run/pavise
        options=(--run-dir "$run_dir")
        export ESCAPE_PROGRAM=/usr/local/libexec/pavise/pavise-vmm ESCAPE_FILE_LABEL=$object:pavise_log_t:s0
    fi
    export ESCAPE_LABEL=unconfined_u:unconfined_r:unconfined_t:s0
    secret=secret-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    ESCAPE_TERCES=$(backwards "$secret")
    export ESCAPE_TERCES
    for file in /root/escape-secret $images/victim.img; do
        rm -f "$file"
        yes "$secret" | head -c 1M >"$file"
        chmod 600 "$file"
    done
    rm -f $images/attacker.img
    truncate -s 1M $images/attacker.img
    echo "$secret" >/sys/class/net/lo/ifalias
    export ESCAPE_HOST_FILE=/root/escape-secret ESCAPE_IMAGE=$images/victim.img ESCAPE_RUN=$run_dir/victim
    export ESCAPE_LOG=$run_dir/victim/vmm.log ESCAPE_CONTROL=$run_dir/victim/control.sock
    export ESCAPE_TPM=$run_dir/victim/tpm/tpm2-00.permall
    export ESCAPE_SOCKET=escape-$secret ESCAPE_SOCKET_PATH=/tmp/escape.sock
}

launch() { # NAME OPTION...
    local name=$1
    shift
    "$launcher" "$name" --plan-fd 5 --memory 67108864 --cpus 1 "${options[@]}" "$@" >/dev/null 2>"$quiet/$name.err" &
    launched=$!
    await 60 running "$quiet/$name.err" || cat "$quiet/$name.err"
}

stop() { # PID
    kill -TERM "$1"
    wait "$1" || say "$(tail -n 1 "$quiet"/*.err)"
}

start_victim() {
    rm -f "$quiet"/*
    export ESCAPE_VICTIM=1
    launch victim --disk-fd 6 5<$lab/plan 6<>$images/victim.img
    unset ESCAPE_VICTIM
    victim=$launched
    ESCAPE_LAUNCHER=$victim
    ESCAPE_VMM=$(child "$victim" pavise-vmm)
    ESCAPE_BLK=$(child "$victim" "pavise-dev blk")
    ESCAPE_VTPM=$(child "$victim" swtpm)
    export ESCAPE_LAUNCHER ESCAPE_VMM ESCAPE_BLK ESCAPE_VTPM
    take "$(cat "$run_dir"/victim/{vmm,dev-blk0}.log)"
    # What its vTPM would have written, with the label and owner it would have.
    local label=none
    [[ $run_dir != /run/pavise ]] || label=$(stat -c %C $run_dir/victim/tpm)
    "$as_launcher" plant "$ESCAPE_TPM" "$label" >"$quiet/plant" 2>&1 || cat "$quiet/plant"
    chown --reference=$run_dir/victim/tpm "$ESCAPE_TPM"
    chmod 600 "$ESCAPE_TPM"
}

# NAME=VALUE words become ESCAPE_NAME.
take() {
    local word
    for word in $1; do [[ $word != *=* ]] || export "ESCAPE_$word"; done
}

start_host() {
    SECRET=$secret "$lab/payload" bystander >"$quiet/bystander" &
    bystander=$!
    await 10 READY "$quiet/bystander"
    take "$(cat "$quiet/bystander") BYSTANDER=$bystander"
    sleepers=
    for role in 0 1 2 3 4 5; do
        sleep 900 & sleepers="$sleepers $!"
        export "ESCAPE_SLEEPER_$role=$!"
    done
}

# One role at a time: two at once would trace each other's victim.
attack() { # NAME PATTERN TIMES
    local pid
    pid=$(child "$attacker" "$2")
    say "$1 is $pid"
    kill -USR1 "$pid"
    await 120 "escape end" "$run_dir/attacker/$1.log" "$3"
    cat "$run_dir/attacker/$1.log"
}

# A VM of its own, with the real swtpm: for PCR 0, and for what may end the VM.
attack_alone() {
    local pid
    export ESCAPE_ALONE=1 ESCAPE_DEVICES=1
    # Without namespaces swtpm has no /state of its own; root's it may use.
    if [[ $PAVISE_LAYERS_OFF != namespaces ]]; then
        swtpm_is "$lab/swtpm.real"
        export ESCAPE_REAL_VTPM=1
    fi
    launch attacker 5<$lab/plan
    attacker=$launched
    unset ESCAPE_ALONE ESCAPE_REAL_VTPM
    swtpm_is "$lab/payload"
    attack vmm pavise-vmm 2
    pid=$(child "$attacker" "pavise-dev vsock")
    kill -USR1 "$pid"
    if await 60 "escape end" "$run_dir/attacker/dev-vsock.log" 1 "$pid"; then
        cat "$run_dir/attacker/dev-vsock.log"
        stop "$attacker"
    else
        wait "$attacker"
        cat "$quiet/attacker.err"
        echo "escape vsock limits memory-hog stopped killed with its VM"
    fi
}

run() { # NAME OFF
    say "$1"
    set_up "$2"
    start_victim
    start_host
    export ESCAPE_LEFT_FILE=60 ESCAPE_LEFT_IMAGE=61
    launch attacker --disk-fd 6 --tee tdx --quote-dir-fd 9 --quote-name qgs.socket 5<$lab/tdxplan \
        6<>$images/attacker.img 9</run/tdx-qgs 60</root/escape-secret 61<"$ESCAPE_IMAGE"
    attacker=$launched
    {
        attack vmm pavise-vmm 2
        attack dev-blk0 "pavise-dev blk" 1
        attack dev-vsock "pavise-dev vsock" 1
        attack quote pavise-quote 1
        attack vtpm swtpm 1
        stop "$attacker"
        attack_alone
        "$lab/payload" root
        "$as_launcher" launcher >"$quiet/launcher"
        cat "$quiet/launcher"
        echo "escape victim $(child "$victim" pavise-vmm) $ESCAPE_VMM"
    } >"$out/$1.log" 2>&1
    stop "$victim"
    # shellcheck disable=SC2086 # process ids, one word each
    kill $bystander $sleepers 2>/dev/null
    wait $bystander 2>/dev/null
}

modprobe vsock_loopback
mkdir -p /run/tdx-qgs
chmod 755 /run/tdx-qgs
restorecon -RF /run/tdx-qgs
# So that root may have in the control run what the attempts ask for; no domain of ours gains by it.
for boolean in allow_execmem allow_execstack allow_execheap allow_execmod; do
    echo 1 >/sys/fs/selinux/booleans/$boolean || say "no $boolean"
done
echo 1 >/sys/fs/selinux/commit_pending_bools
swtpm_filter
swtpm_is "$lab/payload"
# shellcheck source=/dev/null # written by test_escape.sh
. "$lab/runs"
for one in ${runs:-control on $layers}; do
    case $one in
    control) run control all ;;
    on) run on none ;;
    *) run "$one" "$one" ;;
    esac
done
say end
exit 0
