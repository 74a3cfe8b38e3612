#!/bin/sh
# build.sh WORK ROOT CIL...: compiles the modules against the base policy of the system tree ROOT
# (empty: the lab's), in a copy below WORK; nothing of this machine's own policy is touched.
# The result is WORK/etc/selinux/TYPE/policy/policy.N, where TYPE is the base policy's name (Debian: default).
#
# expand-check=1 has to stand in the copy's own semanage.conf: with Debian's default of 0
# a neverallow rule is silently not checked.
set -eu

[ $# -ge 3 ] || { echo "usage: build.sh WORK ROOT CIL..." >&2; exit 64; }
work=$1 root=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
[ -n "$root" ] || root=$("$here/../../tests/lab/mk-root.sh")
type=$(sed -n 's/^SELINUXTYPE=//p' "$root/etc/selinux/config" 2>/dev/null) || type=default
[ -d "$root/var/lib/selinux/$type" ] || {
    echo "$root: no SELinux policy store: install selinux-policy-default there" >&2
    exit 5
}
PATH=$PATH:/usr/sbin:/sbin

rm -rf "$work"
mkdir -p "$work/etc" "$work/var/lib" "$work/usr/share"
work=$(cd "$work" && pwd) # semodule -p wants it absolute
cp -a "$root/etc/selinux" "$work/etc/"
cp -a "$root/var/lib/selinux" "$work/var/lib/"
cp -a "$root/usr/share/selinux" "$work/usr/share/"
sed -i '/^[[:space:]]*expand-check/d' "$work/etc/selinux/semanage.conf"
echo 'expand-check=1' >>"$work/etc/selinux/semanage.conf"
for cil in "$@"; do
    set -- "$@" -i "$cil"
    shift
done
# The warnings are about users of the base policy that are not in its password file.
semodule -p "$work" -s "$type" -N "$@" >"$work/log" 2>&1 || {
    grep -v 'add_user: user' "$work/log" >&2
    exit 3
}
