#!/bin/bash
# Runs in the lab machine (L1) as unconfined_t: is the lab what every other lab test takes it for?
# TAP goes to the results, not to the console: the kernel writes there too.
set -u
exec 3>/usr/local/out/tap
count=0

check() {
    local name=$1 got=$2 want=$3
    count=$((count + 1))
    # shellcheck disable=SC2053 # $want is a pattern
    if [[ $got == $want ]]; then
        echo "ok $count - $name" >&3
    else
        echo "not ok $count - $name" >&3
        echo "# got: $got, wanted: $want" >&3
    fi
}

answer() {
    sed -n "s/^$1=//p" facts
}

label() {
    stat -c %C "$1"
}

./kvm-probe >facts
cat facts
check 'SELinux is enforcing' "$(getenforce)" Enforcing
check 'the policy is the stock one' "$(sestatus | sed -n 's/^Loaded policy name: *//p')" default
check 'the test runs as unconfined_t with all categories' "$(id -Z)" \
    'unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023'
check 'PID 1 is init_t' "$(tr -d '\0' </proc/1/attr/current)" 'system_u:system_r:init_t:s0*'
check '/dev/kvm is kvm_device_t' "$(label /dev/kvm)" 'system_u:object_r:kvm_device_t:s0'
check '/dev/net/tun is tun_tap_device_t' "$(label /dev/net/tun)" 'system_u:object_r:tun_tap_device_t:s0'
check '/dev/vhost-vsock has its label' "$(label /dev/vhost-vsock)" 'system_u:object_r:*device_t:s0'
check '/run is var_run_t' "$(label /run)" 'system_u:object_r:var_run_t:s0'
check '/tmp is tmp_t' "$(label /tmp)" 'system_u:object_r:tmp_t:s0*'
check 'a program of the payload is labelled by its path' "$(label kvm-probe)" '*:usr_t:s0'
check 'a staged program is labelled by its path' "$(label /usr/local/bin/lab-staged)" 'system_u:object_r:bin_t:s0'
check 'nested KVM opens' "$(answer kvm_open)" ok
check 'nested KVM speaks API 12' "$(answer kvm_api)" 12
check 'KVM_CREATE_VM succeeds' "$(answer kvm_create_vm)" ok
check 'a guest instruction runs' "$(answer kvm_run_hlt)" ok
check 'KVM uses shadow paging (npt=0)' "$(cat /sys/module/kvm_amd/parameters/npt)" N
check 'Landlock ABI is 4 or later' "$(($(answer landlock_abi) >= 4))" 1
check 'cgroup v2 has the controllers' "$(tr ' ' '\n' </sys/fs/cgroup/cgroup.controllers | grep -cxE 'cpu|memory|pids|io')" 4
check 'MCS has 1024 categories' "$(seinfo_level=$(chcon -l s0:c1022,c1023 facts && label facts); echo "$seinfo_level")" '*:s0:c1022,c1023'
check 'a provoked denial is in dmesg' "$(busybox dmesg | grep -c 'avc:  *denied.*entrypoint.*lab-probes/before')" '[1-9]*'
check 'no denial before the payload but the provoked one' \
    "$(busybox dmesg | grep 'avc:  *denied' | grep -cv lab-probes)" 0
echo "1..$count" >&3
