#include "cli/doctor/finding.h"

#include "common/kvm_uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>

/* Details quote files and programs of the host: nothing in them may drive a terminal, and JSON
 * wants UTF-8. */
static void make_printable(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

static void __attribute__((format(printf, 3, 0)))
set(struct doctor_finding *f, enum doctor_state state, const char *fmt, va_list ap)
{
	f->state = state;
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	make_printable(f->detail);
}

void found(struct doctor_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(f, DOCTOR_FOUND, fmt, ap);
	va_end(ap);
}

void missing(struct doctor_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(f, DOCTOR_MISSING, fmt, ap);
	va_end(ap);
}

void not_seen(struct doctor_finding *f, const char *object, int rc)
{
	missing(f, "%s: %s", object, strerror(-rc));
	if (rc == -EACCES || rc == -EPERM)
		f->state = DOCTOR_UNKNOWN;
}

bool open_kvm(const struct doctor_host *h, int *fd, struct doctor_finding *f)
{
	*fd = h->open(h->context, "/dev/kvm", O_RDWR);
	if (*fd >= 0)
		return true;
	not_seen(f, "/dev/kvm", *fd);
	return false;
}

bool kvm_answer(const struct doctor_host *h, unsigned cap, unsigned *answer,
		struct doctor_finding *f)
{
	int fd, rc;

	if (!open_kvm(h, &fd, f))
		return false;
	rc = h->ioctl(h->context, fd, KVM_CHECK_EXTENSION, cap);
	*answer = rc < 0 ? 0 : (unsigned)rc;
	h->close(h->context, fd);
	return true;
}

void probe_vm_type(const struct doctor_host *h, unsigned type, struct doctor_finding *f)
{
	unsigned types;

	if (!kvm_answer(h, UAPI_CAP_VM_TYPES, &types, f))
		return;
	if ((types >> type & 1) != 0)
		found(f, "KVM makes machines of type %u (mask %#x)", type, types);
	else
		missing(f, "KVM makes no machines of type %u (mask %#x)", type, types);
}

bool has_word(const char *text, const char *dividers, const char *word)
{
	size_t n = strlen(word);

	while (*text != '\0') {
		size_t length = strcspn(text, dividers);

		if (length == n && memcmp(text, word, n) == 0)
			return true;
		text += length;
		text += strspn(text, dividers);
	}
	return false;
}

bool parameter_on(const struct doctor_host *h, const char *path, struct doctor_finding *f)
{
	char text[16];
	int rc = h->read(h->context, path, text, sizeof(text));

	if (rc < 0)
		not_seen(f, path, rc);
	else if (text[0] != 'Y' && text[0] != '1')
		missing(f, "%s is %c", path, text[0] == '\0' ? ' ' : text[0]);
	else
		return true;
	return false;
}
