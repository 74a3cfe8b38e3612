/* Constants that tables may name. A name missing here is a line to add, never a number in a
 * table: numbers hide what is allowed. */
#include "sandbox/seccomp/table.h"

#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define NAME(constant) { #constant, (uint64_t)(constant) }

#define FUTEX_WAIT_BITSET_REALTIME_PRIVATE (FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME)
/* Newer (6.8) than the kernel headers we build with; tests/seccomp/roles.c has it from the VMM. */
#ifndef KVM_SET_MEMORY_ATTRIBUTES
#define KVM_SET_MEMORY_ATTRIBUTES 0x4020aed2ul
#endif
#define SEQPACKET_CLOEXEC (SOCK_SEQPACKET | SOCK_CLOEXEC)
#define STREAM_NONBLOCK (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define SOCK_NONBLOCK_CLOEXEC (SOCK_NONBLOCK | SOCK_CLOEXEC)
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
	NAME(FALLOC_PUNCH_HOLE_KEEP_SIZE),
	NAME(FUTEX_WAIT_PRIVATE),
	NAME(FUTEX_WAKE_PRIVATE),
	NAME(FUTEX_WAIT_BITSET_PRIVATE),
	NAME(FUTEX_WAIT_BITSET_REALTIME_PRIVATE),
	NAME(CLOCK_MONOTONIC),
	NAME(MSG_NOSIGNAL),
	NAME(PROT_EXEC),
	NAME(AF_UNIX),
	NAME(AF_VSOCK),
	NAME(STREAM_NONBLOCK),
	NAME(SEQPACKET_CLOEXEC),
	NAME(SOCK_NONBLOCK_CLOEXEC),
	NAME(SOL_SOCKET),
	NAME(SO_ERROR),
	NAME(MADV_REMOVE),
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
