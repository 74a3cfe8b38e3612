#include "tests/seccomp/roles.h"

#include "common/kvm_uapi.h"

#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include <linux/vm_sockets.h>

#include "seccomp/attest_broker.h"
#include "seccomp/attest_front.h"
#include "seccomp/dev_blk.h"
#include "seccomp/dev_vsock.h"
#include "seccomp/psp_sim.h"
#include "seccomp/quote_unix.h"
#include "seccomp/quote_vsock.h"
#include "seccomp/tdx_sim.h"
#include "seccomp/vmm_confidential_vcpu.h"
#include "seccomp/vmm_main.h"
#include "seccomp/vmm_sim_vcpu.h"
#include "seccomp/vmm_vcpu.h"

#include "seccomp-batch/attest_broker.h"
#include "seccomp-batch/attest_front.h"
#include "seccomp-batch/dev_blk.h"
#include "seccomp-batch/dev_vsock.h"
#include "seccomp-batch/psp_sim.h"
#include "seccomp-batch/quote_unix.h"
#include "seccomp-batch/quote_vsock.h"
#include "seccomp-batch/tdx_sim.h"
#include "seccomp-batch/vmm_confidential_vcpu.h"
#include "seccomp-batch/vmm_main.h"
#include "seccomp-batch/vmm_sim_vcpu.h"
#include "seccomp-batch/vmm_vcpu.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ADDRESS 0x7fff12345678ull /* some pointer: above 32 bits */

/* The calls as the C library makes them on the paths named beside them. Every row of a table has
 * to be needed by one of these, so a new row asks for a new line with its reason. */

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
		       FUTEX_BITSET_MATCH_ANY } },                            /* pthread_cond_wait */
	{ SYS_clock_gettime, { CLOCK_MONOTONIC, ADDRESS } },
	{ SYS_rt_sigreturn, { 0 } },
	{ SYS_restart_syscall, { 0 } },
};

/* Of an SEV-SNP guest or a trust domain: its registers are nobody's, its pages change between private and shared. */
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

#define ROLE(NAME, FILTER, BATCH, NEEDS) \
	{ NAME, "sandbox/seccomp/" NAME ".table", FILTER, COUNT(FILTER), BATCH, COUNT(BATCH), \
	  NEEDS, COUNT(NEEDS), NULL, 0 }
/* One that meets the network, or its helper: MAY lists what it may of what nobody else may. */
#define ROLE_MAY(NAME, FILTER, BATCH, NEEDS, MAY) \
	{ NAME, "sandbox/seccomp/" NAME ".table", FILTER, COUNT(FILTER), BATCH, COUNT(BATCH), \
	  NEEDS, COUNT(NEEDS), MAY, COUNT(MAY) }

const struct role roles[ROLE_COUNT] = {
	ROLE("vmm-main", vmm_main_filter, vmm_main_batch_filter, main_needs),
	ROLE("vmm-vcpu", vmm_vcpu_filter, vmm_vcpu_batch_filter, vcpu_needs),
	ROLE("vmm-confidential-vcpu", vmm_confidential_vcpu_filter, vmm_confidential_vcpu_batch_filter,
	     confidential_vcpu_needs),
	ROLE("vmm-sim-vcpu", vmm_sim_vcpu_filter, vmm_sim_vcpu_batch_filter, sim_vcpu_needs),
	ROLE("dev-blk", dev_blk_filter, dev_blk_batch_filter, blk_needs),
	ROLE("dev-vsock", dev_vsock_filter, dev_vsock_batch_filter, vsock_needs),
	ROLE("psp-sim", psp_sim_filter, psp_sim_batch_filter, psp_needs),
	ROLE_MAY("quote-unix", quote_unix_filter, quote_unix_batch_filter,
	         quote_unix_needs, quote_may),
	ROLE_MAY("quote-vsock", quote_vsock_filter, quote_vsock_batch_filter,
	         quote_vsock_needs, quote_may),
	ROLE_MAY("tdx-sim", tdx_sim_filter, tdx_sim_batch_filter, tdx_needs, tdx_may),
	ROLE_MAY("attest-front", attest_front_filter, attest_front_batch_filter,
	         front_needs, front_may),
	ROLE_MAY("attest-broker", attest_broker_filter, attest_broker_batch_filter,
	         broker_needs, broker_may),
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
