#include "firmware/events.h"

#include <string.h>

/* Digests of a separator's four zero bytes (PFP 1.05 §10.4.1): constants, so that this file
 * needs no hash function. tests/unit/test_fw_log.c computes them. */
static const struct fw_digests separator_digest = {
	.sha256 = {
		0xdf, 0x3f, 0x61, 0x98, 0x04, 0xa9, 0x2f, 0xdb, 0x40, 0x57, 0x19, 0x2d,
		0xc4, 0x3d, 0xd7, 0x48, 0xea, 0x77, 0x8a, 0xdc, 0x52, 0xbc, 0x49, 0x8c,
		0xe8, 0x05, 0x24, 0xc0, 0x14, 0xb8, 0x11, 0x19,
	},
	.sha384 = {
		0x39, 0x43, 0x41, 0xb7, 0x18, 0x2c, 0xd2, 0x27, 0xc5, 0xc6, 0xb0, 0x7e,
		0xf8, 0x00, 0x0c, 0xdf, 0xd8, 0x61, 0x36, 0xc4, 0x29, 0x2b, 0x8e, 0x57,
		0x65, 0x73, 0xad, 0x7e, 0xd9, 0xae, 0x41, 0x01, 0x9f, 0x58, 0x18, 0xb4,
		0xb9, 0x71, 0xc9, 0xef, 0xfc, 0x60, 0xe1, 0xad, 0x9f, 0x12, 0x89, 0xf0,
	},
};
static const uint8_t separator_data[4];

/* PFP 1.05 §10.4.5.3: TCG_EfiStartupLocalityEvent, locality 4 = started by an H-CRTM sequence. */
static const uint8_t startup_locality[17] = { 'S', 't', 'a', 'r', 't', 'u', 'p', 'L', 'o', 'c',
					      'a', 'l', 'i', 't', 'y', 0, 4 };

enum sequence {
	AT_LOCALITY,
	AT_HCRTM,
	AT_VERSION,
	AT_BOOT_BLOCK,
	AT_ACPI,
	AT_HASH_PAGE,
	AT_SEPARATORS, /* PCR 0..7 */
	AT_KERNEL = AT_SEPARATORS + 8,
	AT_INITRD,
	AT_CMDLINE,
	AT_END,
};

static void set(struct fw_event *ev, uint32_t pcr, uint32_t type, const struct fw_digests *digest,
		const void *data, size_t size)
{
	ev->pcr = pcr;
	ev->type = type;
	if (digest != NULL)
		ev->digest = *digest;
	ev->data = data;
	ev->data_size = size;
	ev->replayed = type != FW_EV_NO_ACTION;
	ev->extended = ev->replayed && type != FW_EV_EFI_HCRTM_EVENT;
}

static void set_named(struct fw_event *ev, uint32_t pcr, uint32_t type,
		      const struct fw_digests *digest, const char *name)
{
	set(ev, pcr, type, digest, name, strlen(name));
}

static void firmware_event(const struct fw_log_inputs *in, unsigned at, struct fw_event *ev)
{
	const uint32_t flags = FW_EV_PLATFORM_CONFIG_FLAGS;

	if (at == AT_LOCALITY)
		set(ev, 0, FW_EV_NO_ACTION, NULL, startup_locality, sizeof(startup_locality));
	else if (at == AT_HCRTM)
		set_named(ev, 0, FW_EV_EFI_HCRTM_EVENT, &in->image, "HCRTM");
	else if (at == AT_VERSION)
		set(ev, 0, FW_EV_S_CRTM_VERSION, &in->version, in->version_text, in->version_size);
	else if (at == AT_BOOT_BLOCK)
		set_named(ev, 1, flags, &in->boot_block, "pavise-boot-block");
	else if (at == AT_ACPI)
		set_named(ev, 1, flags, &in->acpi, "pavise-acpi");
	else
		set_named(ev, 1, flags, &in->hash_record, "pavise-hash-page");
}

bool fw_log_event(const struct fw_log_inputs *in, unsigned index, struct fw_event *out)
{
	unsigned at = index;

	if (!in->has_initrd && at >= AT_INITRD)
		at++;
	if (index >= AT_END || at >= AT_END)
		return false;
	memset(out, 0, sizeof(*out));
	if (at < AT_SEPARATORS) {
		firmware_event(in, at, out);
	} else if (at < AT_KERNEL) {
		set(out, at - AT_SEPARATORS, FW_EV_SEPARATOR, &separator_digest, separator_data,
		    sizeof(separator_data));
	} else if (at == AT_KERNEL) {
		set_named(out, 4, FW_EV_IPL, &in->kernel, "kernel");
	} else if (at == AT_INITRD) {
		set_named(out, 4, FW_EV_IPL, &in->initrd, "initrd");
	} else {
		set(out, 5, FW_EV_IPL, &in->cmdline, in->cmdline_text, in->cmdline_size);
		out->prefix = "cmdline: ";
		out->prefix_size = 9;
	}
	return true;
}

/* An entry of the TPM's order that a trust domain extends, and where: the register map is UEFI's
 * (UEFI 2.10 §38.4.1), one separator for each register. MRTD holds the image already. */
static bool to_rtmr(struct fw_event *ev)
{
	const bool second = ev->pcr == 4 || ev->pcr == 5;

	if (!ev->extended || (!second && ev->pcr > 1))
		return false;
	if (ev->type == FW_EV_SEPARATOR && ev->pcr != 0 && ev->pcr != 4)
		return false;
	ev->pcr = second ? 1 : 0;
	return true;
}

bool fw_cc_event(const struct fw_log_inputs *in, unsigned index, struct fw_event *out)
{
	unsigned seen = 0;

	for (unsigned i = 0; fw_log_event(in, i, out); i++)
		if (to_rtmr(out) && seen++ == index)
			return true;
	return false;
}

struct log {
	uint8_t *out;
	size_t cap, pos;
	bool full;
	bool cc; /* of the RTMRs: SHA-384 alone */
};

static void put(struct log *l, const void *data, size_t n)
{
	if (l->full || n > l->cap - l->pos) {
		l->full = true;
		return;
	}
	if (n != 0)
		memcpy(l->out + l->pos, data, n);
	l->pos += n;
}

static void put16(struct log *l, uint32_t v)
{
	uint8_t b[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	put(l, b, sizeof(b));
}

static void put32(struct log *l, uint32_t v)
{
	put16(l, v & 0xFFFF);
	put16(l, v >> 16);
}

/* PFP 1.05 §10.4.5.1: TCG_EfiSpecIDEvent in the legacy event format, SHA-1 field zero. */
static void put_spec_id(struct log *l)
{
	static const uint8_t sha1_zero[20];
	static const uint8_t fixed[24] = {
		'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0', '3', 0,
		0, 0, 0, 0,  /* platformClass: client */
		0, 2, 105, 2 /* minor, major, errata: family 2.0, PFP 1.05; UINTN is 64 bits */
	};

	const uint32_t algs = l->cc ? 1 : 2, fixed_size = sizeof(fixed);

	put32(l, l->cc ? FW_CC_MR_RTMR0 : 0);
	put32(l, FW_EV_NO_ACTION);
	put(l, sha1_zero, sizeof(sha1_zero));
	put32(l, fixed_size + 4u + algs * 4u + 1u);
	put(l, fixed, sizeof(fixed));
	put32(l, algs);
	if (!l->cc) {
		put16(l, FW_ALG_SHA256);
		put16(l, 32);
	}
	put16(l, FW_ALG_SHA384);
	put16(l, 48);
	put(l, sha1_zero, 1); /* no vendor information */
}

/* PFP 1.05 §10.2.2: TCG_PCR_EVENT2; UEFI 2.10 §38.4.2: CC_EVENT, the same form. */
static void put_event(struct log *l, const struct fw_event *ev)
{
	put32(l, l->cc ? FW_CC_MR_RTMR0 + ev->pcr : ev->pcr);
	put32(l, ev->type);
	put32(l, l->cc ? 1 : 2);
	if (!l->cc) {
		put16(l, FW_ALG_SHA256);
		put(l, ev->digest.sha256, sizeof(ev->digest.sha256));
	}
	put16(l, FW_ALG_SHA384);
	put(l, ev->digest.sha384, sizeof(ev->digest.sha384));
	if (ev->data_size > UINT32_MAX - ev->prefix_size) {
		l->full = true;
		return;
	}
	put32(l, (uint32_t)(ev->prefix_size + ev->data_size));
	put(l, ev->prefix, ev->prefix_size);
	put(l, ev->data, ev->data_size);
}

int fw_log_build(const struct fw_log_inputs *in, uint8_t *out, size_t cap, size_t *size)
{
	struct log l = { .out = out, .cap = cap };
	struct fw_event ev;

	put_spec_id(&l);
	for (unsigned i = 0; fw_log_event(in, i, &ev); i++)
		put_event(&l, &ev);
	if (l.full)
		return -1;
	*size = l.pos;
	return 0;
}

int fw_cc_log_build(const struct fw_log_inputs *in, uint8_t *out, size_t cap, size_t *size)
{
	struct log l = { .out = out, .cap = cap, .cc = true };
	struct fw_event ev;

	put_spec_id(&l);
	for (unsigned i = 0; fw_cc_event(in, i, &ev); i++)
		put_event(&l, &ev);
	if (l.full)
		return -1;
	memset(out + l.pos, 0xFF, cap - l.pos);
	*size = l.pos;
	return 0;
}
