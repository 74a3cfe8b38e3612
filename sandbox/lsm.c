#include "sandbox/lsm.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers common to every architecture (Linux 6.8). */
#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#endif

#define LSM_ID_SELINUX 101u
#define LSM_FLAG_SINGLE 1u

/* struct lsm_ctx of linux/lsm.h with room for one context. */
struct context {
	uint64_t id, flags, len, ctx_len;
	char ctx[LABEL_MAX];
};
#define CONTEXT_HEADER 32u

int lsm_get(enum lsm_attr attr, char *out)
{
	struct context c;
	uint32_t size = sizeof(c);

	memset(&c, 0, sizeof(c));
	c.id = LSM_ID_SELINUX; /* with LSM_FLAG_SINGLE: whose value is asked for */
	out[0] = '\0';
	if (syscall(SYS_lsm_get_self_attr, (unsigned)attr, &c, &size, LSM_FLAG_SINGLE) < 0)
		return -errno;
	if (c.ctx_len >= sizeof(c.ctx))
		return -E2BIG;
	memcpy(out, c.ctx, c.ctx_len);
	out[c.ctx_len] = '\0';
	return 0;
}

int lsm_set(enum lsm_attr attr, const char *label)
{
	struct context c;
	char now[LABEL_MAX];
	size_t length = strlen(label);

	if (length >= sizeof(c.ctx))
		return -E2BIG;
	memset(&c, 0, sizeof(c));
	c.id = LSM_ID_SELINUX;
	memcpy(c.ctx, label, length);
	/* An empty value is one NUL byte: the kernel takes it as "unset". */
	c.ctx_len = length + 1;
	c.len = (CONTEXT_HEADER + c.ctx_len + 7) & ~7ull;
	if (syscall(SYS_lsm_set_self_attr, (unsigned)attr, &c, (uint32_t)c.len, 0) < 0)
		return -errno;
	int rc = lsm_get(attr, now);
	/* Kernels differ in what "unset" reads as: nothing, or an error for no value. */
	if (length == 0)
		return 0;
	if (rc != 0)
		return rc;
	return strcmp(now, label) == 0 ? 0 : -EPROTO;
}

