/* Ties event data to digests. Only where they match does a register vouch for what an event says.
 */
#include "attest/tpm/event_meaning.h"

#include <openssl/crypto.h>
#include <string.h>

/* In every bank that we compute; an event without one such digest matches nothing. */
static bool digests_are_of(const struct eventlog *log, const struct event *ev, const uint8_t *data,
			   size_t n)
{
	uint8_t want[TPM_DIGEST_MAX];
	bool any = false;

	for (uint32_t i = 0; i < log->alg_count; i++) {
		const EVP_MD *md = tpm_alg_md(log->algs[i].alg);
		if (ev->digest[i] == NULL || md == NULL)
			continue;
		if (!EVP_Digest(n == 0 ? (const uint8_t *)"" : data, n, want, NULL, md, NULL) ||
		    CRYPTO_memcmp(want, ev->digest[i], log->algs[i].size) != 0)
			return false;
		any = true;
	}
	return any;
}

/* Boot loaders log a text with its NUL, and often with a prefix that says what it is, and measure
 * the text alone. */
static bool text_matches(const struct eventlog *log, const struct event *ev)
{
	size_t n = ev->size;

	if (ev->type != EV_IPL && ev->type != EV_ACTION && ev->type != EV_EFI_ACTION)
		return false;
	while (n > 0 && ev->data[n - 1] == 0)
		n--;
	if (digests_are_of(log, ev, ev->data, n))
		return true;
	/* "grub_cmd: set x"; older ones have no colon and measure the NUL, too. */
	const uint8_t *space = memchr(ev->data, ' ', n);
	if (space == NULL)
		return false;
	size_t prefix = (size_t)(space - ev->data) + 1;
	return digests_are_of(log, ev, space + 1, n - prefix) ||
	       digests_are_of(log, ev, space + 1, ev->size - prefix);
}

enum event_match event_match(const struct eventlog *log, const struct event *ev)
{
	struct event_variable v;

	if (!event_extends(ev))
		return EVENT_UNMEASURED;
	if (digests_are_of(log, ev, ev->data, ev->size))
		return EVENT_OF_DATA;
	if (event_variable(ev, &v) && digests_are_of(log, ev, v.data, v.data_size))
		return EVENT_OF_PART;
	return text_matches(log, ev) ? EVENT_OF_PART : EVENT_OPAQUE;
}

const char *event_match_name(enum event_match m)
{
	static const char *const names[] = { "data", "part", "opaque", "none" };

	return names[m];
}

/* EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c, and "SecureBoot" in UCS-2. */
static bool is_secure_boot(const struct event *ev, struct event_variable *v)
{
	static const uint8_t guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
					  0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
	static const uint8_t name[] = { 'S', 0, 'e', 0, 'c', 0, 'u', 0, 'r', 0,
					'e', 0, 'B', 0, 'o', 0, 'o', 0, 't', 0 };

	return ev->type == EV_EFI_VARIABLE_DRIVER_CONFIG && event_variable(ev, v) &&
	       memcmp(v->guid, guid, sizeof(guid)) == 0 && v->name_size == sizeof(name) &&
	       memcmp(v->name, name, sizeof(name)) == 0;
}

/* A variable without a value is one that does not exist: such firmware has no Secure Boot. */
static enum secure_boot state_of(const struct event_variable *v)
{
	if (v->data_size == 0 || (v->data_size == 1 && v->data[0] == 0))
		return SECURE_BOOT_OFF;
	return v->data_size == 1 && v->data[0] == 1 ? SECURE_BOOT_ON : SECURE_BOOT_UNKNOWN;
}

enum secure_boot eventlog_secure_boot(const void *data, size_t size, uint32_t reg)
{
	enum secure_boot state = SECURE_BOOT_UNKNOWN;
	bool seen = false, closed = false;
	struct event_variable v;
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };

	if (eventlog_open(data, size, &log, &e) < 0)
		return SECURE_BOOT_UNKNOWN;
	while (eventlog_next(&log, &ev, &e) > 0) {
		if (ev.pcr == reg && ev.type == EV_SEPARATOR)
			closed = true;
		if (ev.pcr != reg || !is_secure_boot(&ev, &v))
			continue;
		if (seen || closed || event_match(&log, &ev) != EVENT_OF_DATA)
			return SECURE_BOOT_UNKNOWN;
		state = state_of(&v);
		seen = true;
	}
	return state;
}
