# Shared by the lab's scripts; read with `. "$here/lib.sh"` after $here is set.
# shellcheck shell=sh

LAB_CACHE=${PAVISE_CACHE:-${HOME:-/root}/.cache/pavise}/lab
LAB_KEEP=6

die() {
    echo "lab: $*" >&2
    exit 1
}

say() {
    echo "lab: $*" >&2
}

need_root() {
    [ "$(id -u)" = 0 ] ||
        die "not root: $1 needs device nodes and security labels in a file system; run it as root"
}

# setfiles and friends live in sbin, which is not on everybody's PATH.
need_tools() {
    PATH=$PATH:/usr/sbin:/sbin
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "no $tool on this machine; run scripts/setup.sh lab"
    done
}

# The newest 6.12 cloud kernel: the meta package decides which one that is.
newest_kernel() {
    image=$(find /boot -name 'vmlinuz-6.12*cloud-amd64' | sort -V | tail -n 1)
    [ -n "$image" ] ||
        die "no /boot/vmlinuz-6.12*cloud-amd64; run scripts/setup.sh lab (package linux-image-6.12-cloud-amd64)"
    echo "${image#/boot/vmlinuz-}"
}

# A list file without its comments.
words_of() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"
}

# Key of a set of files: their contents count, their places do not.
key_of() {
    cat "$@" | sha256sum | cut -c 1-16
}

# Paths of the modules named, dependencies first, each once: module_paths KERNEL NAME...
module_paths() {
    kernel=$1
    shift
    for module in "$@"; do
        modprobe -S "$kernel" --show-depends --ignore-install "$module" ||
            die "kernel $kernel has no module $module; look into /lib/modules/$kernel"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# copy_module SOURCE DEST: uncompressed, since unpacking is slow under emulation. DEST ends in .ko.
copy_module() {
    case $1 in
    *.xz) xz -dc "$1" >"$2" ;;
    *.zst) zstd -q -dc "$1" >"$2" ;;
    *) cp "$1" "$2" ;;
    esac
}

# The file name of a module without its compression.
plain_name() {
    case $1 in
    *.ko.*) echo "${1%.*}" ;;
    *) echo "$1" ;;
    esac
}

# Two runs at once would build the same thing twice: one waits for the other.
lock_cache() {
    mkdir -p "$LAB_CACHE"
    exec 9>"$LAB_CACHE/lock"
    flock -n 9 || { say "waiting for another lab build"; flock 9; }
}

# Marks an artefact as used, and drops all but the last few of its kind: use_artefact KIND PATH
use_artefact() {
    touch "$2"
    find "$LAB_CACHE" -maxdepth 1 -name "$1-*" -printf '%T@ %p\n' | sort -rn |
        tail -n "+$((LAB_KEEP + 1))" | cut -d ' ' -f 2- | xargs -r rm -rf
}
