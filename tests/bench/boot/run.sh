#!/bin/bash
# Boots of one kernel and one initrd, inside the lab (L1): QEMU's microvm beside pavise's machines, in
# turns. What is measured, and where the time went, goes to the results, a file for each boot.
set -u
job=bench
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
state=/var/lib/pavise-sim
platform=/usr/local/libexec/pavise/pavise-tdx-sim
memory=192M cpus=1
kinds=(microvm plain-no-vtpm plain snp tdx)
qemu=(./qemu/ld.so --library-path ./qemu ./qemu/qemu-system-x86_64 -L ./qemu)

# timed ROUND KIND CONSOLE COMMAND...: its output is KIND.ROUND.txt, with the command in the first line.
timed() {
    local round=$1 kind=$2 console=$3 us
    shift 3
    echo "$*" >"$out/$kind.$round.txt"
    us=$(./boot-time "$console" "guest: init" 200 "$@" 2>>"$out/$kind.$round.txt") || {
        cat "$out/$kind.$round.txt" "$console"
        fail "$kind did not boot and end"
    }
    echo "$round $kind $us" | tee -a "$out/times"
}

# A serial console and nothing else. rtc=on: without an RTC, Linux spends seconds on its search for one.
microvm() {
    rm -f microvm.log
    timed "$1" microvm microvm.log "${qemu[@]}" -nodefaults -no-user-config -display none -monitor none \
        -machine microvm,rtc=on -accel kvm -cpu host -smp "$cpus" -m "$memory" -no-reboot -serial file:microvm.log \
        -kernel kernel -initrd initrd -append "$append"
}

# ours ROUND KIND [OPTION]...
ours() {
    local round=$1 kind=$2
    shift 2
    timed "$round" "$kind" /run/pavise/bench/console.log pavise run bench --plan "$plans/$kind.plan" \
        --memory "$memory" --cpus "$cpus" --timings "$@"
}

boot() {
    case $2 in
    microvm) microvm "$1" ;;
    plain-no-vtpm) ours "$1" "$2" --no-vtpm ;;
    plain) ours "$1" "$2" ;;
    *) ours "$1" "$2" --tee "$2" --platform sim ;;
    esac
}

# measure KIND TEE [OPTION]...
measure() {
    local kind=$1 tee=$2
    shift 2
    pavise measure "$tee" --firmware "firmware-$tee" --kernel kernel --initrd initrd --append "$append" \
        --memory "$memory" --cpus "$cpus" --plan "$plans/$kind.plan" "$@" >"$out/$kind.measured.txt" ||
        fail "pavise measure $kind"
}

# Every second round in the other direction: what warms up or wears out meets each kind alike.
order() {
    if [ $(($1 % 2)) = 1 ]; then printf '%s\n' "${kinds[@]}"; else printf '%s\n' "${kinds[@]}" | tac; fi
}

chmod 755 boot-time qemu/ld.so qemu/qemu-system-x86_64
make_folders
"$platform" init --state "$state" || fail "no simulated platform"
measure plain-no-vtpm plain --no-vtpm
measure plain plain
measure snp snp
measure tdx tdx --pci-slots 1
# No boot shall be the first that reads a file.
cat qemu/* kernel initrd "$plans"/*.plan /usr/local/libexec/pavise/* /usr/local/bin/pavise "$(command -v swtpm)" >/dev/null
for round in $(seq "$ROUNDS"); do
    step "round $round"
    for kind in $(order "$round"); do boot "$round" "$kind"; done
done
finish "bench: PASS"
