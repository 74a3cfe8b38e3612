#!/bin/sh
# setup.sh [-n] TIER...: install what the named tiers need (build, unit, lab, lint, fresh).
#
# The lists are in scripts/packages, by package name and never by version. Nothing is touched when
# nothing is missing; -n says what is missing and installs nothing (status 1 when something is).
set -eu

here=$(cd "$(dirname "$0")" && pwd)

die() {
    echo "setup: $*" >&2
    exit 1
}

# Names of all packages on the lists of the tiers.
wanted() {
    for tier in "$@"; do
        [ -f "$here/packages/$tier" ] ||
            die "no tier '$tier'; choose from: $(cd "$here/packages" && echo *)"
    done
    for tier in "$@"; do
        sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/packages/$tier"
    done | sort -u
}

missing() {
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

# A machine that boots by GRUB or systemd-boot may one day boot the kernel we install, so its
# initramfs is made. In a container or chroot nothing ever boots it: the lab brings its own initrd.
skip_needless_initramfs() {
    if [ ! -d /boot/grub ] && [ ! -d /boot/loader ] && [ ! -d /boot/efi ]; then
        export INITRD=No
    fi
}

install_packages() {
    [ "$(id -u)" = 0 ] ||
        die "not root, and these packages are missing: $*; run this as root, or: sudo apt-get install $*"
    export DEBIAN_FRONTEND=noninteractive
    skip_needless_initramfs
    echo "setup: installing $*"
    apt-get -q -q update ||
        die "apt-get update failed; look at the sources in /etc/apt and at the network"
    apt-get -q -q -y -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" ||
        die "apt-get could not install $*; its own message above says which, and why"
}

main() {
    dry=
    if [ "${1-}" = -n ]; then
        dry=1
        shift
    fi
    [ $# -gt 0 ] || die "usage: setup.sh [-n] TIER..."
    command -v dpkg-query >/dev/null ||
        die "no dpkg-query: this is not Debian; install by hand what scripts/packages lists"
    list=$(wanted "$@")
    # shellcheck disable=SC2086 # package names, one word each
    lack=$(missing $list)
    if [ -z "$lack" ]; then
        echo "setup: $*: nothing missing"
    elif [ -n "$dry" ]; then
        echo "setup: $*: missing: $lack"
        return 1
    else
        # shellcheck disable=SC2086
        install_packages $lack
        echo "setup: $*: done"
    fi
}

main "$@"
