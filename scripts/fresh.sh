#!/bin/sh
# fresh.sh: prove that a stranger's machine can build this.
#
# A bare Debian 12 (minbase, git and make, nothing else), a clone of HEAD, then what the README
# says: set-up of the build and unit tiers, make, the unit tests. Ends with "fresh: PASS" or
# "fresh: FAIL: reason". FRESH_TARGETS overrides the make targets.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
cache=${PAVISE_CACHE:-${HOME:-/root}/.cache/pavise}/fresh
targets=${FRESH_TARGETS:-all check-unit}
reason='stopped before the end'

fail() {
    reason=$1
    exit 1
}

# Mounts live in a mount namespace that ends with the commands, so there is never one to undo here.
# shellcheck disable=SC2317 # called by the trap
finish() {
    status=$?
    rm -rf --one-file-system "$work"
    if [ "$status" = 0 ]; then
        echo "fresh: PASS"
    else
        echo "fresh: FAIL: $reason"
        status=1
    fi
    exit "$status"
}

# The bare system is kept a week: then it is made anew, as a stranger would today.
base_tarball() {
    base=$cache/base.tar
    mkdir -p "$cache"
    find "$cache" -name base.tar -mtime +7 -delete
    [ ! -f "$base" ] || return 0
    echo "fresh: making the bare system (about half a minute)"
    "$here/apt-sources.sh" >"$work/debian.list" || return 1
    mmdebstrap --quiet --format=tar --variant=minbase --include=git,make,ca-certificates bookworm "$base.new" "$work/debian.list" &&
        mv "$base.new" "$base"
}

# A clone, not a copy: what is not committed is not there.
fill() {
    tar xf "$cache/base.tar" -C "$work/root" &&
        cp -L /etc/resolv.conf "$work/root/etc/resolv.conf" &&
        git -c safe.directory='*' clone -q "file://$top" "$work/root/root/pavise"
}

# inside COMMAND: in the bare system, with namespaces of its own so that everything it started ends
# with it. Its environment is as bare as a login's.
inside() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child --propagation private sh -eu -c '
        root=$1
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || { mkdir -p "$root/dev/shm"; mount -t tmpfs tmpfs "$root/dev/shm"; }
        mkdir -p "$root/dev/pts"
        mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
        exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
            LANG=C.UTF-8 sh -eu -c "cd /root/pavise; $2"
    ' sh "$work/root" "$1" </dev/null
}

main() {
    [ "$(id -u)" = 0 ] || fail "not root: a chroot and its mounts need it; run this as root"
    "$here/setup.sh" fresh || fail "setup.sh fresh"
    base_tarball || fail "mmdebstrap could not make the bare system; check network and apt sources"
    fill || fail "could not unpack the bare system or clone $top"
    echo "fresh: $(git -c safe.directory='*' -C "$top" log -1 --format='%h %s')"
    inside 'scripts/setup.sh build unit' || fail "scripts/setup.sh build unit"
    for target in $targets; do
        echo "fresh: make $target"
        inside "make -j2 $target" || fail "make $target"
    done
}

work=$(mktemp -d "${TMPDIR:-/tmp}/pavise-fresh.XXXXXX")
mkdir "$work/root"
chmod 0755 "$work" "$work/root"
trap finish EXIT
trap 'reason="interrupted"; exit 1' INT TERM HUP
main
