/* Constants that tables may name. A name missing here is a line to add, never a number in a
 * table: numbers hide what is allowed. */
#include "sandbox/seccomp/table.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define NAME(constant) { #constant, (uint64_t)(constant) }

#define FUTEX_WAIT_BITSET_REALTIME_PRIVATE (FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME)
/* Newer (6.8) than the headers we build with; tests/seccomp/roles.c has them from the VMM. */
#ifndef KVM_SET_MEMORY_ATTRIBUTES
#define KVM_SET_MEMORY_ATTRIBUTES 0x4020aed2ul
#endif
#ifndef KVM_SET_USER_MEMORY_REGION2
#define KVM_SET_USER_MEMORY_REGION2 0x40a0ae49ul
#endif
#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_CREATE_GUEST_MEMFD 0xc040aed4ul
#endif
#define SEQPACKET_CLOEXEC (SOCK_SEQPACKET | SOCK_CLOEXEC)
#define STREAM_NONBLOCK (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define SOCK_NONBLOCK_CLOEXEC (SOCK_NONBLOCK | SOCK_CLOEXEC)
#define EVENTFD_NONBLOCK (EFD_CLOEXEC | EFD_NONBLOCK)
#define PROT_READ_WRITE (PROT_READ | PROT_WRITE)
/* What glibc's pthread_create asks for, to the bit; a process would lack CLONE_THREAD. */
#define CLONE_PTHREAD                                                                     \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define SIGNAL_SETXID (__SIGRTMIN + 1) /* glibc's own: other threads change their user ids, too */
#define FALLOC_PUNCH_HOLE_KEEP_SIZE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static const struct {
	const char *name;
	uint64_t value;
} constants[] = {
	NAME(KVM_RUN),
	NAME(KVM_GET_REGS),
	NAME(KVM_GET_SREGS),
	NAME(KVM_SET_REGS),
	NAME(KVM_SET_USER_MEMORY_REGION),
	NAME(KVM_SIGNAL_MSI),
	NAME(KVM_SET_GSI_ROUTING),
	NAME(KVM_SET_MEMORY_ATTRIBUTES),
	NAME(KVM_GET_API_VERSION),
	NAME(KVM_CHECK_EXTENSION),
	NAME(KVM_GET_VCPU_MMAP_SIZE),
	NAME(KVM_GET_SUPPORTED_CPUID),
	NAME(KVM_GET_DEVICE_ATTR),
	NAME(KVM_GET_TSC_KHZ),
	NAME(KVM_SET_TSC_KHZ),
	NAME(KVM_CREATE_VM),
	NAME(KVM_SET_TSS_ADDR),
	NAME(KVM_SET_IDENTITY_MAP_ADDR),
	NAME(KVM_ENABLE_CAP),
	NAME(KVM_X86_SET_MSR_FILTER),
	NAME(KVM_CREATE_GUEST_MEMFD),
	NAME(KVM_SET_USER_MEMORY_REGION2),
	NAME(KVM_IRQFD),
	NAME(KVM_IOEVENTFD),
	NAME(KVM_CREATE_VCPU),
	NAME(KVM_SET_CPUID2),
	NAME(KVM_SET_MSRS),
	NAME(KVM_SET_SREGS),
	NAME(KVM_SET_MP_STATE),
	NAME(KVM_MEMORY_ENCRYPT_OP),
	NAME(FALLOC_PUNCH_HOLE_KEEP_SIZE),
	NAME(FUTEX_WAIT_PRIVATE),
	NAME(FUTEX_WAKE_PRIVATE),
	NAME(FUTEX_WAIT_BITSET_PRIVATE),
	NAME(FUTEX_WAIT_BITSET_REALTIME_PRIVATE),
	NAME(CLOCK_MONOTONIC),
	NAME(MSG_NOSIGNAL),
	NAME(MSG_CMSG_CLOEXEC),
	NAME(PROT_EXEC),
	NAME(PROT_READ_WRITE),
	NAME(AF_UNIX),
	NAME(AF_VSOCK),
	NAME(STREAM_NONBLOCK),
	NAME(SEQPACKET_CLOEXEC),
	NAME(SOCK_NONBLOCK_CLOEXEC),
	NAME(SOL_SOCKET),
	NAME(SO_ERROR),
	NAME(SO_RCVTIMEO),
	NAME(SO_SNDTIMEO),
	NAME(AT_EMPTY_PATH),
	NAME(F_GETFL),
	NAME(F_SETFL),
	NAME(F_GET_SEALS),
	NAME(O_CLOEXEC),
	NAME(EFD_CLOEXEC),
	NAME(EVENTFD_NONBLOCK),
	NAME(MFD_CLOEXEC),
	NAME(MADV_HUGEPAGE),
	NAME(MADV_DONTDUMP),
	NAME(MADV_DONTFORK),
	NAME(MADV_REMOVE),
	NAME(CLONE_PTHREAD),
	NAME(SECCOMP_SET_MODE_FILTER),
	NAME(SIGNAL_SETXID),
	NAME(SIGUSR1),
};

bool table_constant(const char *name, uint64_t *value)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (strcmp(constants[i].name, name) == 0) {
			*value = constants[i].value;
			return true;
		}
	return false;
}
