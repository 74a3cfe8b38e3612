#!/bin/sh
# bench.sh: how long a stock Debian kernel takes to boot (make bench-boot), plain and on the platform
# model (simulated), beside QEMU's microvm: the same kernel, initrd, command line, memory and processor
# in one run of the lab (tests/lab). ROUNDS=N: boots of each. Prints, and judges nothing.
#
# Measured: from the start of the command, QEMU or `pavise run`, to the first line of the guest's init
# on the serial console. The command lines are in run.sh. All results stay in build/bench-boot.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
build=${PAVISE_BUILD:-$top/build}
payload=$build/bench-boot-payload
stage=$build/bench-boot-stage
out=$build/bench-boot
rounds=${ROUNDS:-3}

fail() {
    echo "bench: FAIL: $*"
    exit 1
}

# shellcheck source=tests/lab/guest.sh
. "$top/tests/lab/guest.sh"

# This machine's emulator, which runs the lab, is what runs in it: the lab's root need not grow by a
# third for this alone. With its libraries and their loader, since the lab may have others.
copy_qemu() {
    mkdir "$1"
    program=$(command -v qemu-system-x86_64) || fail "no qemu-system-x86_64: run scripts/setup.sh lab"
    cp "$program" "$1/qemu-system-x86_64"
    ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do cp -L "$library" "$1/"; done
    mv "$1"/ld-linux-*.so.* "$1/ld.so"
    cp -L /usr/share/qemu/bios-microvm.bin /usr/share/qemu/linuxboot_dma.bin /usr/share/qemu/kvmvapic.bin "$1/"
}

make_inputs() {
    rm -rf "$payload"
    mkdir -p "$payload"
    # shellcheck source=tests/lab/lib.sh
    kernel=$(. "$lab/lib.sh" && newest_kernel) || fail "no kernel to boot"
    cp "/boot/vmlinuz-$kernel" "$payload/kernel"
    "$lab/mk-guest-initrd.sh" --out "$payload/initrd" --init "$here/guest-init" || fail "the guest's initrd"
    for kind in plain snp tdx; do cp "$build/firmware/pavise-fw-$kind.bin" "$payload/firmware-$kind"; done
    cp "$here/run.sh" "$lab/payload.sh" "$build/tests/boot-time" "$payload/"
    copy_qemu "$payload/qemu"
    echo "ROUNDS=$rounds" >"$payload/inputs"
    make_stage "$stage"
    make_chip "$build/sim-chip"
    mkdir -p "$stage/var/lib"
    cp -a "$build/sim-chip" "$stage/var/lib/pavise-sim"
}

echo "$rounds" | grep -Eq '^[1-9][0-9]?$' || fail "ROUNDS: needs a number from 1 to 99"
mkdir -p "$build/logs"
make_inputs
echo "bench: $rounds rounds of five boots in the lab; the log is build/logs/bench-boot.txt"
"$lab/run.sh" --timeout $((300 + rounds * 600)) --stage "$stage" "$payload" "$out" \
    >"$build/logs/bench-boot.txt" 2>&1 || fail "$(why_failed "$out")"
"$here/table.py" "$out"
