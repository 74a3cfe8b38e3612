/* The extensions that AMD puts into a VEK certificate (57230, "VCEK and VLEK certificates"). Only
 * the encodings seen in AMD's certificates are taken. */
#include "attest/snp/cert.h"

#include "common/bytes.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define AMD_PREFIX "1.3.6.1.4.1.3704.1."

enum field {
	FIELD_STRUCT_VERSION,
	FIELD_PRODUCT,
	FIELD_BL_SPL,
	FIELD_TEE_SPL,
	FIELD_SNP_SPL,
	FIELD_SPL4,
	FIELD_SPL5,
	FIELD_SPL6,
	FIELD_SPL7,
	FIELD_UCODE_SPL,
	FIELD_FMC_SPL,
	FIELD_HWID,
	FIELD_CSP,
	FIELDS
};

static const struct {
	const char *oid; /* behind AMD_PREFIX */
	const char *name;
} fields[FIELDS] = {
	[FIELD_STRUCT_VERSION] = { "1", "structVersion" },
	[FIELD_PRODUCT] = { "2", "productName" },
	[FIELD_BL_SPL] = { "3.1", "blSPL" },
	[FIELD_TEE_SPL] = { "3.2", "teeSPL" },
	[FIELD_SNP_SPL] = { "3.3", "snpSPL" },
	[FIELD_SPL4] = { "3.4", "spl4" },
	[FIELD_SPL5] = { "3.5", "spl5" },
	[FIELD_SPL6] = { "3.6", "spl6" },
	[FIELD_SPL7] = { "3.7", "spl7" },
	[FIELD_UCODE_SPL] = { "3.8", "ucodeSPL" },
	[FIELD_FMC_SPL] = { "3.9", "fmcSPL" },
	[FIELD_HWID] = { "4", "hwID" },
	[FIELD_CSP] = { "5", "cspID" },
};

static const enum field spl_field[] = {
	[SNP_BOOTLOADER] = FIELD_BL_SPL,   [SNP_TEE] = FIELD_TEE_SPL, [SNP_SNP] = FIELD_SNP_SPL,
	[SNP_MICROCODE] = FIELD_UCODE_SPL, [SNP_FMC] = FIELD_FMC_SPL, [SNP_SPL4] = FIELD_SPL4,
	[SNP_SPL5] = FIELD_SPL5,	   [SNP_SPL6] = FIELD_SPL6,   [SNP_SPL7] = FIELD_SPL7,
};

/* Contents of the extensions, NULL where absent. */
struct extensions {
	const ASN1_OCTET_STRING *value[FIELDS];
};

static int bad_field(enum field f, const char *why, struct err *e)
{
	return err_set(e, EX_MALFORMED, "VEK: extension %s%s (%s): %s", AMD_PREFIX, fields[f].oid,
		       fields[f].name, why);
}

static int collect(const X509 *cert, struct extensions *x, struct err *e)
{
	*x = (struct extensions){ 0 };
	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *ext = X509_get_ext(cert, i);
		char oid[64];
		unsigned f = FIELDS;

		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1);
		if (strncmp(oid, AMD_PREFIX, strlen(AMD_PREFIX)) == 0)
			for (f = 0; f < FIELDS; f++)
				if (strcmp(oid + strlen(AMD_PREFIX), fields[f].oid) == 0)
					break;
		if (f == FIELDS && X509_EXTENSION_get_critical(ext))
			return err_set(e, EX_MALFORMED, "VEK: unknown critical extension %s", oid);
		if (f == FIELDS)
			continue;
		if (x->value[f] != NULL)
			return bad_field((enum field)f, "given twice", e);
		x->value[f] = X509_EXTENSION_get_data(ext);
	}
	return 0;
}

/* INTEGER 0..255 in DER: 02 01 xx below 0x80, 02 02 00 xx above. */
static int get_u8(const struct extensions *x, enum field f, uint8_t *out, struct err *e)
{
	if (x->value[f] == NULL)
		return bad_field(f, "missing", e);
	const uint8_t *p = ASN1_STRING_get0_data(x->value[f]);
	int n = ASN1_STRING_length(x->value[f]);

	if (n == 3 && p[0] == 2 && p[1] == 1 && p[2] < 0x80)
		*out = p[2];
	else if (n == 4 && p[0] == 2 && p[1] == 2 && p[2] == 0 && p[3] >= 0x80)
		*out = p[3];
	else
		return bad_field(f, "not an INTEGER of 0 to 255", e);
	return 0;
}

/* IA5String of printable characters. */
static int get_text(const struct extensions *x, enum field f, char *out, size_t size, struct err *e)
{
	if (x->value[f] == NULL)
		return bad_field(f, "missing", e);
	const uint8_t *p = ASN1_STRING_get0_data(x->value[f]);
	int n = ASN1_STRING_length(x->value[f]);

	if (n < 3 || p[0] != 0x16 || p[1] >= 0x80 || p[1] != n - 2 || p[1] >= size)
		return bad_field(f, "not a short IA5String", e);
	for (int i = 2; i < n; i++)
		if (p[i] < 0x20 || p[i] >= 0x7F)
			return bad_field(f, "holds unprintable characters", e);
	memcpy(out, p + 2, p[1]);
	out[p[1]] = '\0';
	return 0;
}

/* 64 or, on Turin, 8 bytes: as they are, or in a DER OCTET STRING. */
static int get_hwid(const struct extensions *x, struct snp_vek *out, struct err *e)
{
	bool is_short = snp_tcb_byte(out->product, SNP_FMC) >= 0;
	int want = is_short ? 8 : (int)SNP_CHIP_ID_SIZE;
	const uint8_t *p = ASN1_STRING_get0_data(x->value[FIELD_HWID]);
	int n = ASN1_STRING_length(x->value[FIELD_HWID]);

	if (n == want + 2 && p[0] == 4 && p[1] == want)
		p += 2;
	else if (n != want)
		return bad_field(FIELD_HWID, "of another size than this product's", e);
	memcpy(out->hwid, p, (size_t)want);
	out->hwid_size = (size_t)want;
	return 0;
}

static int get_tcb(const struct extensions *x, struct snp_vek *out, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < SNP_TCB_SIZE; i++)
		r = get_u8(x, spl_field[snp_tcb_component(out->product, i)], &out->tcb[i], e);
	/* A component that the product has no byte for would be one that nothing compares. */
	if (r == 0 && snp_tcb_byte(out->product, SNP_FMC) < 0 && x->value[FIELD_FMC_SPL] != NULL)
		r = bad_field(FIELD_FMC_SPL, "this product has none", e);
	if (r == 0 && snp_tcb_byte(out->product, SNP_SPL4) < 0 && x->value[FIELD_SPL4] != NULL)
		r = bad_field(FIELD_SPL4, "this product has none", e);
	return r;
}

int snp_vek_parse(X509 *cert, struct snp_vek *out, struct err *e)
{
	struct extensions x;
	uint8_t version = 0;

	memset(out, 0, sizeof(*out));
	int r = collect(cert, &x, e);
	if (r == 0)
		r = get_u8(&x, FIELD_STRUCT_VERSION, &version, e);
	if (r == 0)
		r = get_text(&x, FIELD_PRODUCT, out->product_name, sizeof(out->product_name), e);
	if (r < 0)
		return r;
	out->struct_version = version;
	out->product = snp_product_of_name(out->product_name);
	if (!snp_product_known(out->product))
		return err_set(e, EX_REFUSED,
			       "VEK: product \"%s\": this program does not know its TCB versions",
			       out->product_name);
	/* Version 1 came with the FMC: version and product must tell of the same layout. */
	if (version != (snp_tcb_byte(out->product, SNP_FMC) >= 0))
		return bad_field(FIELD_STRUCT_VERSION, "another one than this product's", e);
	if ((x.value[FIELD_HWID] == NULL) == (x.value[FIELD_CSP] == NULL))
		return bad_field(FIELD_HWID,
				 "a VCEK has it and no cspID, a VLEK a cspID instead of it", e);
	out->is_vlek = x.value[FIELD_CSP] != NULL;
	r = get_tcb(&x, out, e);
	if (r == 0)
		r = out->is_vlek ? get_text(&x, FIELD_CSP, out->csp, sizeof(out->csp), e)
				 : get_hwid(&x, out, e);
	return r;
}
