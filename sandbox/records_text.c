#include "sandbox/records_text.h"

#include <errno.h>
#include <libaudit.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A text that grows; what does not fit makes it bad, never shorter. */
struct text {
	char *out;
	size_t used;
	int bad;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *fmt, ...)
{
	size_t left = RECORDS_TEXT_MAX - t->used;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(t->out + t->used, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left)
		t->bad = 1;
	else
		t->used += (size_t)n;
}

/* " NAME="VALUE"", or in hexadecimal. */
static void add_value(struct text *t, const char *name, const char *value)
{
	size_t size = strnlen(value, RECORDS_PATH_MAX);
	char *field = size == RECORDS_PATH_MAX ? NULL :
						 audit_encode_nv_string(name, value, (unsigned)size);

	if (field == NULL)
		t->bad = 1;
	else
		add(t, " %s", field);
	free(field);
}

/* A label, as the kernel writes them: bare, since auvirt compares it with what is in an AVC. */
static void add_label(struct text *t, const char *name, const char *value)
{
	size_t size = strnlen(value, RECORDS_PATH_MAX);

	if (size == 0 || size == RECORDS_PATH_MAX ||
	    audit_value_needs_encoding(value, (unsigned)size))
		add_value(t, name, value);
	else
		add(t, " %s=%s", name, value);
}

static void add_subject(struct text *t, const struct records_subject *s)
{
	add_value(t, "vm", s->name);
	add(t, " uuid=%s", s->uuid);
}

static int finish(const struct text *t, struct err *e)
{
	if (!t->bad)
		return 0;
	t->out[0] = '\0';
	return err_set(e, EX_INTERNAL, "audit record: too long, or no memory");
}

int records_subject_make(struct records_subject *s, const char *name, struct err *e)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return err_errno(e, EX_HOST, errno, "getrandom");
	b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
	s->name = name;
	for (size_t i = 0, at = 0; i < sizeof(b); i++) {
		snprintf(s->uuid + at, sizeof(s->uuid) - at, "%02x", b[i]);
		at += 2;
		if (i == 3 || i == 5 || i == 7 || i == 9)
			s->uuid[at++] = '-';
	}
	return 0;
}

int records_text_control(const struct records_subject *s, const char *op, const char *reason,
			 pid_t pid, char *out, struct err *e)
{
	struct text t = { .out = out };

	add(&t, "virt=kvm op=%s reason=%s", op, reason);
	add_subject(&t, s);
	add(&t, " vm-pid=%d", (int)pid);
	return finish(&t, e);
}

int records_text_resource(const struct records_subject *s, const char *kind, const char *before,
			  const char *after, char *out, struct err *e)
{
	struct text t = { .out = out };
	char name[40];

	add(&t, "virt=kvm resrc=%s reason=start", kind);
	add_subject(&t, s);
	snprintf(name, sizeof(name), "old-%.32s", kind);
	add_value(&t, name, before);
	snprintf(name, sizeof(name), "new-%.32s", kind);
	add_value(&t, name, after);
	return finish(&t, e);
}

int records_text_amount(const struct records_subject *s, const char *kind,
			unsigned long long before, unsigned long long after, char *out,
			struct err *e)
{
	struct text t = { .out = out };

	add(&t, "virt=kvm resrc=%s reason=start", kind);
	add_subject(&t, s);
	add(&t, " old-%s=%llu new-%s=%llu", kind, before, kind, after);
	return finish(&t, e);
}

int records_text_machine(const struct records_subject *s, const char *process, const char *image,
			 char *out, struct err *e)
{
	struct text t = { .out = out };

	add(&t, "virt=kvm");
	add_subject(&t, s);
	add_label(&t, "vm-ctx", process);
	add_label(&t, "img-ctx", image);
	add(&t, " model=selinux");
	return finish(&t, e);
}
