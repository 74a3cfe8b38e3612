#!/bin/sh
# run.sh [--timeout SECONDS] [--stage DIR]... [--image DIR] PAYLOAD_DIR OUT_DIR
#
# Boots the lab machine (L1: SELinux enforcing, nested KVM), unpacks each --stage DIR over its root
# and PAYLOAD_DIR to /usr/local/lab, runs run.sh from there as unconfined_t, and unpacks what it
# left in /usr/local/out (with dmesg, and rc) into OUT_DIR. The console is shown as it comes, each line
# behind "L1| ". The status is the payload's; 250 and above: the lab itself failed.
#
# The first run with an image boots it and saves the machine as it waits for a payload; later ones restore
# that. PAVISE_LAB_SNAPSHOT=no boots each time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

# Sizes of the two disks are part of the saved machine: the same for every run.
DISK_SIZE=400M
MEMORY=${PAVISE_LAB_MEMORY:-2560}
# The payload's own clock stops it first, so that its results are kept; this is for a dead machine.
GRACE=90

usage() {
    die "usage: run.sh [--timeout SECONDS] [--stage DIR]... [--image DIR] PAYLOAD_DIR OUT_DIR"
}

# An old result is replaced; a folder that is something else is not touched.
prepare_out() {
    if [ -e "$1" ] && [ ! -f "$1/.lab-result" ] && [ -n "$(ls -A "$1")" ]; then
        die "$1 is in the way and is no lab result; name a new folder"
    fi
    rm -rf "$1"
    mkdir -p "$1"
    : >"$1/.lab-result"
}

# One tar as a raw disk: no file system to make, no root needed to fill it.
pack() {
    mkdir -p "$work/settings/usr/local"
    printf 'LAB_TIMEOUT=%s\nLAB_NOW=%s\n' "$timeout" "$(date +%s)" >"$work/settings/usr/local/lab-settings"
    {
        echo "$work/settings" && cat "$work/stages" && echo "$payload"
    } | while read -r dir; do
        prefix=.
        [ "$dir" != "$payload" ] || prefix=./usr/local/lab
        archive=$work/part.tar
        tar cf "$archive" --owner=0 --group=0 --numeric-owner -C "$dir" --transform "s#^\.#$prefix#S" .
        if [ -e "$work/in.tar" ]; then tar Af "$work/in.tar" "$archive"; else mv "$archive" "$work/in.tar"; fi
    done
    [ "$(stat -c %s "$work/in.tar")" -le $((${DISK_SIZE%M} << 20)) ] ||
        die "payload and stages are larger than $DISK_SIZE; leave something out"
    truncate -s $DISK_SIZE "$work/in.tar" "$work/out.tar"
}

# Without the lsm list apparmor comes first and load_policy fails; without the rate and backlog
# limits denials are lost. One vCPU: with two, the emulator races with the kernel's code patching.
# vmgenid makes a restored kernel seed its random numbers anew.
run_machine() {
    append="console=ttyS0 quiet panic=-1 log_buf_len=16M"
    append="$append lsm=landlock,lockdown,yama,integrity,selinux,bpf enforcing=1"
    append="$append audit=1 audit_backlog_limit=8192 sysctl.kernel.printk_ratelimit=0"
    limit=$1 in=$2 results=$3
    shift 3
    exec setpriv --pdeathsig KILL timeout --foreground -s KILL "$limit" \
        setpriv --pdeathsig KILL qemu-system-x86_64 \
        -nodefaults -no-user-config -machine q35 -accel tcg,thread=multi -cpu max,la57=off \
        -m "$MEMORY" -smp 1 -display none -no-reboot -device vmgenid,guid=auto \
        -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "$append" \
        -drive "file=$image/root.ext4,format=raw,if=none,id=root,snapshot=on" -device virtio-blk-pci,drive=root \
        -drive "file=$in,format=raw,if=none,id=in,readonly=on" -device virtio-blk-pci,drive=in \
        -drive "file=$results,format=raw,if=none,id=out,cache=unsafe" -device virtio-blk-pci,drive=out "$@"
}

# The saved machine fits only the emulator and arguments it was saved with.
state_name() {
    { qemu-system-x86_64 --version && echo "$MEMORY" && cat "$here/run.sh"; } >"$work/state-inputs"
    echo "$image/state-$(key_of "$work/state-inputs")"
}

# Boots with an empty payload disk and saves the machine as it polls for one. The monitor's migrate
# returns when the state is written; without a stop before it, the restored machine runs at once.
save_state() {
    say "booting the lab once, to save it for later runs"
    truncate -s $DISK_SIZE "$work/no.tar" "$work/no-out.tar"
    mkfifo "$work/monitor"
    run_machine 180 "$work/no.tar" "$work/no-out.tar" -serial "file:$work/boot" -monitor stdio \
        <"$work/monitor" >"$work/monitor.log" 2>&1 &
    machine=$!
    exec 8>"$work/monitor"
    until grep -q 'waiting for the payload' "$work/boot" 2>/dev/null; do
        kill -0 "$machine" 2>/dev/null || return 1
        sleep 0.1
    done
    sleep 0.3
    printf 'migrate "exec:cat >%s"\ninfo migrate\nquit\n' "$work/state" >&8
    exec 8>&-
    wait "$machine" || true
    machine=
    grep -q 'Migration status: completed' "$work/monitor.log" && mv "$work/state" "$1"
}

# Prints nothing when the machine is to be booted.
prepare_state() {
    state=
    [ "${PAVISE_LAB_SNAPSHOT-}" != no ] || return 0
    state=$(state_name)
    [ ! -f "$state" ] || return 0
    lock_cache
    if [ ! -f "$state" ] && ! save_state "$state"; then
        say "the machine could not be saved; booting it. The emulator said:"
        cat "$work/boot" "$work/monitor.log" >&2 || true
        state=
    fi
    exec 9>&-
}

boot() {
    set --
    [ -z "$state" ] || set -- -incoming "exec:cat $state"
    run_machine $((timeout + GRACE)) "$work/in.tar" "$work/out.tar" -serial stdio "$@" \
        </dev/null >"$work/console" 2>&1 &
    machine=$!
    status=0
    wait "$machine" || status=$?
    machine=
    wait "$screen" || true
    case $status in
    0) ;;
    137 | 124) say "the machine did not end within $((timeout + GRACE)) s and was stopped" ;;
    *) say "the emulator ended with status $status" ;;
    esac
}

start_screen() {
    mkfifo "$work/console"
    tr -d '\r' <"$work/console" | tee "$out/console" | sed -u 's/^/L1| /' &
    screen=$!
}

# The status comes from the results, which the machine's init wrote last; a console line alone
# could be a payload's.
finish() {
    reported=$(sed -n 's/^LAB-RC=\([0-9]*\)$/\1/p' "$out/console" | tail -n 1)
    [ -n "$reported" ] || { say "the machine did not reach its end; its console is in $out/console"; exit 254; }
    tar xf "$work/out.tar" --no-same-owner -C "$out" 2>/dev/null || true
    rc=$(cat "$out/rc" 2>/dev/null) || rc=
    if [ "$reported" -ge 250 ] || [ -z "$rc" ]; then
        say "the lab failed with status $reported; its console is in $out/console"
        [ "$reported" -ge 250 ] || reported=254
        exit "$reported"
    fi
    exit "$rc"
}

# shellcheck disable=SC2317 # called by the trap
clean() {
    [ -z "${machine-}" ] || kill "$machine" 2>/dev/null || true
    rm -rf "$work"
}

main() {
    timeout=300
    image=
    work=$(mktemp -d "${TMPDIR:-/tmp}/pavise-lab.XXXXXX")
    trap clean EXIT
    trap 'exit 143' INT TERM HUP
    : >"$work/stages"
    while [ $# -gt 2 ]; do
        case $1 in
        --timeout) timeout=$2 ;;
        --stage) (cd "$2" && pwd) >>"$work/stages" ;;
        --image) image=$2 ;;
        *) usage ;;
        esac
        shift 2
    done
    [ $# = 2 ] || usage
    [ -f "$1/run.sh" ] || die "$1 has no run.sh; a payload is a folder with a run.sh"
    payload=$(cd "$1" && pwd)
    out=$2
    need_tools qemu-system-x86_64 setpriv
    [ -n "$image" ] || image=$("$here/mk-image.sh")
    prepare_out "$out"
    pack
    prepare_state
    start_screen
    boot
    finish
}

main "$@"
