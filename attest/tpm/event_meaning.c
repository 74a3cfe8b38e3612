#include "attest/tpm/event_meaning.h"

#include <stdio.h>
#include <string.h>

#define GUID_SIZE 16u
#define GPT_HEADER_SIZE 92u /* UEFI 2.10 §5.3.2 */
#define GPT_DISK_GUID 56u
#define LOCALITY_AT 16u
#define FILE_PATH_NODE 0x0404u /* media device path, file path: UEFI 2.10 §10.3.5.4 */

/* One character, escaped. False: no room for it. */
static bool put(struct event_meaning *m, size_t *at, uint16_t c, bool wide)
{
	char text[8];
	int n;

	if (c == '\\')
		n = snprintf(text, sizeof(text), "\\\\");
	else if (c >= 0x20 && c < 0x7F)
		n = snprintf(text, sizeof(text), "%c", (char)c);
	else
		n = snprintf(text, sizeof(text), wide ? "\\u%04x" : "\\x%02x", c);
	if (*at + (size_t)n >= sizeof(m->text)) {
		m->text_cut = true;
		return false;
	}
	memcpy(m->text + *at, text, (size_t)n + 1);
	*at += (size_t)n;
	return true;
}

/* NULs at the end are how C and UCS-2 texts end. */
static void put_bytes(struct event_meaning *m, const uint8_t *p, size_t n)
{
	size_t at = strlen(m->text);

	while (n > 0 && p[n - 1] == 0)
		n--;
	for (size_t i = 0; i < n; i++)
		if (!put(m, &at, p[i], false))
			return;
}

static void put_wide(struct event_meaning *m, const uint8_t *p, size_t bytes)
{
	struct reader r = reader_over(p, bytes - bytes % 2);
	size_t at = strlen(m->text);

	while (reader_left(&r) != 0) {
		uint16_t c = read_le16(&r);
		if (c == 0 || !put(m, &at, c, true))
			return;
	}
}

static void put_number(struct event_meaning *m, const char *name, uint64_t value)
{
	if (m->number_count < EVENT_NUMBER_MAX) {
		m->number[m->number_count].name = name;
		m->number[m->number_count++].value = value;
	}
}

/* Its first three fields are little-endian numbers (UEFI 2.10 appendix A). */
static void put_guid(struct event_meaning *m, const uint8_t *g)
{
	snprintf(m->guid, sizeof(m->guid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2],
		 g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
		 g[15]);
}

/* UINTN is as wide as the machine that wrote the log: 1 in the Spec ID event is 32 bits. */
static uint64_t read_uintn(const struct eventlog *log, struct reader *r)
{
	return log->crypto_agile && log->uintn_size == 1 ? read_le32(r) : read_le64(r);
}

bool event_variable(const struct event *ev, struct event_variable *out)
{
	struct reader r = reader_over(ev->data, ev->size);

	if (ev->type != EV_EFI_VARIABLE_DRIVER_CONFIG && ev->type != EV_EFI_VARIABLE_BOOT &&
	    ev->type != EV_EFI_VARIABLE_BOOT2 && ev->type != EV_EFI_VARIABLE_AUTHORITY)
		return false;
	out->guid = read_view(&r, GUID_SIZE);
	uint64_t characters = read_le64(&r), bytes = read_le64(&r);
	if (r.bad || characters > reader_left(&r) / 2)
		return false;
	out->name_size = (size_t)characters * 2;
	out->name = read_view(&r, out->name_size);
	if (bytes > reader_left(&r))
		return false;
	out->data_size = (size_t)bytes;
	out->data = read_view(&r, out->data_size);
	return !r.bad;
}

static bool tell_variable(const struct event *ev, struct event_meaning *m)
{
	struct event_variable v;

	m->kind = "variable";
	if (!event_variable(ev, &v))
		return false;
	put_guid(m, v.guid);
	put_wide(m, v.name, v.name_size);
	put_number(m, "data_size", v.data_size);
	if (v.data_size == 1)
		put_number(m, "value", v.data[0]);
	return true;
}

static bool tell_gpt(const struct eventlog *log, const struct event *ev, struct event_meaning *m)
{
	struct reader r = reader_over(ev->data, ev->size);
	const uint8_t *header = read_view(&r, GPT_HEADER_SIZE);
	uint64_t partitions = read_uintn(log, &r);

	m->kind = "gpt";
	if (r.bad || header == NULL || memcmp(header, "EFI PART", 8) != 0)
		return false;
	put_guid(m, header + GPT_DISK_GUID);
	put_number(m, "partitions", partitions);
	return true;
}

/* The names of files in a device path, in order. What else it says is of no use to people. */
static void put_path(struct event_meaning *m, const uint8_t *path, size_t size)
{
	struct reader r = reader_over(path, size);

	while (reader_left(&r) >= 4) {
		uint8_t type = read_u8(&r), subtype = read_u8(&r);
		uint16_t length = read_le16(&r);
		const uint8_t *node = length < 4 ? NULL : read_view(&r, length - 4u);
		if (node == NULL)
			return;
		if (((unsigned)type << 8 | subtype) == FILE_PATH_NODE)
			put_wide(m, node, length - 4u);
	}
}

static bool tell_image(const struct eventlog *log, const struct event *ev, struct event_meaning *m)
{
	struct reader r = reader_over(ev->data, ev->size);
	uint64_t base = read_le64(&r), length = read_uintn(log, &r);

	m->kind = "image";
	read_uintn(log, &r); /* link-time address */
	uint64_t path_size = read_uintn(log, &r);
	if (r.bad || path_size > reader_left(&r))
		return false;
	put_number(m, "base", base);
	put_number(m, "length", length);
	put_path(m, read_view(&r, (size_t)path_size), (size_t)path_size);
	return true;
}

/* The forms with a 2 begin with a text of its own size. */
static bool tell_described(struct reader *r, struct event_meaning *m)
{
	uint8_t n = read_u8(r);
	const uint8_t *text = read_view(r, n);

	if (text != NULL)
		put_bytes(m, text, n);
	return !r->bad;
}

static bool tell_blob(const struct event *ev, struct event_meaning *m)
{
	struct reader r = reader_over(ev->data, ev->size);

	m->kind = "blob";
	if (ev->type == EV_EFI_PLATFORM_FIRMWARE_BLOB2 && !tell_described(&r, m))
		return false;
	uint64_t base = read_le64(&r), length = read_le64(&r);
	put_number(m, "base", base);
	put_number(m, "length", length);
	return !r.bad;
}

static bool tell_tables(const struct eventlog *log, const struct event *ev, struct event_meaning *m)
{
	struct reader r = reader_over(ev->data, ev->size);

	m->kind = "tables";
	if (ev->type == EV_EFI_HANDOFF_TABLES2 && !tell_described(&r, m))
		return false;
	put_number(m, "tables", read_uintn(log, &r));
	return !r.bad;
}

/* PFP §10.4.2.1, TCG_PCClientTaggedEvent: the first of what may be several. */
static bool tell_tagged(const struct event *ev, struct event_meaning *m)
{
	struct reader r = reader_over(ev->data, ev->size);
	uint32_t tag = read_le32(&r), n = read_le32(&r);
	const uint8_t *text = read_view(&r, n);

	m->kind = "tagged";
	if (text == NULL)
		return false;
	put_number(m, "tag", tag);
	put_bytes(m, text, n);
	return true;
}

static bool tell_separator(const struct event *ev, struct event_meaning *m)
{
	struct reader r = reader_over(ev->data, ev->size);

	m->kind = "separator";
	if (ev->size != 4) { /* a boot loader's own: PFP knows four bytes only */
		put_bytes(m, ev->data, ev->size);
		return true;
	}
	put_number(m, "value", read_le32(&r));
	return true;
}

/* S-CRTM versions are UCS-2 in most firmware: every second byte of them is 0. */
static bool looks_wide(const uint8_t *p, size_t n)
{
	if (n < 4 || n % 2 != 0)
		return false;
	for (size_t i = 0; i < n; i += 2)
		if (p[i + 1] != 0 || (p[i] == 0 && i + 2 != n))
			return false;
	return true;
}

static bool tell_text(const struct event *ev, struct event_meaning *m)
{
	m->kind = "text";
	if (looks_wide(ev->data, ev->size))
		put_wide(m, ev->data, ev->size);
	else
		put_bytes(m, ev->data, ev->size);
	return true;
}

static bool tell_no_action(const struct event *ev, struct event_meaning *m)
{
	if (!event_is_named(ev, "StartupLocality"))
		return tell_text(ev, m);
	m->kind = "locality";
	if (ev->size != LOCALITY_AT + 1)
		return false;
	put_number(m, "value", ev->data[LOCALITY_AT]);
	return true;
}

static bool tell(const struct eventlog *log, const struct event *ev, struct event_meaning *m)
{
	switch (ev->type) {
	case EV_EFI_VARIABLE_DRIVER_CONFIG:
	case EV_EFI_VARIABLE_BOOT:
	case EV_EFI_VARIABLE_BOOT2:
	case EV_EFI_VARIABLE_AUTHORITY:
		return tell_variable(ev, m);
	case EV_EFI_GPT_EVENT:
	case EV_EFI_GPT_EVENT2:
		return tell_gpt(log, ev, m);
	case EV_EFI_BOOT_SERVICES_APPLICATION:
	case EV_EFI_BOOT_SERVICES_DRIVER:
	case EV_EFI_RUNTIME_SERVICES_DRIVER:
		return tell_image(log, ev, m);
	case EV_EFI_PLATFORM_FIRMWARE_BLOB:
	case EV_EFI_PLATFORM_FIRMWARE_BLOB2:
		return tell_blob(ev, m);
	case EV_EFI_HANDOFF_TABLES:
	case EV_EFI_HANDOFF_TABLES2:
		return tell_tables(log, ev, m);
	case EV_EVENT_TAG:
		return tell_tagged(ev, m);
	case EV_SEPARATOR:
		return tell_separator(ev, m);
	case EV_NO_ACTION:
		return tell_no_action(ev, m);
	case EV_POST_CODE:
	case EV_ACTION:
	case EV_S_CRTM_CONTENTS:
	case EV_S_CRTM_VERSION:
	case EV_PLATFORM_CONFIG_FLAGS:
	case EV_COMPACT_HASH:
	case EV_IPL:
	case EV_NONHOST_INFO:
	case EV_OMIT_BOOT_DEVICE_EVENTS:
	case EV_EFI_ACTION:
	case EV_EFI_HCRTM_EVENT:
		return tell_text(ev, m);
	default:
		return true;
	}
}

void event_meaning(const struct eventlog *log, const struct event *ev, struct event_meaning *out)
{
	*out = (struct event_meaning){ .kind = "none" };
	if (!tell(log, ev, out))
		*out = (struct event_meaning){ .kind = "malformed" };
}
