#!/bin/sh
# mk-image.sh [CIL]...: make what the lab machine boots from; prints the folder that holds
# vmlinuz, initrd and root.ext4.
#
# A copy of mk-root.sh's tree with our policy modules installed (default: policy/selinux/*.cil and
# the tests' own tests/lab/*.cil), kernel modules, the init, and every file labelled. pavise itself
# is not in it: run.sh brings programs at each run, so a rebuild of them costs nothing here.
# PAVISE_LAB_DONTAUDIT=off builds the policy without dontaudit rules, for a denial that leaves no trace.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

SIZE=1600M

# Compiling the policy here, not inside: semodule takes half a minute under emulation.
install_policy() {
    tree=$1
    shift
    for cil in "$@"; do
        set -- "$@" -i "$cil"
        shift
    done
    [ "${PAVISE_LAB_DONTAUDIT-}" != off ] || set -- -DB "$@"
    [ $# = 0 ] || semodule -p "$tree" -s default -N "$@" >"$work/semodule.log" 2>&1 || {
        grep -v 'add_user: user' "$work/semodule.log" >&2
        die "semodule refused the policy (its reasons are above): $*"
    }
}

install_modules() {
    # shellcheck disable=SC2046 # module names, one word each
    module_paths "$2" $(words_of "$here/root-modules") >"$work/modules"
    while read -r module; do
        mkdir -p "$1/usr$(dirname "$module")"
        copy_module "$module" "$1/usr$(plain_name "$module")"
    done <"$work/modules"
    for list in modules.builtin modules.builtin.modinfo modules.order; do
        cp "/lib/modules/$2/$list" "$1/usr/lib/modules/$2/"
    done
    depmod -b "$1" "$2"
}

# /usr/local is where the payload goes: ordinary files, which every tool of the policy may read.
install_init() {
    install -m 0755 "$here/lab-init" "$1/usr/sbin/lab-init"
    contexts=$1/etc/selinux/default/contexts/files
    echo '/usr/sbin/lab-init -- system_u:object_r:init_exec_t:s0' >>"$contexts/file_contexts.local"
    mkdir -p "$1/usr/local/lab" "$1/usr/local/out"
    : >"$1/etc/fstab"
}

label_tree() {
    contexts=$1/etc/selinux/default/contexts/files
    setfiles -r "$1" -F -m "$contexts/file_contexts" "$1" >"$work/setfiles.log" 2>&1 || {
        tail -n 20 "$work/setfiles.log" >&2
        die "setfiles could not label the lab's root (see above)"
    }
}

# Enough to find the root disk: the rest of the drivers is in the kernel or on that disk.
build_initrd() {
    dir=$work/initrd
    mkdir -p "$dir/bin" "$dir/root" "$dir/dev" "$dir/proc"
    cp "$(command -v busybox)" "$dir/bin/busybox"
    {
        echo '#!/bin/busybox sh'
        module_paths "$1" virtio_blk | while read -r module; do
            name=$(basename "$(plain_name "$module")")
            copy_module "$module" "$dir/$name"
            echo "busybox insmod /$name"
        done
        echo 'busybox mount -t devtmpfs dev /dev'
        echo 'busybox mount -t ext4 -o ro /dev/vda /root || busybox poweroff -f'
        echo 'busybox mount -o move /dev /root/dev'
        echo 'exec busybox switch_root /root /usr/sbin/lab-init'
    } >"$dir/init"
    chmod 0755 "$dir/init"
    (cd "$dir" && find . | sort | cpio --quiet -o -H newc -R 0:0 | zstd -q -3) >"$work/new/initrd"
}

build() {
    cp -a "$root" "$work/tree"
    install_modules "$work/tree" "$kernel"
    install_policy "$work/tree" "$@"
    install_init "$work/tree"
    label_tree "$work/tree"
    mkdir "$work/new"
    build_initrd "$kernel"
    ln -s "/boot/vmlinuz-$kernel" "$work/new/vmlinuz"
    mke2fs -q -F -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1 -d "$work/tree" "$work/new/root.ext4" $SIZE >"$work/mke2fs.log"
}

default_policy() {
    find "$here/../../policy/selinux" "$here" -maxdepth 1 -name '*.cil' 2>/dev/null | sort
}

main() {
    need_root mk-image.sh
    need_tools semodule setfiles mke2fs busybox cpio zstd depmod modprobe
    # shellcheck disable=SC2046 # file names of the project, without spaces
    [ $# -gt 0 ] || set -- $(default_policy)
    root=$("$here/mk-root.sh")
    kernel=$(newest_kernel)
    lock_cache
    {
        echo "$root $kernel $SIZE ${PAVISE_LAB_DONTAUDIT-}"
        for cil in "$@"; do basename "$cil"; done
    } >"$LAB_CACHE/image-inputs"
    image=$LAB_CACHE/image-$(key_of "$LAB_CACHE/image-inputs" "$here/lab-init" "$here/root-modules" "$here/mk-image.sh" "$@")
    if [ ! -d "$image" ]; then
        say "making the lab's image with policy: ${*:-stock only}"
        work=$(mktemp -d "$LAB_CACHE/new-image.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        build "$@"
        mv "$work/new" "$image"
    fi
    use_artefact image "$image"
    echo "$image"
}

main "$@"
