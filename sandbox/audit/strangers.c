/* Processes that are as a VM's are, by label or user id, and in no manifest. */
#include "sandbox/audit/audit.h"
#include "sandbox/labels.h"
#include "sandbox/mcs.h"
#include "sandbox/proc_state.h"
#include "sandbox/procid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UIDS (MCS_CATEGORIES * (MCS_CATEGORIES - 1) / 2 * MCS_UIDS)

struct hunt {
	const struct audit *a;
	const struct subject *s; /* NULL: of any VM */
	const struct question *q;
	struct report *r;
	uint32_t first, count; /* user ids */
};

static bool in_manifest(const struct subject *s, pid_t pid, uint64_t start)
{
	for (unsigned i = 0; i < s->m.count; i++)
		if (s->m.process[i].pid == pid && s->m.process[i].start == start)
			return true;
	return false;
}

static bool is_known(const struct hunt *h, pid_t pid, uint64_t start)
{
	if (h->s != NULL)
		return in_manifest(h->s, pid, start);
	for (size_t i = 0; i < h->a->count; i++)
		if (in_manifest(&h->a->subject[i], pid, start))
			return true;
	return false;
}

/* Of a domain of ours that runs at the level of this VM, or of any pair. */
static bool has_label(const struct hunt *h, const char *label)
{
	char cut[LABEL_MAX];
	struct label_parts p;
	struct mcs_pair pair;

	memcpy(cut, label, LABEL_MAX);
	if (!label_split(cut, &p) || strncmp(p.type, "pavise_", 7) != 0 ||
	    strncmp(p.level, "s0:", 3) != 0)
		return false;
	return h->s != NULL ? strcmp(p.level + 3, h->s->m.pair) == 0
			    : mcs_parse(p.level + 3, &pair);
}

/* Under our own policy the auditor may read what is of our domains, and is refused by others. */
static int judge(const struct hunt *h, int process, pid_t pid, struct err *e)
{
	char text[PROC_STATUS_MAX], stat[1024], label[LABEL_MAX] = "";
	struct err ignored = { 0 };
	struct proc_status s;
	uint64_t start = 0;
	ssize_t n = proc_read(process, "status", text, sizeof(text));

	if (n <= 0 || proc_status_parse(text, (size_t)n, &s, &ignored) != 0 ||
	    proc_read(process, "stat", stat, sizeof(stat)) <= 0 || !procid_parse(stat, &start))
		return 0;
	if (proc_label(process, label, sizeof(label)) != 0)
		label[0] = '\0';
	bool ours = has_label(h, label);
	for (int i = 0; i < 4; i++)
		ours = ours || s.uid[i] - h->first < h->count;
	if (!ours || is_known(h, pid, start))
		return 0;
	return report_open(h->r, h->q, e, "process %d: user %u, label %s", (int)pid, s.uid[0],
			   label[0] == '\0' ? "none" : label);
}

int audit_strangers(const struct audit *a, const struct subject *s, const struct question *q,
		    struct report *r, struct err *e)
{
	struct hunt h = { .a = a, .s = s, .q = q, .r = r, .first = MCS_UID_BASE, .count = UIDS };
	struct mcs_pair pair;
	int copy = openat(a->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (d == NULL)
		return report_unknown(r, q, e, "processes cannot be listed: %s", strerror(errno));
	if (s != NULL && mcs_parse(s->m.pair, &pair)) {
		h.first += mcs_index(&pair) * MCS_UIDS;
		h.count = MCS_UIDS;
	}
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		int process = openat(a->proc, entry->d_name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (process < 0)
			continue;
		rc = judge(&h, process, (pid_t)strtol(entry->d_name, NULL, 10), e);
		close(process);
	}
	closedir(d);
	return rc;
}
