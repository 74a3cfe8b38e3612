/* What a process holds: each descriptor is one it was given, or of a kind it makes; and its object
 * has the label it had then. */
#include "sandbox/audit/audit.h"
#include "sandbox/fd_facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTED_MOST 32u /* lines about one process; more of the same says no more */

struct held {
	const struct subject *s;
	const struct manifest_process *p;
	struct report *r;
	unsigned made[MANIFEST_MADE]; /* so many of each were seen */
	unsigned said;
};

static const struct manifest_fd *given(const struct manifest_process *p, unsigned number,
				       const struct fd_facts *f)
{
	for (unsigned i = 0; i < p->fd_count; i++) {
		const struct fd_facts *is = &p->fd[i].is;
		if (p->fd[i].number == number && strcmp(is->kind, f->kind) == 0 &&
		    strcmp(is->access, f->access) == 0 && strcmp(is->file, f->file) == 0)
			return &p->fd[i];
	}
	return NULL;
}

/* Counts it as made. False: of no kind that this process makes, or one too many. */
static bool makes(struct held *h, const struct fd_facts *f)
{
	for (unsigned i = 0; i < h->p->made_count; i++) {
		const struct manifest_made *m = &h->p->made[i];
		if (strcmp(m->kind, f->kind) == 0 &&
		    (m->file[0] == '\0' || strcmp(m->file, f->file) == 0) && h->made[i] < m->most) {
			h->made[i]++;
			return true;
		}
	}
	return false;
}

static int wrong_label(struct held *h, unsigned number, const struct fd_facts *f,
		       const char *label, const char *ordered, struct err *e)
{
	return report_open(h->r, &vm_question[Q_OBJECT_LABELS], e, "%s: descriptor %u (%s): %s, "
			   "ordered %s", h->p->role, number, f->kind, label, ordered);
}

/* Files it makes, or is sent, bear its VM's level. Event counters and KVM's have no label. */
static bool has_level(const struct fd_facts *f)
{
	return strcmp(f->kind, "memfd") == 0 || strcmp(f->kind, "kvm-gmem") == 0 ||
	       strcmp(f->kind, "regular") == 0;
}

static int judge_label(struct held *h, int process, unsigned number, const struct fd_facts *f,
		       const struct manifest_fd *given_as, struct err *e)
{
	char label[LABEL_MAX], level[MCS_TEXT + 4];
	struct err why = { 0 };

	if (h->p->label[0] == '\0' || (given_as == NULL && !has_level(f)))
		return 0;
	if (fd_label(process, number, label, &why) != 0)
		return report_unknown(h->r, &vm_question[Q_OBJECT_LABELS], e, "%s: %s", h->p->role,
				      why.text);
	if (given_as != NULL)
		return strcmp(label, given_as->is.label) == 0 ?
			       0 : wrong_label(h, number, f, label, given_as->is.label, e);
	snprintf(level, sizeof(level), ":s0:%s", h->s->m.pair);
	const size_t n = strlen(label), want = strlen(level);
	return n > want && strcmp(label + n - want, level) == 0 ?
		       0 : wrong_label(h, number, f, label, level + 1, e);
}

static int judge(struct held *h, int process, unsigned number, struct err *e)
{
	struct fd_facts f;
	struct err why = { 0 };
	int rc = fd_facts_read(process, number, false, &f, &why);

	if (rc == -EX_BUSY)
		return 0; /* closed since */
	if (rc != 0)
		return report_unknown(h->r, &vm_question[Q_DESCRIPTORS], e, "%s: %s", h->p->role,
				      why.text);
	const struct manifest_fd *given_as = given(h->p, number, &f);
	if (given_as != NULL || makes(h, &f))
		return judge_label(h, process, number, &f, given_as, e);
	if (h->said++ >= LISTED_MOST)
		return 0;
	return report_open(h->r, &vm_question[Q_DESCRIPTORS], e, "%s: descriptor %u: %s (%s, %s)",
			   h->p->role, number, f.kind, f.access, f.file);
}

int audit_descriptors(const struct subject *s, const struct manifest_process *p, int process,
		      struct report *r, struct err *e)
{
	struct held h = { .s = s, .p = p, .r = r };
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (p->label[0] == '\0')
		rc = report_open(r, &vm_question[Q_OBJECT_LABELS], e, "%s: none was ordered",
				 p->role);
	if (d == NULL) {
		int cause = errno;
		if (fd >= 0)
			close(fd);
		return rc != 0 ? rc : report_unknown(r, &vm_question[Q_DESCRIPTORS], e, "%s: %s",
						     p->role, strerror(cause));
	}
	while (rc == 0 && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			rc = judge(&h, process, (unsigned)strtoul(entry->d_name, NULL, 10), e);
	closedir(d);
	return rc;
}
