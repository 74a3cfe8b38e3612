#!/bin/sh
# inputs.sh BUILD INPUTS [DISKS]: makes the folders that tests/crash/crash works with: plans, a key, programs; images.
set -eu
build=$(cd "$1" && pwd)
inputs=$2
disks=${3:-}
mkdir -p "$inputs/stand-ins" "$inputs/broken" "$inputs/real"
mkdir "$inputs/quotes"
chmod 711 "$inputs/quotes"
"$build/tests/mkplan" "$inputs/plain" 67108864 2
"$build/tests/mkplan" "$inputs/snp" 67108864 1 snp
"$build/tests/mkplan" "$inputs/tdx" 67108864 2 tdx
"$build/tests/mkplan" "$inputs/guest" 67108864 2 guest "$build/tests/guests/halted.bin"
echo key >"$inputs/key"
cp "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$inputs/stand-ins/"
for name in pavise-vmm-sim pavise-psp-sim pavise-tdx-sim pavise-quote; do
    cp "$build/tests/libexec/pavise-dev" "$inputs/stand-ins/$name"
done
cp "$build/tests/libexec/pavise-dev" "$inputs/broken/"
cp "$build/bin/pavise-vmm" "$build/bin/pavise-dev" "$inputs/real/"
if [ -n "$disks" ]; then
    mkdir -p "$disks"
    truncate -s 1M "$disks/disk" "$disks/disk-ro"
fi
