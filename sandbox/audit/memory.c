/* What a process has mapped: no code but its program's, none that can be written, and no file that
 * another can write but guest memory. */
#include "sandbox/audit/audit.h"
#include "sandbox/audit/proc_text.h"
#include "sandbox/proc_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAPS_MOST (4u << 20) /* bytes; a VMM has some hundred lines */

/* The program: what is executable is of its inode and under its name. Both, since a file system may
 * show another device number here than in stat(2) (btrfs, overlay). */
struct program {
	uint64_t inode;
	char name[512];
};

static bool is_program(const struct mapping *m, const struct program *p)
{
	return m->inode == p->inode && m->name_size == strlen(p->name) &&
	       memcmp(m->name, p->name, m->name_size) == 0;
}

static bool begins(const struct mapping *m, const char *with)
{
	const size_t n = strlen(with);

	return m->name_size >= n && memcmp(m->name, with, n) == 0;
}

/* The kernel's own pages, which no file has. */
static bool is_kernels(const struct mapping *m)
{
	return m->inode == 0 && (begins(m, "[vdso]") || begins(m, "[vsyscall]"));
}

/* A foreign program's libraries come from the read-only /usr of its jail. */
static bool may_execute(const struct mapping *m, const struct manifest_process *p,
			const struct program *program)
{
	return is_kernels(m) || is_program(m, program) ||
	       (p->foreign && m->inode != 0 && begins(m, "/usr/"));
}

static bool may_share(const struct mapping *m, const struct manifest_process *p)
{
	struct stat st = { .st_dev = makedev(m->major, m->minor), .st_ino = m->inode };
	char id[FILE_ID_MAX];

	file_id(&st, id);
	for (unsigned i = 0; i < p->fd_count; i++)
		if (strcmp(p->fd[i].is.kind, "memfd") == 0 &&
		    strcmp(p->fd[i].is.access, "rw") == 0 && strcmp(p->fd[i].is.file, id) == 0)
			return true;
	for (unsigned i = 0; i < p->made_count; i++) {
		const char *kind = p->made[i].kind;
		if (strcmp(kind, "memfd") == 0 && begins(m, "/memfd:") &&
		    (p->made[i].file[0] == '\0' || strcmp(p->made[i].file, id) == 0))
			return true;
		if (strcmp(kind, "kvm-vcpu") == 0 && begins(m, "anon_inode:kvm-vcpu:"))
			return true;
	}
	return false;
}

static int said(struct report *r, enum vm_question q, const struct manifest_process *p,
		const struct mapping *m, struct err *e)
{
	int n = (int)(m->name_size < 120 ? m->name_size : 120);

	return report_open(r, &vm_question[q], e, "%s: %.*s", p->role, n == 0 ? 9 : n,
			   n == 0 ? "anonymous" : m->name);
}

static int judge(const struct mapping *m, const struct manifest_process *p,
		 const struct program *program, struct report *r, struct err *e)
{
	int rc = 0;

	if (m->write && m->execute)
		rc = said(r, Q_WRITE_EXECUTE, p, m, e);
	if (rc == 0 && m->execute && !may_execute(m, p, program))
		rc = said(r, Q_EXECUTABLE, p, m, e);
	if (rc == 0 && m->shared && m->write && m->inode != 0 && !may_share(m, p))
		rc = said(r, Q_SHARED_FILES, p, m, e);
	return rc;
}

static int unknown(const struct manifest_process *p, const char *why, struct report *r,
		   struct err *e)
{
	int rc = report_unknown(r, &vm_question[Q_WRITE_EXECUTE], e, "%s: %s", p->role, why);

	if (rc == 0)
		rc = report_unknown(r, &vm_question[Q_EXECUTABLE], e, "%s: %s", p->role, why);
	return rc == 0 ? report_unknown(r, &vm_question[Q_SHARED_FILES], e, "%s: %s", p->role, why)
		       : rc;
}

static int judge_all(const char *text, const struct manifest_process *p,
		     const struct program *program, struct report *r, struct err *e)
{
	struct mapping m;
	int rc = 0;

	for (const char *at = text; rc == 0 && *at != '\0';) {
		if (!mapping_next(&at, &m))
			return unknown(p, "a line of its maps that is none", r, e);
		rc = judge(&m, p, program, r, e);
	}
	return rc;
}

static int find_program(int process, const struct manifest_process *p, struct program *out,
			struct report *r, struct err *e)
{
	char id[FILE_ID_MAX];
	struct stat st;
	ssize_t n = readlinkat(process, "exe", out->name, sizeof(out->name) - 1);

	*out->name = n < 0 ? '\0' : *out->name;
	if (n < 0 || fstatat(process, "exe", &st, 0) != 0)
		return report_unknown(r, &vm_question[Q_PROGRAM], e, "%s: %s", p->role,
				      strerror(errno));
	out->name[n] = '\0';
	out->inode = st.st_ino;
	file_id(&st, id);
	return strcmp(id, p->program) == 0
		       ? 0
		       : report_open(r, &vm_question[Q_PROGRAM], e, "%s: %.120s (%s), ordered %s",
				     p->role, out->name, id, p->program);
}

int audit_memory(const struct manifest_process *p, int process, struct report *r, struct err *e)
{
	struct program program = { 0 };
	char *text = malloc(MAPS_MOST);
	int rc = find_program(process, p, &program, r, e);
	ssize_t n = text == NULL ? -ENOMEM : proc_read(process, "maps", text, MAPS_MOST);

	/* Without memory of its own it is a zombie. */
	if (rc == 0)
		rc = n > 0 ? judge_all(text, p, &program, r, e)
			   : unknown(p, n == 0 ? "it has no memory" : strerror((int)-n), r, e);
	free(text);
	return rc;
}
