#!/bin/sh
# mk-guest-initrd.sh --out FILE [--init SCRIPT] [--bin PROGRAM[:DEST]]... [--file SRC:DEST]...
#                    [--module NAME]... [--kernel VERSION] [--zstd]
#
# The standard guest's (L2) initrd: busybox, the init (default: guest-init), the kernel modules of
# guest-modules, and programs with the libraries ldd names. The same inputs give the same bytes, so
# measurements of it hold. Not compressed unless --zstd: unpacking costs more under emulation than loading.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

usage() {
    sed -n '2,3s/^# *//p' "$0" >&2
    exit 2
}

# put SOURCE DEST [MODE]
put() {
    [ -f "$1" ] || die "$1 is not a file; it was to become $2 of the guest's initrd"
    mkdir -p "$tree/$(dirname "$2")"
    cp -L "$1" "$tree/$2"
    chmod "${3:-0644}" "$tree/$2"
}

# A program and its libraries, each at the path the loader will look for.
put_program() {
    put "$1" "$2" 0755
    ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | sort -u | while read -r library; do
        put "$library" "$library" 0755
    done
}

# Flat, numbered in the order in which they must be inserted.
put_modules() {
    number=10
    module_paths "$@" >"$work/modules"
    while read -r module; do
        name=$(basename "$(plain_name "$module")")
        copy_module "$module" "$work/module"
        put "$work/module" "lib/modules/$number-$name"
        number=$((number + 1))
    done <"$work/modules"
}

# Busybox names used by scripts; one link each, made here since the guest's root is read as measured.
put_busybox() {
    put "$(command -v busybox)" bin/busybox 0755
    "$tree/bin/busybox" --list | while read -r applet; do
        [ "$applet" = busybox ] || [ -e "$tree/bin/$applet" ] || ln -s busybox "$tree/bin/$applet"
    done
}

make_folders() {
    for dir in bin dev etc lib proc run sys tmp; do mkdir -p "$tree/$dir"; done
    ln -s bin "$tree/sbin"
}

# Reproducible: sorted, no times, owner 0, inode numbers counted anew.
pack() {
    find "$tree" -type d -exec chmod 0755 {} +
    find "$tree" -exec touch -h -d @0 {} +
    (cd "$tree" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) >"$work/cpio"
    if [ -n "$compress" ]; then zstd -q -9 -f "$work/cpio" -o "$work/packed" && mv "$work/packed" "$work/cpio"; fi
    mkdir -p "$(dirname "$1")"
    cp "$work/cpio" "$1.new"
    mv "$1.new" "$1"
}

take_argument() {
    case $1 in
    --out) out=$2 ;;
    --init) init=$2 ;;
    --kernel) kernel=$2 ;;
    --module) modules="$modules $2" ;;
    --bin) case $2 in
        *:*) put_program "${2%%:*}" "${2#*:}" ;;
        *) put_program "$2" "bin/$(basename "$2")" ;;
        esac ;;
    --file) case $2 in
        *:*) put "${2%%:*}" "${2#*:}" "$(stat -L -c %a "${2%%:*}")" ;;
        *) usage ;;
        esac ;;
    *) usage ;;
    esac
}

main() {
    need_tools busybox cpio modprobe ldd xz zstd
    out='' init=$here/guest-init kernel='' compress=''
    modules=$(words_of "$here/guest-modules")
    work=$(mktemp -d "${TMPDIR:-/tmp}/pavise-initrd.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    tree=$work/tree
    make_folders
    while [ $# -gt 0 ]; do
        if [ "$1" = --zstd ]; then
            compress=1
            shift
            continue
        fi
        [ $# -gt 1 ] || usage
        take_argument "$1" "$2"
        shift 2
    done
    [ -n "$out" ] || usage
    [ -n "$kernel" ] || kernel=$(newest_kernel)
    put "$init" init 0755
    put_busybox
    # shellcheck disable=SC2086 # module names, one word each
    put_modules "$kernel" $modules
    pack "$out"
}

main "$@"
