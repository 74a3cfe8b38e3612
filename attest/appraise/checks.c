#include "attest/appraise/checks.h"

#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

void checks_init(struct checks *c)
{
	c->count = c->claim_count = 0;
	c->overflow = c->private_root = c->only_authentic = c->no_reference = false;
	c->label = c->scope = NULL;
}

/* Ids, values and notes may quote evidence: nothing in them may drive a terminal. */
static void copy_printable(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; text != NULL && text[n] != '\0' && n + 1 < size; n++)
		out[n] = (unsigned char)text[n] < 0x20 || (unsigned char)text[n] >= 0x7f ? '?'
										   : text[n];
	out[n] = '\0';
}

#ifdef PAVISE_TEST_MUTE
#include <stdlib.h>

/* Only in test builds (tests/mutate_checks.py), never in the library: the check that PAVISE_MUTE
 * names passes although it failed; PAVISE_CHECK_LOG collects which checks were made. */
static bool muted(const char *id, enum check_status status)
{
	static FILE *log;
	const char *mute = getenv("PAVISE_MUTE"), *path = getenv("PAVISE_CHECK_LOG");

	if (log == NULL && path != NULL)
		log = fopen(path, "a");
	if (log != NULL) {
		/* At once: the test's own output goes to the same file. */
		fprintf(log, "%c %s\n", "PFS"[status], id);
		fflush(log);
	}
	return status == CHECK_FAIL && mute != NULL && strcmp(mute, id) == 0;
}
#else
static bool muted(const char *id, enum check_status status)
{
	(void)id;
	(void)status;
	return false;
}
#endif

static void add(struct checks *c, const char *id, enum check_status status,
		enum exit_status failure, const char *have, const char *need, const char *fmt,
		va_list ap)
{
	char note[sizeof(c->item[0].note)];

	if (c->count == CHECKS_MAX) {
		c->overflow = true;
		return;
	}
	struct check *k = &c->item[c->count++];
	bool mute = muted(id, status);
	k->status = mute ? CHECK_PASS : status;
	k->failure = mute ? EX_OK : failure;
	int n = c->label == NULL ? 0 : snprintf(note, sizeof(note), "%s: ", c->label);
	vsnprintf(note + n, sizeof(note) - (size_t)n, fmt, ap);
	copy_printable(k->id, sizeof(k->id), id);
	copy_printable(k->have, sizeof(k->have), have);
	copy_printable(k->need, sizeof(k->need), need);
	copy_printable(k->note, sizeof(k->note), note);
	k->component[0] = k->advisory[0] = k->next[0] = '\0';
}

void check_pass(struct checks *c, const char *id, const char *have, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, id, CHECK_PASS, EX_OK, have, "", fmt, ap);
	va_end(ap);
}

void check_fail(struct checks *c, const char *id, enum exit_status failure, const char *have,
		const char *need, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, id, CHECK_FAIL, failure, have, need, fmt, ap);
	va_end(ap);
}

void check_skip(struct checks *c, const char *id, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, id, CHECK_SKIPPED, EX_OK, "", "", fmt, ap);
	va_end(ap);
}

void check_tell(struct checks *c, const char *component, const char *advisory, const char *next)
{
	struct check *k;

	if (c->count == 0)
		return;
	k = &c->item[c->count - 1];
	copy_printable(k->component, sizeof(k->component), component);
	copy_printable(k->advisory, sizeof(k->advisory), advisory);
	copy_printable(k->next, sizeof(k->next), next);
}

void claim_text(struct checks *c, const char *name, const char *text)
{
	struct claim *k;

	if (c->claim_count == CLAIMS_MAX) {
		c->overflow = true;
		return;
	}
	k = &c->claim[c->claim_count++];
	copy_printable(k->name, sizeof(k->name), name);
	copy_printable(k->value, sizeof(k->value), text);
}

void claim_hex(struct checks *c, const char *name, const void *bytes, size_t n)
{
	char hex[sizeof(c->claim[0].value)] = "";

	if (n > (sizeof(hex) - 1) / 2) {
		c->overflow = true;
		return;
	}
	hex_encode(bytes, n, hex);
	claim_text(c, name, hex);
}

void claim_number(struct checks *c, const char *name, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	claim_text(c, name, text);
}

void check_fail_err(struct checks *c, const char *id, const struct err *e)
{
	check_fail(c, id, (enum exit_status)e->status, NULL, NULL, "%s", e->text);
}

/* Greater is worse. Anything unforeseen is worst of all. */
static int severity(enum exit_status s)
{
	switch (s) {
	case EX_OK:
		return 0;
	case EX_REFUSED:
		return 1;
	case EX_COLLATERAL:
		return 2;
	case EX_UNAUTHENTIC:
		return 3;
	case EX_MALFORMED:
		return 4;
	default:
		return 5;
	}
}

enum exit_status checks_verdict(const struct checks *c)
{
	enum exit_status worst = EX_OK;

	if (c->overflow || c->count == 0)
		return EX_INTERNAL;
	for (size_t i = 0; i < c->count; i++)
		if (c->item[i].status == CHECK_FAIL &&
		    severity(c->item[i].failure) >= severity(worst))
			worst = c->item[i].failure == EX_OK ? EX_INTERNAL : c->item[i].failure;
	return worst;
}

const char *verdict_name(enum exit_status verdict)
{
	switch (verdict) {
	case EX_OK:
		return "affirming";
	case EX_REFUSED:
		return "refused by policy";
	case EX_COLLATERAL:
		return "collateral missing or expired";
	case EX_UNAUTHENTIC:
		return "not authentic";
	case EX_MALFORMED:
		return "malformed";
	default:
		return "no verdict";
	}
}

#define PRIVATE_ROOT "simulated or private root"
#define NO_REFERENCE "no reference values: what was booted was not judged"

const char *checks_verdict_name(const struct checks *c)
{
	enum exit_status verdict = checks_verdict(c);

	if (verdict != EX_OK)
		return verdict_name(verdict);
	if (c->only_authentic)
		return c->private_root ? "authentic, not appraised (" PRIVATE_ROOT ")"
				       : "authentic, not appraised";
	if (c->no_reference)
		return c->private_root ? "affirming (" PRIVATE_ROOT "; " NO_REFERENCE ")"
				       : "affirming (" NO_REFERENCE ")";
	return c->private_root ? "affirming (" PRIVATE_ROOT ")" : "affirming";
}

const char *check_status_name(enum check_status s)
{
	return s == CHECK_PASS ? "pass" : s == CHECK_FAIL ? "fail" : "skipped";
}

const char *checks_scope(const struct checks *c)
{
	return c->scope != NULL ? c->scope : "plain VM: the host and its vTPM are trusted";
}
