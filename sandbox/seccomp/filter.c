#include "sandbox/seccomp/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

static struct scmp_arg_cmp comparison(const struct table_condition *c)
{
	struct scmp_arg_cmp cmp = { .arg = c->arg, .op = SCMP_CMP_EQ, .datum_a = c->value };

	if (c->op == TABLE_AT_MOST) {
		cmp.op = SCMP_CMP_LE;
	} else if (c->op == TABLE_MASKED_EQUAL) {
		cmp.op = SCMP_CMP_MASKED_EQ;
		cmp.datum_a = c->mask;
		cmp.datum_b = c->value;
	}
	return cmp;
}

/* libseccomp compares all 64 bits: an ioctl number with high bits set does not match, although
 * the kernel would cut them off. */
static int add_row(scmp_filter_ctx ctx, const struct table_row *row, uint8_t priority,
		   struct err *e)
{
	struct scmp_arg_cmp cmp[TABLE_ARGS];
	uint32_t action = row->answer == TABLE_ENOSYS ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW;
	int rc;

	for (unsigned i = 0; i < row->condition_count; i++)
		cmp[i] = comparison(&row->condition[i]);
	rc = seccomp_rule_add_exact_array(ctx, action, row->number, row->condition_count, cmp);
	if (rc == 0)
		rc = seccomp_syscall_priority(ctx, row->number, priority);
	if (rc < 0)
		return err_errno(e, EX_INTERNAL, -rc, "seccomp: cannot add %s", row->name);
	return 0;
}

static int set_up(scmp_filter_ctx ctx, const struct table *t, uint32_t otherwise, struct err *e)
{
	/* By default libseccomp kills only the thread on a foreign architecture. */
	int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, otherwise);

	if (rc < 0)
		return err_errno(e, EX_INTERNAL, -rc, "seccomp: cannot set the default");
	/* First in the table is tested first: a guest's every exit passes here. */
	for (size_t i = 0; i < t->row_count && rc == 0; i++)
		rc = add_row(ctx, &t->row[i], (uint8_t)(255 - i), e);
	return rc;
}

/* libseccomp writes its program to a descriptor only. */
static int export(scmp_filter_ctx ctx, struct sock_filter *out, size_t max, size_t *count,
		  struct err *e)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC), rc;
	ssize_t n;

	if (fd < 0)
		return err_errno(e, EX_INTERNAL, errno, "seccomp: no memory file");
	rc = seccomp_export_bpf(ctx, fd);
	n = pread(fd, out, max * sizeof(*out), 0);
	close(fd);
	if (rc < 0)
		return err_errno(e, EX_INTERNAL, -rc, "seccomp: cannot compile");
	if (n <= 0 || (size_t)n % sizeof(*out) != 0 || (size_t)n == max * sizeof(*out))
		return err_set(e, EX_INTERNAL, "seccomp: program of %zd bytes", n);
	*count = (size_t)n / sizeof(*out);
	return 0;
}

int filter_build(const struct table *t, enum filter_otherwise otherwise, struct sock_filter *out,
		 size_t max, size_t *count, struct err *e)
{
	uint32_t action = otherwise == FILTER_REFUSE ? SCMP_ACT_ERRNO(EPERM) :
						       SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx ctx = seccomp_init(action);
	int rc = 0;

	if (ctx == NULL)
		return err_set(e, EX_INTERNAL, "seccomp: cannot start a filter");
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		rc = err_set(e, EX_INTERNAL, "seccomp: filters are built on x86-64 only");
	if (rc == 0)
		rc = set_up(ctx, t, action, e);
	if (rc == 0)
		rc = export(ctx, out, max, count, e);
	seccomp_release(ctx);
	return rc;
}
