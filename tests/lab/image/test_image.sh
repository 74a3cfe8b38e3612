#!/bin/sh
# budget: 900
# Workload images in the lab: made on this machine, run there.
set -u

top=$(cd "$(dirname "$0")/../../.." && pwd)
build=${PAVISE_BUILD:-$top/build}
log=$build/logs/image-lab.txt
payload=$build/image-payload
name="workload images: a pinned root, a data disk with a key for one guest, and every refused case"

# The last line of the log says why: this may run in a shell whose output goes there.
fail() {
    echo "image: FAIL: $*"
    exit 1
}

# shellcheck source=tests/lab/guest.sh
. "$top/tests/lab/guest.sh"

# Files that do not compress: so a changed byte is in what is read, not in what is left over.
make_root() {
    mkdir -p "$1/bin" "$1/share"
    cp "$(command -v busybox)" "$1/bin/busybox"
    for applet in sh grep cat head tr dd; do ln -s busybox "$1/bin/$applet"; done
    install -m 0755 "$lab/image/workload" "$1/bin/workload"
    head -c 4194304 /dev/urandom >"$1/share/noise"
}

# make_image FOLDER OPTION...
make_image() {
    rm -rf "$1"
    out_folder=$1
    shift
    "$build/bin/pavise" image build --root "$build/image-root" --agent "$build/bin/pavise-agent" \
        --modules "/lib/modules/${kernel##*/vmlinuz-}" --run /bin/workload -o "$out_folder" "$@" ||
        fail "pavise image build"
}

whole() {
    choose_inputs
    echo "image: NONCE=$nonce SEED=$seed"
    rm -rf "$payload" "$build/image-root"
    kernel=$(find /boot -name 'vmlinuz-6.12*-cloud-amd64' | sort -V | tail -n 1)
    [ -n "$kernel" ] || fail "no Debian cloud kernel in /boot: run scripts/setup.sh lab"
    make_stage "$build/image-stage"
    make_root "$build/image-root"
    mkdir -p "$payload"
    owner=$("$build/bin/pavise" image data-key -o "$payload/owner.key") || fail "pavise image data-key"
    "$build/bin/pavise" image data-key -o "$payload/host.key" >/dev/null || fail "pavise image data-key"
    make_image "$payload/plain"
    make_image "$payload/data" --data-key-id "$owner"
    cp "$kernel" "$payload/kernel"
    cp "$build/firmware/pavise-fw-plain.bin" "$payload/firmware"
    cp "$lab/image/run.sh" "$lab/payload.sh" "$payload/"
    printf 'NONCE=%s\nSEED=%s\n' "$nonce" "$seed" >"$payload/inputs"
    run_lab "$build/image-lab" "$build/image-stage" "$payload"
}

mkdir -p "$(dirname "$log")"
SEED=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "1..1"
if (whole) >"$log" 2>&1; then
    echo "ok 1 - $name"
else
    tail -n 60 "$log" | sed 's/^/# /'
    echo "not ok 1 - $name"
fi
