#include "sandbox/records_dead.h"

#include <errno.h>
#include <libaudit.h>
#include <string.h>
#include <unistd.h>

#define LINK "uuid" /* NAME/uuid -> the UUID (docs/PROTOCOL.rundir) */

int records_dead_prepare(int folder, const struct records_subject *s, struct err *e)
{
	if (symlinkat(s->uuid, folder, LINK) == 0)
		return 0;
	return err_errno(e, EX_HOST, errno, "%s: cannot leave its UUID in its folder", s->name);
}

/* Only what has the form of one: it goes into a record as it is. */
static int read_uuid(int folder, char out[RECORDS_UUID])
{
	ssize_t n = readlinkat(folder, LINK, out, RECORDS_UUID);

	if (n != RECORDS_UUID - 1)
		return -1;
	out[n] = '\0';
	return strspn(out, "0123456789abcdef-") == RECORDS_UUID - 1 ? 0 : -1;
}

int records_dead(int folder, const char *name, struct err *e)
{
	struct records_subject s = { .name = name };
	char text[RECORDS_TEXT_MAX];
	int cause = 0;

	if (read_uuid(folder, s.uuid) != 0)
		return 0;
	int rc = records_text_control(&s, "stop", "launcher-died", 0, text, e);
	if (rc != 0)
		return rc;
	int audit = audit_open();
	/* A kernel without audit (audit_open(3)). */
	if (audit < 0 && errno != EPROTONOSUPPORT && errno != EAFNOSUPPORT && errno != EINVAL)
		cause = errno;
	if (audit >= 0) {
		int n = audit_log_user_message(audit, AUDIT_VIRT_CONTROL, text, NULL, NULL, "", 1);
		if (n < 0)
			cause = errno != 0 ? errno : -n;
		audit_close(audit);
	}
	if (cause == 0 && unlinkat(folder, LINK, 0) != 0)
		cause = errno;
	return cause == 0 ? 0 : err_errno(e, EX_HOST, cause, "its end cannot be recorded");
}
