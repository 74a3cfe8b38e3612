#!/bin/bash
# budget: 400
# test_policy_install.sh: make policy-install puts the modules into a copy of the lab's policy store, and
# then every path of ours has the label that it should have, whatever the base says about folders
# above it; make policy-uninstall takes them out. Hosts that cannot have it are refused.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0
root=$("$here/../lab/mk-root.sh") || { echo "Bail out! no base policy"; exit 1; }
PATH=$PATH:/usr/sbin

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); failed=1; echo "not ok $count - $1"; tail -n 8 "$2" | sed 's/^/# /'; }
# exits NAME STATUS REGEX COMMAND...: with that status, saying that
exits() {
    local name=$1 want=$2 pattern=$3 got
    shift 3
    "$@" >"$work/out" 2>&1
    got=$?
    if [ $got = "$want" ] && grep -qE -- "$pattern" "$work/out"; then ok "$name"
    else echo "exit $got" >>"$work/out" && not_ok "$name" "$work/out"; fi
}
copy() {
    mkdir -p "$1/etc" "$1/var/lib" "$1/usr/share"
    cp -a "$root/etc/selinux" "$1/etc/" && cp -a "$root/var/lib/selinux" "$1/var/lib/" &&
        cp -a "$root/usr/share/selinux" "$1/usr/share/"
}
store=$work/host
copy "$store"
contexts=$store/etc/selinux/default/contexts/files/file_contexts
make=(make -s -C "$top" POLICY_STORE="$store" "POLICY_MODULES=pavise pavise-attestd pavise-audit pavise-sim")
installed() { semodule -p "$store" -s default -l 2>/dev/null | grep -c '^pavise'; }

exits "installed into a store" 0 '^done; label' "${make[@]}" policy-install
echo "$(installed) modules" >"$work/out"
if [ "$(installed)" = 4 ]; then ok "and there"; else not_ok "and there" "$work/out"; fi

# labelled CLASS TYPE PATH...: what restorecon would give it
labelled() {
    local class=$1 type=$2 path
    shift 2
    for path; do
        exits "$path is $type" 0 "system_u:object_r:$type:s0$" selabel_lookup -b file -f "$contexts" -k "$path" -t "$class"
    done
}
for prefix in /usr /usr/local; do
    labelled file pavise_launch_exec_t $prefix/libexec/pavise/pavise-launch
    labelled file pavise_vmm_exec_t $prefix/libexec/pavise/pavise-vmm
    labelled file pavise_dev_exec_t $prefix/libexec/pavise/pavise-dev
    labelled file pavise_quote_exec_t $prefix/libexec/pavise/pavise-quote
    labelled file pavise_vmm_sim_exec_t $prefix/libexec/pavise/pavise-vmm-sim
    labelled file pavise_psp_exec_t $prefix/libexec/pavise/pavise-psp-sim $prefix/libexec/pavise/pavise-tdx-sim
    labelled file pavise_audit_exec_t $prefix/libexec/pavise/pavise-audit-live
    labelled file pavise_attestd_exec_t $prefix/libexec/pavise/pavise-attestd
    labelled file pavise_attest_front_exec_t $prefix/libexec/pavise/pavise-attest-front
    labelled file '(bin_t|usr_t)' $prefix/libexec/pavise/pavise-launch.old # no pattern grabs more than it should
done
labelled file pavise_vtpm_exec_t /usr/bin/swtpm
labelled file bin_t /usr/bin/swtpm_setup
labelled dir pavise_runtime_t /run/pavise /run/pavise/web
labelled socket pavise_runtime_t /run/pavise/web/control.sock
labelled dir pavise_qgs_t /run/tdx-qgs
labelled socket pavise_qgs_t /run/tdx-qgs/qgs.socket
labelled dir pavise_image_t /var/lib/pavise
labelled file pavise_image_t /var/lib/pavise/web.img /var/lib/pavise/some/readonly.img
labelled file pavise_image_ro_t /var/lib/pavise/readonly/base.img
labelled file pavise_conf_t /etc/pavise/web.plan /etc/pavise/tls-cert.pem
labelled dir pavise_key_t /etc/pavise/keys
labelled file pavise_key_t /etc/pavise/keys/tls-key.pem
labelled file pavise_psp_state_t /var/lib/pavise-sim/key

# No path of the modules is left out above.
missing=$(sed -n 's/^(filecon "\([^"(]*\).*/\1/p' "$top"/policy/selinux/*.cil | sort -u |
    while read -r path; do grep -qF -- "${path#/usr/local}" "$0" || grep -qF -- "${path#/usr}" "$0" || echo "$path"; done)
echo "$missing" >"$work/out"
if [ -z "$missing" ]; then ok "every path of the modules was asked for"; else not_ok "every path of the modules was asked for" "$work/out"; fi

exits "taken out again" 0 '^done' "${make[@]}" policy-uninstall
if [ "$(installed)" = 0 ]; then ok "and gone"; else not_ok "and gone" "$work/out"; fi
exits "nothing to take out" 2 'none of these modules' "${make[@]}" policy-uninstall

# Who is refused, and that nothing was changed.
before=$(cksum <"$contexts")
echo '(allow pavise_vmm_t self (process (execmem)))' >"$work/bad.cil"
exits "a module that breaks an assertion" 3 'nothing was changed' "$top/policy/selinux/install.sh" --root "$store" \
    "$top/policy/selinux/pavise.cil" "$work/bad.cil"
if [ "$(installed)" = 0 ] && [ "$before" = "$(cksum <"$contexts")" ]; then ok "and the store is as it was"
else not_ok "and the store is as it was" "$work/out"; fi
exits "a place without SELinux" 5 'no SELinux here' "$top/policy/selinux/install.sh" --root "$work" "$top/policy/selinux/pavise.cil"
printf '(sensitivity s0)\n(category c0)\n(category c255)\n' >"$work/base.cil"
rm -r "$store/var/lib/selinux/default/active/modules/100/base"
mkdir -p "$store/var/lib/selinux/default/active/modules/100/base"
cp "$work/base.cil" "$store/var/lib/selinux/default/active/modules/100/base/cil"
printf cil >"$store/var/lib/selinux/default/active/modules/100/base/lang_ext"
exits "a base without 1024 categories" 5 '1024 categories' "$top/policy/selinux/install.sh" --root "$store" \
    "$top/policy/selinux/pavise.cil"
if [ ! -d /sys/fs/selinux/booleans ]; then
    exits "a host that runs no SELinux" 5 'runs no SELinux' "$top/policy/selinux/install.sh" "$top/policy/selinux/pavise.cil"
fi

echo "1..$count"
exit $failed
