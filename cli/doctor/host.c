/* The host this program runs on. */
#include "cli/doctor/doctor.h"
#include "sandbox/labels.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <selinux/selinux.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif

static int host_read(void *context, const char *path, char *out, size_t size)
{
	size_t done = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;

	(void)context;
	if (fd < 0)
		return -errno;
	while (n > 0 && done < size - 1) {
		n = read(fd, out + done, size - 1 - done);
		done += n > 0 ? (size_t)n : 0;
	}
	rc = n < 0 ? -errno : (int)done;
	out[done] = '\0';
	close(fd);
	return rc;
}

static int host_mode(void *context, const char *path, unsigned *mode)
{
	struct stat st;

	(void)context;
	if (stat(path, &st) != 0)
		return -errno;
	*mode = st.st_mode;
	return 0;
}

static int host_open(void *context, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

	(void)context;
	return fd < 0 ? -errno : fd;
}

static int host_ioctl(void *context, int fd, unsigned long request, uint64_t arg)
{
	int rc = ioctl(fd, request, arg);

	(void)context;
	return rc < 0 ? -errno : rc;
}

static void host_close(void *context, int fd)
{
	(void)context;
	close(fd);
}

static void host_cpuid(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	__cpuid_count(leaf, 0, out[0], out[1], out[2], out[3]);
}

static int probe_memfd_noexec(void)
{
	int fd = memfd_create("pavise-doctor", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int host_kernel(void *context, enum doctor_feature feature)
{
	uint32_t kill = SECCOMP_RET_KILL_PROCESS;
	char label[LABEL_MAX];
	long rc = -1;
	int lsm;

	(void)context;
	errno = EINVAL;
	switch (feature) {
	case FEATURE_LANDLOCK:
		rc = syscall(SYS_landlock_create_ruleset, NULL, 0ul,
			     LANDLOCK_CREATE_RULESET_VERSION);
		break;
	case FEATURE_SECCOMP:
		rc = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &kill);
		break;
	case FEATURE_LSM_SELF:
		lsm = lsm_get(LSM_CURRENT, label);
		return lsm == -ENOSYS ? lsm : 0;
	case FEATURE_MEMFD_NOEXEC:
		return probe_memfd_noexec();
	}
	return rc < 0 ? -errno : (int)rc;
}

static int host_version(void *context, const char *path, char *out, size_t size)
{
	(void)context;
	return doctor_program_version(path, out, size);
}

static enum doctor_selinux host_selinux(void *context)
{
	(void)context;
	if (is_selinux_enabled() != 1)
		return SELINUX_ABSENT;
	return security_getenforce() == 1 ? SELINUX_ENFORCING : SELINUX_PERMISSIVE;
}

static bool host_selinux_mcs(void *context)
{
	(void)context;
	return is_selinux_mls_enabled() == 1;
}

static int host_selinux_knows(void *context, const char *label)
{
	(void)context;
	errno = 0;
	if (security_check_context_raw(label) == 0)
		return 0;
	return errno == 0 ? -EINVAL : -errno;
}

static int host_selinux_walls(void *context, struct err *e)
{
	(void)context;
	return labels_check_walls("system_u:system_r:pavise_launch_t:s0-s0:c0.c1023", e);
}

static int host_label(void *context, const char *path, char *out, size_t size)
{
	char *text = NULL;

	(void)context;
	if (getfilecon_raw(path, &text) < 0)
		return -errno;
	snprintf(out, size, "%s", text);
	freecon(text);
	return 0;
}

struct doctor_host doctor_this_host(const char *programs)
{
	return (struct doctor_host){
		.programs = programs,
		.read = host_read,
		.mode = host_mode,
		.open = host_open,
		.ioctl = host_ioctl,
		.close = host_close,
		.cpuid = host_cpuid,
		.kernel = host_kernel,
		.version = host_version,
		.selinux = host_selinux,
		.selinux_mcs = host_selinux_mcs,
		.selinux_knows = host_selinux_knows,
		.selinux_walls = host_selinux_walls,
		.label = host_label,
	};
}
