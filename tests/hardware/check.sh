#!/bin/sh
# check.sh snp|tdx: the suite of a confidential guest (tests/lab/suite.sh) on this machine's own hardware
# (make check-snp, make check-tdx). On a machine that is not ready, one line says why and the status
# is 0. Else: measure, run, attest from inside the guest, verify with the vendor's roots, and what
# has to be refused. What is to be sent is packed into one file, whatever the outcome.
#
#   KERNEL=FILE        the guest's kernel, with its modules in /lib/modules; else Debian's newest cloud kernel
#   CPUS=N             processors of the guest (2); begin with 1 when it does not run
#   ISOLATION=degraded without SELinux
#   VEK=FILE CHAIN=FILE  snp: the chip's VCEK or VLEK, and ASK and ARK (docs/hardware.md says where from)
#   CERTS=FILE         snp: a certificate table to hand to the guest
#   COLLATERAL=FILE    tdx: Intel's collateral, packed (pavise collateral pack)
#   QUOTE=unix:PATH|vsock:CID:PORT  tdx: the quote generation service
#   NONCE= SEED=       as in make demo
set -eu

tee=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${PAVISE_BUILD:-$top/build}
job=check-$tee
work=$build/$job
out=$work/out
pack=$build/$job.tar.gz
isolation=${ISOLATION:-required}

fail() {
    echo "$job: FAIL: $*"
    exit 1
}

# shellcheck source=tests/lab/guest.sh
. "$top/tests/lab/guest.sh"

# What is required and not there, as the doctor says it: of the hardware first.
not_ready() {
    ! "$build/bin/pavise" doctor "$tee" --isolation "$isolation" >"$1" 2>&1 || return 1
    reason=$(sed -n "s/^ *\(missing\|unknown\)  *\($tee-[a-z-]*: .*\); fix: .*/\2/p" "$1" | head -n 1)
    [ -n "$reason" ] || reason=$(sed -n 's/^ *\(missing\|unknown\)  *\([a-z0-9-]*: .*\); fix: .*/\2/p' "$1" | head -n 1)
    echo "$job: skipped: $reason (pavise doctor $tee says all that this machine lacks)"
}

# With labels only what is installed may run; without, what was built here.
find_programs() {
    if [ "$isolation" = degraded ]; then
        programs=$build/bin
    else
        programs=$(dirname "$(command -v pavise)") || fail "pavise is not installed: make install, restorecon (README.md)"
        [ "$("$programs/pavise" --version)" = "$("$build/bin/pavise" --version)" ] ||
            fail "$programs/pavise is another version than this tree's: make install"
    fi
}

choose_kernel() {
    kernel=${KERNEL:-$(find /boot -name 'vmlinuz-*-cloud-amd64' | sort -V | tail -n 1)}
    [ -f "${kernel:-/}" ] || fail "no kernel for the guest: KERNEL=FILE (docs/hardware.md)"
    version=${kernel##*/vmlinuz-}
    [ -d "/lib/modules/$version" ] || fail "$kernel: no /lib/modules/$version: name it vmlinuz-VERSION"
}

driver() {
    if [ "$tee" = snp ]; then echo sev-guest; else echo tdx-guest; fi
}

make_work() {
    rm -rf "$work" "$pack"
    mkdir -p "$out" "$work/plans"
    "$lab/mk-guest-initrd.sh" --out "$work/initrd" --init "$lab/guest-init" --kernel "$version" \
        --bin "$build/bin/pavise-agent:/bin/pavise-agent" --module "$(driver)" || fail "the guest's initrd"
    cp "$kernel" "$work/kernel"
    cp "$build/firmware/pavise-fw-$tee.bin" "$work/firmware"
    cp "$lab/payload.sh" "$lab/suite.sh" "$build/tests/plan-flip" "$work/"
    for name in VEK CHAIN CERTS COLLATERAL; do
        eval "file=\${$name:-}"
        # shellcheck disable=SC2154 # by eval
        [ -z "$file" ] || cp "$file" "$work/$name" || fail "$name=$file"
    done
    {
        printf 'NONCE=%s\nSEED=%s\ncpus=%s\nisolation=%s\n' "$nonce" "$seed" "${CPUS:-2}" "$isolation"
        # shellcheck disable=SC2016 # for the reader to expand
        printf 'out=%s\nplans=%s\nquote=%s\nPATH=%s:$PATH\n' "$out" "$work/plans" "${QUOTE:-}" "$programs"
        printf 'agreed=%s\n' "$(printf '%s %s' "$job" "$nonce" | "$([ "$tee" = snp ] && echo sha256sum || echo sha384sum)" |
            cut -d ' ' -f 1)"
    } >"$work/inputs"
}

# What says which machine this was. Nothing of it is secret; a report names the chip.
describe() {
    "$build/bin/pavise" doctor "$tee" --isolation "$isolation" --json >"$out/doctor.json" || true
    "$build/bin/pavise" --version >"$out/version" || true
    uname -a >"$out/uname"
    dmesg 2>/dev/null | grep -iE 'sev|rmp|ccp|tdx|virt/|kvm' >"$out/dmesg-lines" || true
    cat /sys/class/dmi/id/bios_version /sys/class/dmi/id/product_name >"$out/bios" 2>/dev/null || true
}

case $tee in
snp | tdx) ;;
*) fail "say snp or tdx" ;;
esac
mkdir -p "$build/logs"
if not_ready "$build/logs/$job-doctor.txt"; then
    exit 0
fi
choose_inputs
find_programs
choose_kernel
make_work
describe
echo "$job: NONCE=$nonce SEED=$seed, guest kernel $version"
status=0
(cd "$work" && bash "$top/tests/hardware/run.sh" "$tee") 2>&1 | tee "$out/console" || status=$?
# tee's status is not the suite's.
grep -qx "$job: PASS" "$out/console" || status=1
tar -C "$work" -czf "$pack" out
echo "$job: send this file, good or bad: $pack"
exit "$status"
