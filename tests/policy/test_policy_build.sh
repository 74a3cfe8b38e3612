#!/bin/bash
# budget: 300
# test_policy_build.sh: the policy compiles against the base policy with its assertions checked, and each
# planted violation fails the build: an assertion nobody checks would pass silently.
set -u

here=$(cd "$(dirname "$0")" && pwd)
policy=$here/../../policy/selinux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0
root=$("$here/../lab/mk-root.sh") || { echo "Bail out! no base policy"; exit 1; }

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); failed=1; echo "not ok $count - $1"; printf '%s\n' "$2" | tail -n 5 | sed 's/^/# /'; }

if out=$("$policy/build.sh" "$work/store" "$root" "$policy/pavise.cil" 2>&1) &&
    ls "$work"/store/etc/selinux/default/policy/policy.* >/dev/null; then
    ok "the policy builds with its assertions"
else
    not_ok "the policy builds with its assertions" "$out"
fi

if out=$("$policy/build.sh" "$work/store" "$root" "$policy/pavise.cil" "$policy/pavise-sim.cil" 2>&1); then
    ok "the simulation's module builds beside it"
else
    not_ok "the simulation's module builds beside it" "$out"
fi

# planted NAME RULE: a later module that adds the rule must be refused, for that assertion
planted() {
    local out
    printf '%s\n' "$2" >"$work/planted.cil"
    if ! out=$("$policy/build.sh" "$work/store" "$root" "$policy/pavise.cil" "$policy/pavise-sim.cil" \
        "$work/planted.cil" 2>&1) &&
        grep -q neverallow <<<"$out"; then ok "refused: $1"; else not_ok "refused: $1" "$out"; fi
}
planted "executable memory" '(allow pavise_vmm_t self (process (execmem)))'
planted "a capability for a device" '(allow pavise_dev_t self (capability (sys_admin)))'
planted "the launcher starting others" '(allow pavise_launch_t initrc_t (process (transition)))'
planted "the VMM opening /dev/kvm" '(allow pavise_vmm_t kvm_device_t (chr_file (open)))'
planted "another ioctl of /dev/kvm" '(allowx pavise_vmm_t kvm_device_t (ioctl chr_file (0xae67)))'
planted "a second door to a domain" '(allow pavise_vmm_t bin_t (file (entrypoint)))'
planted "a VMM reading the vTPM's state" '(allow pavise_vmm_t pavise_tpmstate_t (file (read)))'
planted "a VMM reading the simulated chip" '(allow pavise_vmm_t pavise_psp_state_t (file (read)))'
planted "the simulated VMM reading the chip" '(allow pavise_vmm_sim_t pavise_psp_state_t (file (read)))'
planted "a device mapping simulated private memory" '(allow pavise_dev_t pavise_gmem_sim_t (file (map)))'
planted "the simulated processor reading guest memory" '(allow pavise_psp_t pavise_ram_t (file (read)))'
planted "the simulated VMM opening /dev/kvm" '(allow pavise_vmm_sim_t kvm_device_t (chr_file (open)))'
planted "a second process with a vsock" '(allow pavise_vmm_t self (vsock_socket (create)))'
planted "a device that connects" '(allow pavise_dev_t init_t (unix_stream_socket (connectto)))'
planted "quotes from another socket" '(allow pavise_quote_t var_run_t (sock_file (write)))'
planted "the VMM at the quote service" '(allow pavise_vmm_t pavise_qgs_t (sock_file (write)))'
planted "the relay of quotes reading guest memory" '(allow pavise_quote_t pavise_ram_t (file (read)))'
planted "the relay of quotes on a network" '(allow pavise_quote_t self (tcp_socket (create)))'

# The control: a harmless rule in the same place does build, so it is the assertion that refuses.
echo '(allow pavise_vmm_t self (process (getsched)))' >"$work/harmless.cil"
if out=$("$policy/build.sh" "$work/store" "$root" "$policy/pavise.cil" "$work/harmless.cil" 2>&1); then
    ok "control: a harmless rule builds"
else
    not_ok "control: a harmless rule builds" "$out"
fi

echo "1..$count"
exit $failed
