// kvm-probe: print what the lab's selftest asks about this machine, one "name=value" a line.
// A virtual machine is made and one instruction run in it, so "usable" means used.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096 };

// hlt at guest address 0, in real mode: returns KVM's exit reason or a negative errno.
static int run_hlt(int vm)
{
    unsigned char *ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ram == MAP_FAILED)
        return -errno;
    ram[0] = 0xf4;
    struct kvm_userspace_memory_region slot = {.memory_size = PAGE, .userspace_addr = (unsigned long)ram};
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
        return -errno;
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (vcpu < 0)
        return -errno;
    struct kvm_run *run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    struct kvm_sregs sregs;
    if (run == MAP_FAILED || ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
        return -errno;
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    struct kvm_regs regs = {.rflags = 2};
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
        return -errno;
    if (ioctl(vcpu, KVM_RUN, 0) < 0)
        return -errno;
    return (int)run->exit_reason;
}

int main(void)
{
    // landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
    printf("landlock_abi=%ld\n", syscall(SYS_landlock_create_ruleset, NULL, 0UL, 1U));
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    printf("kvm_open=%s\n", kvm < 0 ? strerror(errno) : "ok");
    if (kvm < 0)
        return 0;
    printf("kvm_api=%d\n", ioctl(kvm, KVM_GET_API_VERSION, 0));
    int vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
    printf("kvm_create_vm=%s\n", vm < 0 ? strerror(errno) : "ok");
    if (vm < 0)
        return 0;
    int reason = run_hlt(vm);
    printf("kvm_run_hlt=%s\n", reason == KVM_EXIT_HLT ? "ok" : reason < 0 ? strerror(-reason) : "another exit");
    return 0;
}
