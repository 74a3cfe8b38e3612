#!/bin/sh
# reproduce.sh [IMAGE]...: build the firmware twice, apart in everything a build should not depend on,
# and compare the bytes. IMAGE defaults to every pavise-fw-*.bin that the build knows.
#
# Apart are: path, and its length; umask; locale; time zone; file times; -j; user name; the order of
# the folder. What stays equal is the compiler: the digest is a promise for one toolchain.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)

die() {
    echo "reproduce: $*" >&2
    exit 1
}

# What git knows, with the changes of the working tree: a stray file must not help a build along.
copy_tree() {
    mkdir -p "$1"
    (cd "$top" && git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
        tar c --null --no-recursion --ignore-failed-read -T - 2>/dev/null) | tar x -C "$1"
    find "$1" -type f -exec touch -d "$2" {} +
}

# build DIR UMASK LOCALE ZONE JOBS USER: every image, in build/ of the copy.
build() {
    for image in $images; do
        (
            umask "$2"
            cd "$1"
            env -i PATH="$PATH" HOME="$1" LC_ALL="$3" LANG="$3" TZ="$4" USER="$6" LOGNAME="$6" \
                make -s -j"$5" O=out "out/firmware/$image" >"$work/log" 2>&1
        ) || {
            tail -n 20 "$work/log" >&2
            die "cannot build $image in $1 (its last lines are above)"
        }
    done
}

compare() {
    different=
    for image in $images; do
        first=$(sha256sum <"$one/out/firmware/$image" | cut -d ' ' -f 1)
        second=$(sha256sum <"$two/out/firmware/$image" | cut -d ' ' -f 1)
        echo "$image  $first"
        if [ "$first" != "$second" ]; then
            echo "$image  $second (second build)"
            cmp "$one/out/firmware/$image" "$two/out/firmware/$image" || true
            different="$different $image"
        fi
    done
}

main() {
    images=${*:-$(grep -oh 'pavise-fw-[a-z]*\.bin' "$top/firmware/module.mk" 2>/dev/null | sort -u)}
    images=${images:-pavise-fw-plain.bin}
    work=$(mktemp -d "${TMPDIR:-/tmp}/pavise-reproduce.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    one=$work/a
    two=$work/another-and-a-much/longer/path
    copy_tree "$one" '2001-02-03 04:05:06 UTC'
    copy_tree "$two" '2024-12-31 23:59:59 UTC'
    build "$one" 022 C UTC 1 one
    build "$two" 077 C.UTF-8 Pacific/Kiritimati 2 two
    compare
    if [ -n "$different" ]; then
        echo "firmware: DIFFERENT$different"
        exit 1
    fi
    echo "firmware: identical"
}

main "$@"
