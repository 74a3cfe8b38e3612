#!/bin/sh
# install.sh [--root DIR] [--uninstall] MODULE.cil...: puts the modules into this host's policy store,
# loads the policy and labels what is there; or takes them out again. First they are compiled in a
# copy of the store with their assertions checked (build.sh): a base that breaks one is refused, and
# nothing was changed. --root DIR: another system's store; nothing is loaded or labelled.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root='' uninstall=''
while [ $# -gt 0 ]; do
    case $1 in
    --root) root=$2; shift 2 ;;
    --uninstall) uninstall=1; shift ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || { echo "usage: install.sh [--root DIR] [--uninstall] MODULE.cil..." >&2; exit 64; }
PATH=$PATH:/usr/sbin:/sbin
paths='/usr/libexec/pavise /usr/local/libexec/pavise /usr/bin/swtpm /etc/pavise /var/lib/pavise
    /var/lib/pavise-sim /run/pavise /run/tdx-qgs'

die() { status=$1; shift; echo "policy-install: $*" >&2; exit "$status"; }

[ "$(id -u)" = 0 ] || die 64 "only root may change a policy store"
command -v semodule >/dev/null || die 5 "semodule: not there: install policycoreutils"
config=$root/etc/selinux/config
[ -n "$root" ] || [ -d /sys/fs/selinux/booleans ] ||
    die 5 "/sys/fs/selinux: this host runs no SELinux: enable it, or give a system's root with POLICY_STORE="
[ -f "$config" ] || die 5 "$config: no SELinux here: install a base policy first"
type=$(sed -n 's/^SELINUXTYPE=//p' "$config")
[ -d "$root/var/lib/selinux/$type/active/modules" ] || die 5 "$root/var/lib/selinux/$type: no policy store"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store="-s $type"
[ -z "$root" ] || store="$store -N -p $(cd "$root" && pwd)"

# The last category that a VM's pair may have.
# shellcheck disable=SC2086 # options
(cd "$work" && semodule $store --cil --extract=base >/dev/null 2>&1) || die 5 "$type: its store has no module base"
grep -q '^(category c1023)' "$work/base.cil" ||
    die 5 "$type: a base policy with 1024 categories (MCS) is needed, and this is none"

if [ -n "$uninstall" ]; then
    [ -n "$root" ] || [ -z "$(ls -A /run/pavise/.pairs 2>/dev/null)" ] ||
        die 6 "/run/pavise: VMs run under this policy: stop them first (pavise stop NAME, pavise-launch --reclaim)"
    # shellcheck disable=SC2086
    installed=$(semodule $store -l | awk '{ print $1 }')
    for cil; do
        name=$(basename "$cil" .cil)
        shift
        if echo "$installed" | grep -qx "$name"; then set -- "$@" -r "$name"; fi
    done
    [ $# -gt 0 ] || die 6 "$type: none of these modules is installed"
    echo "taking out of the store of '$type': $*"
else
    echo "compiling against the base policy '$type', with all assertions checked"
    "$here/build.sh" "$work/copy" "${root:-/}" "$@" || die 3 "$type: refused, as said above; nothing was changed"
    echo "installing into the store of '$type': $*"
    for cil; do set -- "$@" -i "$cil"; shift; done
fi
# shellcheck disable=SC2086
semodule $store "$@" 2>"$work/log" || { grep -v 'add_user: user' "$work/log" >&2; die 3 "$type: semodule failed"; }
if [ -n "$root" ]; then
    # shellcheck disable=SC2086 # a list
    echo "done; label the system's files when it runs: restorecon -R" $paths
    exit 0
fi
for path in $paths; do
    [ ! -e "$path" ] || restorecon -R -v "$path"
done
echo "done: the policy is loaded, and what is there is labelled"
