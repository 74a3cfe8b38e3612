#include "tests/seccomp/roles.h"

#include "common/kvm_uapi.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include <linux/vm_sockets.h>

#include "seccomp/attest_broker.h"
#include "seccomp/attest_front.h"
#include "seccomp/dev_blk.h"
#include "seccomp/dev_setup.h"
#include "seccomp/dev_vsock.h"
#include "seccomp/psp_sim.h"
#include "seccomp/quote_unix.h"
#include "seccomp/quote_vsock.h"
#include "seccomp/tdx_sim.h"
#include "seccomp/vmm_confidential_vcpu.h"
#include "seccomp/vmm_main.h"
#include "seccomp/vmm_setup.h"
#include "seccomp/vmm_sim_setup.h"
#include "seccomp/vmm_sim_vcpu.h"
#include "seccomp/vmm_vcpu.h"

#include "seccomp-batch/attest_broker.h"
#include "seccomp-batch/attest_front.h"
#include "seccomp-batch/dev_blk.h"
#include "seccomp-batch/dev_setup.h"
#include "seccomp-batch/dev_vsock.h"
#include "seccomp-batch/psp_sim.h"
#include "seccomp-batch/quote_unix.h"
#include "seccomp-batch/quote_vsock.h"
#include "seccomp-batch/tdx_sim.h"
#include "seccomp-batch/vmm_confidential_vcpu.h"
#include "seccomp-batch/vmm_main.h"
#include "seccomp-batch/vmm_setup.h"
#include "seccomp-batch/vmm_sim_setup.h"
#include "seccomp-batch/vmm_sim_vcpu.h"
#include "seccomp-batch/vmm_vcpu.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ADDRESS 0x7fff12345678ull /* some pointer: above 32 bits */

/* The calls as the C library makes them on the paths named beside them. Every row of a table has
 * to be needed by one of these, so a new row asks for a new line with its reason. */

/* pavise-vmm before it is sealed, seen on plain guests; what SEV-SNP and TDX need beside it is read
 * off vmm/kvm/ and vmm/tee/. What its threads need later is in their own lists. */
static const struct call setup_needs[] = {
	{ SYS_eventfd2, { 0, EFD_CLOEXEC | EFD_NONBLOCK } },                  /* the guest's end */
	{ SYS_newfstatat, { 6, ADDRESS, ADDRESS, AT_EMPTY_PATH } },           /* fstat */
	{ SYS_fcntl, { 6, F_GET_SEALS } },
	{ SYS_mmap, { 0, 1u << 30, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, 6 } },
	{ SYS_madvise, { ADDRESS, 1u << 30, MADV_HUGEPAGE } },
	{ SYS_ioctl, { 4, KVM_GET_API_VERSION, 0 } },
	{ SYS_ioctl, { 4, KVM_CHECK_EXTENSION, KVM_CAP_IRQFD } },
	{ SYS_mmap, { 0, 4096, PROT_READ, MAP_PRIVATE, 5 } },                 /* plan */
	{ SYS_close, { 5 } },
	{ SYS_ioctl, { 4, KVM_CREATE_VM, 0 } },
	{ SYS_ioctl, { 4, KVM_CREATE_VM, UAPI_VM_TYPE_SNP } },
	{ SYS_ioctl, { 4, KVM_CREATE_VM, UAPI_VM_TYPE_TDX } },
	{ SYS_ioctl, { 11, KVM_SET_TSS_ADDR, 0xfffbd000 } },
	{ SYS_ioctl, { 11, KVM_SET_IDENTITY_MAP_ADDR, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_ENABLE_CAP, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SET_USER_MEMORY_REGION, ADDRESS } },
	{ SYS_fcntl, { 9, F_GETFL } },                                        /* TPM */
	{ SYS_fcntl, { 9, F_SETFL, O_RDWR | O_NONBLOCK } },
	{ SYS_setsockopt, { 10, SOL_SOCKET, SO_RCVTIMEO, ADDRESS, 16 } },     /* back ends */
	{ SYS_setsockopt, { 10, SOL_SOCKET, SO_SNDTIMEO, ADDRESS, 16 } },
	{ SYS_sendmsg, { 10, ADDRESS, MSG_NOSIGNAL } },
	{ SYS_ioctl, { 11, KVM_IRQFD, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_IOEVENTFD, ADDRESS } },
	{ SYS_ioctl, { 4, KVM_GET_VCPU_MMAP_SIZE, 0 } },
	{ SYS_ioctl, { 11, KVM_CREATE_VCPU, 1 } },
	{ SYS_ioctl, { 4, KVM_GET_SUPPORTED_CPUID, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_SET_CPUID2, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_SET_MSRS, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_GET_SREGS, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_SET_SREGS, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_SET_REGS, ADDRESS } },
	{ SYS_munmap, { ADDRESS, 4096 } },                                    /* plan */
	{ SYS_brk, { ADDRESS } },                                             /* calloc */
	{ SYS_rt_sigaction, { 33, ADDRESS, 0, 8 } },                          /* pthread_create */
	{ SYS_rt_sigprocmask, { SIG_BLOCK, ADDRESS, ADDRESS, 8 } },
	{ SYS_mmap, { 0, 266240, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1ull } },
	{ SYS_mprotect, { ADDRESS, 262144, PROT_READ | PROT_WRITE } },
	{ SYS_clone3, { ADDRESS, 88 } },
	{ SYS_clone, { 0x3d0f00, ADDRESS, ADDRESS, ADDRESS, ADDRESS } },
	{ SYS_set_robust_list, { ADDRESS, 24 } },
	{ SYS_rseq, { ADDRESS, 32, 0, 0x53053053 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0, 0,
		       FUTEX_BITSET_MATCH_ANY } },                            /* their filters */
	{ SYS_seccomp, { SECCOMP_SET_MODE_FILTER, 0, ADDRESS } },
};

/* Of a confidential guest, on top of those. */
static const struct call confidential_setup_needs[] = {
	{ SYS_ioctl, { 4, KVM_GET_DEVICE_ATTR, ADDRESS } },                   /* VMSA features */
	{ SYS_ioctl, { 11, UAPI_CREATE_GUEST_MEMFD, ADDRESS } },
	{ SYS_ioctl, { 11, UAPI_SET_USER_MEMORY_REGION2, ADDRESS } },
	{ SYS_ioctl, { 11, UAPI_SET_MEMORY_ATTRIBUTES, ADDRESS } },
	{ SYS_ioctl, { 11, UAPI_MEMORY_ENCRYPT_OP, ADDRESS } },               /* VM, vCPU */
	{ SYS_ioctl, { 11, KVM_GET_TSC_KHZ, 0 } },
	{ SYS_ioctl, { 11, KVM_SET_TSC_KHZ, 2000000 } },
	{ SYS_pread64, { 14, ADDRESS, 4096, 0 } },                            /* ID block */
	{ SYS_mmap, { 0, 1u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1ull } }, /* zeros */
};

/* The same on the platform model, which asks no processor. */
static const struct call sim_setup_needs[] = {
	{ SYS_ioctl, { 11, KVM_X86_SET_MSR_FILTER, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_SET_MP_STATE, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_GET_TSC_KHZ, 0 } },
	{ SYS_memfd_create, { ADDRESS, MFD_CLOEXEC } },                       /* private memory */
	{ SYS_ftruncate, { 13, 1u << 30 } },
	{ SYS_madvise, { ADDRESS, 1u << 30, MADV_DONTDUMP } },
	{ SYS_madvise, { ADDRESS, 1u << 30, MADV_DONTFORK } },
	{ SYS_madvise, { ADDRESS, 2097152, MADV_REMOVE } },
	{ SYS_eventfd2, { 0, EFD_CLOEXEC } },
	{ SYS_pipe2, { ADDRESS, O_CLOEXEC } },
	{ SYS_pread64, { 14, ADDRESS, 4096, 0 } },
};

static const struct call dev_setup_needs[] = {
	{ SYS_newfstatat, { 6, ADDRESS, ADDRESS, AT_EMPTY_PATH } },
	{ SYS_fcntl, { 6, F_GETFL } },
	{ SYS_fcntl, { 4, F_SETFL, O_RDWR | O_NONBLOCK } },
	{ SYS_poll, { ADDRESS, 2, (uint64_t)-1 } },
	{ SYS_recvmsg, { 4, ADDRESS, MSG_CMSG_CLOEXEC } },
	{ SYS_fcntl, { 8, F_GET_SEALS } },
	{ SYS_mmap, { 0, 1u << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1ull } },
	{ SYS_mmap, { ADDRESS, 1u << 30, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 8 } },
	{ SYS_munmap, { ADDRESS, 1u << 30 } },
	{ SYS_close, { 8 } },
	{ SYS_write, { 4, ADDRESS, 20 } },
	{ SYS_seccomp, { SECCOMP_SET_MODE_FILTER, 0, ADDRESS } },
};

static const struct call vcpu_needs[] = {
	{ SYS_ioctl, { 12, KVM_RUN, 0 } },
	{ SYS_ioctl, { 12, KVM_GET_REGS, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_GET_SREGS, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SIGNAL_MSI, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SET_GSI_ROUTING, ADDRESS } },
	{ SYS_read, { 9, ADDRESS, 4096 } },
	{ SYS_write, { 8, ADDRESS, 4096 } },
	{ SYS_ppoll, { ADDRESS, 1, ADDRESS, 0, 8 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_PRIVATE, 2 } },                    /* mutex, taken */
	{ SYS_futex, { ADDRESS, FUTEX_WAKE_PRIVATE, 1 } },                    /* mutex, contended */
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0, 0,
		       FUTEX_BITSET_MATCH_ANY } },                           /* pthread_cond_wait */
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_rt_sigreturn, { 0 } },
	{ SYS_restart_syscall, { 0 } },
};

/* Of an SEV-SNP guest or a trust domain: its registers are nobody's, its pages change between
 * private and shared. */
static const struct call confidential_vcpu_needs[] = {
	{ SYS_ioctl, { 12, KVM_RUN, 0 } },
	{ SYS_ioctl, { 11, KVM_SIGNAL_MSI, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SET_GSI_ROUTING, ADDRESS } },
	{ SYS_ioctl, { 11, UAPI_SET_MEMORY_ATTRIBUTES, ADDRESS } },
	{ SYS_fallocate, { 6, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1ull << 40, 2097152 } },
	{ SYS_read, { 9, ADDRESS, 4096 } },
	{ SYS_write, { 8, ADDRESS, 4096 } },
	{ SYS_ppoll, { ADDRESS, 1, ADDRESS, 0, 8 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_PRIVATE, 2 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAKE_PRIVATE, 1 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0, 0,
		       FUTEX_BITSET_MATCH_ANY } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_rt_sigreturn, { 0 } },
	{ SYS_restart_syscall, { 0 } },
};

/* The same guest on the platform model: the model reads and writes registers and moves slots. */
static const struct call sim_vcpu_needs[] = {
	{ SYS_ioctl, { 12, KVM_RUN, 0 } },
	{ SYS_ioctl, { 12, KVM_GET_REGS, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_GET_SREGS, ADDRESS } },
	{ SYS_ioctl, { 12, KVM_SET_REGS, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SET_USER_MEMORY_REGION, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SIGNAL_MSI, ADDRESS } },
	{ SYS_ioctl, { 11, KVM_SET_GSI_ROUTING, ADDRESS } },
	{ SYS_fallocate, { 6, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1ull << 40, 2097152 } },
	{ SYS_madvise, { ADDRESS, 2097152, MADV_REMOVE } },
	{ SYS_read, { 9, ADDRESS, 4096 } },
	{ SYS_write, { 8, ADDRESS, 4096 } },
	{ SYS_ppoll, { ADDRESS, 1, ADDRESS, 0, 8 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_PRIVATE, 2 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAKE_PRIVATE, 1 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0, 0,
		       FUTEX_BITSET_MATCH_ANY } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_rt_sigreturn, { 0 } },
	{ SYS_restart_syscall, { 0 } },
};

static const struct call main_needs[] = {
	{ SYS_ppoll, { ADDRESS, 2, 0, 0, 8 } },
	{ SYS_recvfrom, { 3, ADDRESS, 17, 0, 0, 0 } },
	{ SYS_sendto, { 3, ADDRESS, 16, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_write, { 7, ADDRESS, 80 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_PRIVATE, 2 } },
	{ SYS_futex, { ADDRESS, FUTEX_WAKE_PRIVATE, INT32_MAX } },
	{ SYS_futex, { ADDRESS, FUTEX_WAIT_BITSET_PRIVATE, 0, ADDRESS, 0,
		       FUTEX_BITSET_MATCH_ANY } },                            /* cond_clockwait */
	{ SYS_tgkill, { 4711, 4712, SIGUSR1 } },
	{ SYS_getpid, { 0 } },
	{ SYS_rt_sigprocmask, { SIG_BLOCK, ADDRESS, ADDRESS, 8 } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_rt_sigreturn, { 0 } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};

static const struct call blk_needs[] = {
	{ SYS_poll, { ADDRESS, 3, (uint64_t)-1 } },
	{ SYS_read, { 10, ADDRESS, 8 } },
	{ SYS_write, { 11, ADDRESS, 8 } },
	{ SYS_pread64, { 6, ADDRESS, 65536, 1ull << 40 } },
	{ SYS_pwrite64, { 6, ADDRESS, 512, 0 } },
	{ SYS_fdatasync, { 6 } },
	{ SYS_recvfrom, { 3, ADDRESS, 17, 0, 0, 0 } },
	{ SYS_sendto, { 3, ADDRESS, 16, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};

static const struct call vsock_needs[] = {
	{ SYS_poll, { ADDRESS, 6, (uint64_t)-1 } },
	{ SYS_read, { 6, ADDRESS, 4096 } },
	{ SYS_write, { 6, ADDRESS, 4096 } },
	{ SYS_recvfrom, { 3, ADDRESS, 17, 0, 0, 0 } },
	{ SYS_sendto, { 3, ADDRESS, 16, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};

static const struct call psp_needs[] = {
	{ SYS_poll, { ADDRESS, 2, (uint64_t)-1 } },
	{ SYS_recvfrom, { 4, ADDRESS, 16400, MSG_TRUNC, 0, 0 } },
	{ SYS_sendto, { 4, ADDRESS, 4112, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_write, { 5, ADDRESS, 80 } },
	{ SYS_getrandom, { ADDRESS, 48, 0 } },                                /* every signature */
	{ SYS_getpid, { 0 } },
	{ SYS_brk, { ADDRESS } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};

static const struct call quote_unix_needs[] = {
	{ SYS_poll, { ADDRESS, 3, 30000 } },
	{ SYS_recvfrom, { 4, ADDRESS, 1032, MSG_TRUNC | MSG_DONTWAIT, 0, 0 } },
	{ SYS_recvfrom, { 6, ADDRESS, 16412, 0, 0, 0 } },
	{ SYS_sendto, { 4, ADDRESS, 16400, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0 } },
	{ SYS_sendto, { 6, ADDRESS, 1052, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_socket, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ SYS_connect, { 6, ADDRESS, sizeof(struct sockaddr_un) } },
	{ SYS_close, { 6 } },
	{ SYS_write, { 5, ADDRESS, 80 } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};

static const struct call quote_vsock_needs[] = {
	{ SYS_poll, { ADDRESS, 3, 30000 } },
	{ SYS_recvfrom, { 4, ADDRESS, 1032, MSG_TRUNC | MSG_DONTWAIT, 0, 0 } },
	{ SYS_recvfrom, { 6, ADDRESS, 16412, 0, 0, 0 } },
	{ SYS_sendto, { 4, ADDRESS, 16400, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0 } },
	{ SYS_sendto, { 6, ADDRESS, 1052, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_socket, { AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ SYS_connect, { 6, ADDRESS, sizeof(struct sockaddr_vm) } },
	{ SYS_getsockopt, { 6, SOL_SOCKET, SO_ERROR, ADDRESS, ADDRESS } },
	{ SYS_close, { 6 } },
	{ SYS_write, { 5, ADDRESS, 80 } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};
static const int quote_may[] = { SYS_socket, SYS_connect };
static const struct call tdx_needs[] = {
	{ SYS_poll, { ADDRESS, 3, 5000 } },
	{ SYS_accept4, { 5, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC } },
	{ SYS_recvfrom, { 4, ADDRESS, 2072, MSG_TRUNC, 0, 0 } },
	{ SYS_sendto, { 4, ADDRESS, 1048, MSG_NOSIGNAL, 0, 0 } },
	{ SYS_close, { 9 } },
	{ SYS_write, { 6, ADDRESS, 80 } },
	{ SYS_getrandom, { ADDRESS, 48, 0 } },                                /* every signature */
	{ SYS_getpid, { 0 } },
	{ SYS_brk, { ADDRESS } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};
static const int tdx_may[] = { SYS_accept4 };

static const struct call front_needs[] = {
	{ SYS_epoll_wait, { 5, ADDRESS, 32, 10000 } },
	{ SYS_epoll_ctl, { 5, 1, 8, ADDRESS } },
	{ SYS_accept4, { 3, ADDRESS, ADDRESS, SOCK_CLOEXEC | SOCK_NONBLOCK } },
	{ SYS_read, { 8, ADDRESS, 16384 } },
	{ SYS_write, { 8, ADDRESS, 16384 } },
	{ SYS_recvfrom, { 9, ADDRESS, 65536, MSG_DONTWAIT, 0, 0 } },
	{ SYS_recvmsg, { 4, ADDRESS, MSG_CMSG_CLOEXEC } },
	{ SYS_sendto, { 9, ADDRESS, 48, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0 } },
	{ SYS_shutdown, { 8, SHUT_RDWR } },
	{ SYS_close, { 8 } },
	{ SYS_getpeername, { 8, ADDRESS, ADDRESS } },
	{ SYS_getrandom, { ADDRESS, 48, 0 } },
	{ SYS_brk, { ADDRESS } },
	{ SYS_mmap, { 0, 1u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS } },
	{ SYS_munmap, { ADDRESS, 1u << 20 } },
	{ SYS_mremap, { ADDRESS, 1u << 20, 2u << 20, MREMAP_MAYMOVE } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_getpid, { 0 } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};
static const int front_may[] = { SYS_accept4, SYS_recvmsg, SYS_mmap, SYS_munmap, SYS_mremap };

static const struct call broker_needs[] = {
	{ SYS_poll, { ADDRESS, 1, 60000 } },
	{ SYS_recvmsg, { 4, ADDRESS, MSG_CMSG_CLOEXEC } },
	{ SYS_sendmsg, { 4, ADDRESS, MSG_NOSIGNAL } },
	{ SYS_socket, { AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 } },
	{ SYS_setsockopt, { 6, SOL_SOCKET, SO_RCVTIMEO, ADDRESS, 16 } },
	{ SYS_connect, { 6, ADDRESS, 110 } },
	{ SYS_close, { 6 } },
	{ SYS_write, { 2, ADDRESS, 80 } },
	{ SYS_wait4, { 4711, ADDRESS, 0, 0 } },
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_restart_syscall, { 0 } },
	{ SYS_exit_group, { 0 } },
};
static const int broker_may[] = { SYS_recvmsg, SYS_sendmsg, SYS_socket, SYS_connect };

/* Memory that is never executable: test_seccomp_stages.c. */
static const int setup_may[] = { SYS_mmap, SYS_mprotect, SYS_munmap };
static const int sim_setup_may[] = { SYS_mmap, SYS_mprotect, SYS_munmap, SYS_ftruncate };
static const int dev_setup_may[] = { SYS_mmap, SYS_munmap };

#define FILTERS(NAME, BASE)                                                                      \
	.name = NAME, .table = "sandbox/seccomp/" NAME ".table", .filter = BASE##_filter,         \
	.filter_count = COUNT(BASE##_filter), .batch = BASE##_batch_filter,                       \
	.batch_count = COUNT(BASE##_batch_filter)
#define NEEDS(LIST) .needs = LIST, .needs_count = COUNT(LIST)
#define SHARED(LIST) .shared = LIST, .shared_count = COUNT(LIST)
/* Of what nobody may. */
#define MAY(LIST) .may = LIST, .may_count = COUNT(LIST)

const struct role roles[ROLE_COUNT] = {
	[VMM_SETUP] = { FILTERS("vmm-setup", vmm_setup),
		NEEDS(confidential_setup_needs), SHARED(setup_needs), MAY(setup_may) },
	[VMM_SIM_SETUP] = { FILTERS("vmm-sim-setup", vmm_sim_setup),
		NEEDS(sim_setup_needs), SHARED(setup_needs), MAY(sim_setup_may) },
	[DEV_SETUP] = { FILTERS("dev-setup", dev_setup),
		NEEDS(dev_setup_needs), MAY(dev_setup_may) },
	[VMM_MAIN] = { FILTERS("vmm-main", vmm_main), NEEDS(main_needs) },
	[VMM_VCPU] = { FILTERS("vmm-vcpu", vmm_vcpu), NEEDS(vcpu_needs) },
	[VMM_CONFIDENTIAL_VCPU] = { FILTERS("vmm-confidential-vcpu", vmm_confidential_vcpu),
		NEEDS(confidential_vcpu_needs) },
	[VMM_SIM_VCPU] = { FILTERS("vmm-sim-vcpu", vmm_sim_vcpu), NEEDS(sim_vcpu_needs) },
	[DEV_BLK] = { FILTERS("dev-blk", dev_blk), NEEDS(blk_needs) },
	[DEV_VSOCK] = { FILTERS("dev-vsock", dev_vsock), NEEDS(vsock_needs) },
	[PSP_SIM] = { FILTERS("psp-sim", psp_sim), NEEDS(psp_needs) },
	[TDX_SIM] = { FILTERS("tdx-sim", tdx_sim), NEEDS(tdx_needs), MAY(tdx_may) },
	[QUOTE_UNIX] = { FILTERS("quote-unix", quote_unix),
		NEEDS(quote_unix_needs), MAY(quote_may) },
	[QUOTE_VSOCK] = { FILTERS("quote-vsock", quote_vsock),
		NEEDS(quote_vsock_needs), MAY(quote_may) },
	[ATTEST_FRONT] = { FILTERS("attest-front", attest_front),
		NEEDS(front_needs), MAY(front_may) },
	[ATTEST_BROKER] = { FILTERS("attest-broker", attest_broker),
		NEEDS(broker_needs), MAY(broker_may) },
};

const struct thread threads[THREAD_COUNT] = {
	{ "pavise-vmm, main", &roles[VMM_SETUP], &roles[VMM_MAIN] },
	{ "pavise-vmm, vCPU", &roles[VMM_SETUP], &roles[VMM_VCPU] },
	{ "pavise-vmm, confidential vCPU", &roles[VMM_SETUP], &roles[VMM_CONFIDENTIAL_VCPU] },
	{ "pavise-vmm-sim, main", &roles[VMM_SIM_SETUP], &roles[VMM_MAIN] },
	{ "pavise-vmm-sim, vCPU", &roles[VMM_SIM_SETUP], &roles[VMM_VCPU] },
	{ "pavise-vmm-sim, confidential vCPU", &roles[VMM_SIM_SETUP], &roles[VMM_SIM_VCPU] },
	{ "pavise-dev blk", &roles[DEV_SETUP], &roles[DEV_BLK] },
	{ "pavise-dev vsock", &roles[DEV_SETUP], &roles[DEV_VSOCK] },
};

const int forbidden[] = {
	/* new programs and processes */
	SYS_execve, SYS_execveat, SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_setns,
	SYS_unshare,
	/* new files and names */
	SYS_open, SYS_openat, SYS_openat2, SYS_creat, SYS_open_by_handle_at, SYS_memfd_create,
	SYS_link, SYS_symlink, SYS_rename, SYS_unlink, SYS_mknod, SYS_chmod, SYS_fchmod, SYS_chown,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount,
	SYS_fsopen, SYS_ftruncate, SYS_fallocate, SYS_dup, SYS_dup2, SYS_dup3, SYS_fcntl,
	/* new sockets, and descriptors over those there are */
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
	SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_pidfd_getfd, SYS_pidfd_open,
	/* other processes */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill,
	SYS_rt_sigqueueinfo, SYS_process_madvise,
	/* memory: nothing becomes executable because nothing is mapped at all */
	SYS_mmap, SYS_mprotect, SYS_pkey_mprotect, SYS_mremap, SYS_remap_file_pages, SYS_munmap,
	/* the kernel's larger attack surfaces */
	SYS_bpf, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
	SYS_io_setup, SYS_io_submit, SYS_keyctl, SYS_add_key, SYS_request_key,
	SYS_perf_event_open, SYS_init_module, SYS_finit_module, SYS_kexec_load, SYS_vmsplice,
	SYS_splice, SYS_tee, SYS_personality, SYS_modify_ldt, SYS_iopl, SYS_ioperm, SYS_quotactl,
	/* privileges, and what seals already */
	SYS_prctl, SYS_arch_prctl, SYS_seccomp, SYS_capset, SYS_setuid, SYS_setresuid, SYS_setgid,
	SYS_landlock_create_ruleset, SYS_landlock_restrict_self, SYS_prlimit64, SYS_setrlimit,
	459 /* lsm_get_self_attr */, 460 /* lsm_set_self_attr */,
};
const size_t forbidden_count = COUNT(forbidden);
