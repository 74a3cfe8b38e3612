#include "attest/agent/tee_tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One entry, ours: left over when an earlier agent died, and then good to use again. */
#define ENTRY "pavise-agent"

/* The kernel's drivers, by enum tee_kind. */
static const char *const providers[] = { [TEE_SNP] = "sev_guest", [TEE_TDX] = "tdx_guest" };

static int read_attribute(int dir, const char *name, void *out, size_t max, size_t *size,
			  struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	*size = 0;
	if (fd < 0)
		return err_errno(e, EX_GUEST, errno, "TEE: report attribute %s", name);
	while (*size < max && (n = read(fd, (char *)out + *size, max - *size)) > 0)
		*size += (size_t)n;
	int cause = errno;
	close(fd);
	if (n < 0)
		return err_errno(e, EX_GUEST, cause, "TEE: report attribute %s", name);
	return *size < max ? 0 : err_set(e, EX_GUEST, "TEE: report attribute %s: too large", name);
}

static int write_data(int dir, const uint8_t data[TEE_DATA], struct err *e)
{
	int fd = openat(dir, "inblob", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, EX_GUEST, errno, "TEE: report attribute inblob");
	ssize_t n = write(fd, data, TEE_DATA);
	int cause = errno;
	close(fd);
	return n == (ssize_t)TEE_DATA ? 0 : err_errno(e, EX_GUEST, cause, "TEE: writing inblob");
}

/* mkdir makes the entry; ENXIO: the kernel has no driver of a TEE. 1, 0 or -EX_GUEST. */
static int open_entry(const char *path, int *dir, struct err *e)
{
	int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0)
		return errno == ENOENT ? 0 : err_errno(e, EX_GUEST, errno, "TEE: %s", path);
	int rc = 1;
	if (mkdirat(parent, ENTRY, 0700) != 0 && errno != EEXIST)
		rc = errno == ENXIO ? 0 : err_errno(e, EX_GUEST, errno, "TEE: %s/" ENTRY, path);
	if (rc == 1) {
		*dir = openat(parent, ENTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*dir < 0)
			rc = err_errno(e, EX_GUEST, errno, "TEE: %s/" ENTRY, path);
	}
	close(parent);
	return rc;
}

static void remove_entry(const char *path)
{
	char entry[256];

	snprintf(entry, sizeof(entry), "%s/" ENTRY, path);
	rmdir(entry); /* a leftover is reused */
}

static int read_provider(int dir, enum tee_kind *kind, struct err *e)
{
	char name[64];
	size_t n;
	int rc = read_attribute(dir, "provider", name, sizeof(name) - 1, &n, e);

	if (rc != 0)
		return rc;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		*kind = (enum tee_kind)i;
		if (strcmp(name, providers[i]) == 0)
			return 0;
	}
	return err_set(e, EX_GUEST, "TEE: provider \"%.40s\": this agent knows only %s and %s",
		       name, providers[TEE_SNP], providers[TEE_TDX]);
}

/* The entry's counter moves with every write of anybody: equal before and after means that what
 * was read belongs to what we wrote. */
static int read_report(int dir, enum tee_kind kind, struct tee_report *out, struct err *e)
{
	static uint8_t blob[TEE_QUOTE_MAX + 1]; /* one more shows a longer one */
	char before[32] = "", after[32] = "";
	size_t n, m;
	int rc = read_attribute(dir, "generation", before, sizeof(before), &n, e);

	if (rc == 0)
		rc = read_attribute(dir, "outblob", blob, sizeof(blob), &out->size, e);
	/* Optional: hosts may give no certificates. */
	if (rc == 0 && kind == TEE_SNP && faccessat(dir, "auxblob", R_OK, 0) == 0)
		rc = read_attribute(dir, "auxblob", out->certs, sizeof(out->certs),
				    &out->certs_size, e);
	if (rc == 0)
		rc = read_attribute(dir, "generation", after, sizeof(after), &m, e);
	if (rc == 0 && (n != m || memcmp(before, after, n) != 0))
		rc = err_set(e, EX_GUEST, "TEE: another program asked for a report at the same "
			     "time: try again");
	if (rc == 0)
		memcpy(out->report, blob, out->size);
	return rc;
}

static int tsm_report(const struct agent_tee *t, const uint8_t data[TEE_DATA],
		      struct tee_report *out, struct err *e)
{
	int dir = -1, rc = open_entry(t->path, &dir, e);

	out->certs_size = 0;
	if (rc <= 0)
		return rc < 0 ? rc : err_set(e, EX_GUEST, "TEE: its driver is gone");
	rc = write_data(dir, data, e);
	if (rc == 0)
		rc = read_report(dir, t->kind, out, e);
	if (rc == 0)
		rc = tee_check_report(t->kind, out->report, out->size, data, e);
	close(dir);
	remove_entry(t->path);
	return rc;
}

int tsm_open(const char *path, struct agent_tee *out, struct err *e)
{
	int dir = -1, rc = open_entry(path, &dir, e);

	*out = (struct agent_tee){ .provider = "hardware", .report = tsm_report, .path = path };
	if (rc <= 0)
		return rc;
	rc = read_provider(dir, &out->kind, e);
	close(dir);
	remove_entry(path);
	return rc == 0 ? 1 : rc;
}

int agent_tee_open(struct agent_tee *out, struct err *e)
{
	return tsm_open(TSM_REPORT, out, e);
}
