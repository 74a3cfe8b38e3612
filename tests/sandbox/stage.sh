# Shared by the lab's tests of the launcher with stand-ins for VMM and devices: read with `. "$here/stage.sh"`
# after $here is set. What a test installs beside them goes below $work/stage, what its script needs to $work/payload.
# shellcheck shell=sh
here=${here:?}
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
mkdir -p "$work/payload" "$programs" "$work/stage/var/lib/pavise"
cp "$build/bin/pavise-launch" "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$programs/"

# stage_run SCRIPT SECONDS: runs lab/SCRIPT in the lab machine and prints its TAP. The status is 1 when
# the lab failed; a test that failed stands in the TAP.
stage_run() {
    status=0
    cp "$here/lab/$1" "$work/payload/run.sh"
    cp "$here/lab/tap.sh" "$work/payload/"
    "$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-$2}" --stage "$work/stage" "$work/payload" "$work/out" \
        >"$work/console" 2>&1 || status=$?
    [ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
    cat "$work/out/tap"
    [ "$status" -lt 250 ] || { cat "$work/console"; grep permissive=1 "$work/out/dmesg"; exit 1; }
    grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
}
