#!/bin/sh
# mk-root.sh: make the lab machine's root tree (L1) in the cache; prints its path.
#
# Debian's minbase, the stock SELinux policy and what root-packages lists. It knows nothing of
# pavise and of a kernel: mk-image.sh adds those, so this minute is spent once.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

# Documentation is a quarter of the size and nobody reads it there.
build_tree() {
    "$here/../../scripts/apt-sources.sh" >"$1.list"
    mmdebstrap --variant=minbase --format=directory \
        --include="$(words_of "$here/root-packages" | paste -s -d , -)" \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/zoneinfo/*' \
        bookworm "$1" "$1.list" >"$1.log" 2>&1 || {
        tail -n 20 "$1.log" >&2
        die "mmdebstrap could not make the root (its last lines are above); check network and apt sources"
    }
}

# semodule -p reads the tree's own semanage.conf: without expand-check=1 there a neverallow rule
# is silently not checked.
set_up_selinux() {
    sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$1/etc/selinux/config"
    sed -i '/^[[:space:]]*expand-check/d' "$1/etc/selinux/semanage.conf"
    echo 'expand-check=1' >>"$1/etc/selinux/semanage.conf"
}

main() {
    need_root mk-root.sh
    need_tools mmdebstrap
    lock_cache
    root=$LAB_CACHE/root-$(key_of "$here/root-packages" "$here/mk-root.sh")
    if [ ! -d "$root" ]; then
        say "making the root tree (about a minute, once)"
        work=$(mktemp -d "$LAB_CACHE/new-root.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        build_tree "$work/tree"
        set_up_selinux "$work/tree"
        mv "$work/tree" "$root"
    fi
    use_artefact root "$root"
    echo "$root"
}

main "$@"
