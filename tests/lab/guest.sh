# Shared by the scripts that run guests in the lab: makes, on this machine, what goes into it. Read
# with `. guest.sh` after $top (of the sources), $build and fail() are there. NONCE= and SEED= count.
# shellcheck shell=sh
# shellcheck disable=SC2154 # top, build
lab=$top/tests/lab

choose_inputs() {
    nonce=${NONCE:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
    seed=${SEED:-1}
    echo "$nonce" | grep -Eq '^([0-9a-fA-F]{2}){16,64}$' || fail "NONCE: needs 16 to 64 bytes in hexadecimal"
    echo "$seed" | grep -Eq '^(0|[1-9][0-9]{0,17})$' || fail "SEED: needs a decimal number"
}

# make_stage DIR: pavise as it is installed.
make_stage() {
    rm -rf "$1"
    make -s -C "$top" install DESTDIR="$1" >/dev/null || fail "make install"
}

# make_initrd FILE AGENT [OPTION]...: the standard guest's, with that program as its agent.
make_initrd() {
    file=$1 agent=$2
    shift 2
    "$lab/mk-guest-initrd.sh" --out "$file" --init "$lab/guest-init" \
        --bin "$build/bin/$agent:/bin/pavise-agent" "$@" || fail "the guest's initrd"
}

# make_payload DIR KIND RUN AGENT: kernel, initrd, firmware of that kind, and what RUN needs.
make_payload() {
    rm -rf "$1"
    mkdir -p "$1"
    kernel=$(find /boot -name 'vmlinuz-6.12*-cloud-amd64' | sort -V | tail -n 1)
    [ -n "$kernel" ] || fail "no Debian cloud kernel in /boot: run scripts/setup.sh lab"
    make_initrd "$1/initrd" "$4"
    cp "$kernel" "$1/kernel"
    cp "$build/firmware/pavise-fw-$2.bin" "$1/firmware"
    cp "$3" "$1/run.sh"
    cp "$lab/payload.sh" "$lab/suite.sh" "$build/tests/plan-flip" "$1/"
    printf 'NONCE=%s\nSEED=%s\n' "$nonce" "$seed" >"$1/inputs"
}

# add_tdx PAYLOAD PARTS: what tests/lab/tdx/run.sh needs, in a folder of a payload that has made_payload.
add_tdx() {
    mkdir "$1/tdx"
    ln "$1/kernel" "$1/initrd" "$1/tdx/"
    cp "$build/firmware/pavise-fw-tdx.bin" "$1/tdx/firmware"
    cp "$lab/tdx/run.sh" "$lab/payload.sh" "$lab/suite.sh" "$build/tests/plan-flip" "$1/tdx/"
    tdx_inputs "$2" >"$1/tdx/inputs"
    echo "out=/usr/local/out/tdx" >>"$1/tdx/inputs"
}

# tdx_inputs PARTS
tdx_inputs() {
    printf 'NONCE=%s\nSEED=%s\n' "$nonce" "$seed"
    printf 'MRCONFIGID=%s\n' "$(printf 'tdx %s' "$nonce" | sha384sum | cut -d ' ' -f 1)"
    printf "PARTS='%s'\n" "$1"
}

# make_chip DIR: a simulated chip is made once and kept: its RSA keys take minutes under emulation.
make_chip() {
    [ ! -d "$1" ] || return 0
    rm -rf "$1.new"
    "$build/bin/pavise-psp-sim" init --state "$1.new" || fail "no simulated chip in $1"
    mv "$1.new" "$1"
}

# run_lab OUT STAGE PAYLOAD
run_lab() {
    "$lab/run.sh" --timeout 700 --stage "$2" "$3" "$1" || fail "$(why_failed "$1")"
}

# Why a payload, whose results are in that folder, says that it failed.
why_failed() {
    sed -n 's/^[a-z]*: FAIL: //p' "$1/result" 2>/dev/null | grep . ||
        echo 'the lab ended without a result: see its console above'
}
