#include "attest/tdx/pck.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SGX "1.2.840.113741.1.13.1"
#define OID_SIZE 64

/* The last number of a member's OID; of the TCB's members SVN 1 to 16, then these two. */
enum member { PPID = 1, TCB, PCE_ID, FMSPC, SGX_TYPE, PLATFORM_INSTANCE, CONFIGURATION };
enum { TCB_PCE_SVN = 17, TCB_CPU_SVN = 18 };
enum { DYNAMIC_PLATFORM = 1, CACHED_KEYS, SMT };

static int bad(const char *oid, const char *why, struct err *e)
{
	return err_set(e, EX_MALFORMED, "PCK certificate: extension %s: %s", oid, why);
}

static void free_items(STACK_OF(ASN1_TYPE) * items)
{
	sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free);
}

/* The members of one SEQUENCE that is all of size bytes, in the only form that DER has: libcrypto
 * reads longer lengths than needed, too, but does not write them. NULL: it is none. */
static STACK_OF(ASN1_TYPE) * sequence(const uint8_t *der, int size)
{
	const unsigned char *p = der;
	unsigned char *again = NULL;
	STACK_OF(ASN1_TYPE) *items = d2i_ASN1_SEQUENCE_ANY(NULL, &p, size);
	int n = items != NULL ? i2d_ASN1_SEQUENCE_ANY(items, &again) : -1;
	bool same = again != NULL && n == size && memcmp(again, der, (size_t)size) == 0;

	OPENSSL_free(again);
	ERR_clear_error();
	if (same)
		return items;
	free_items(items);
	return NULL;
}

/* Takes one member: id is the last number of its OID. */
typedef int take_fn(void *out, unsigned id, const ASN1_TYPE *value, const char *oid, struct err *e);

/* A member's number below prefix; 0: it is not one of 1 to most. */
static unsigned number_of(const char *oid, const char *prefix, unsigned most)
{
	size_t n = strlen(prefix);
	char *end;

	if (strncmp(oid, prefix, n) != 0 || oid[n] != '.')
		return 0;
	unsigned long id = strtoul(oid + n + 1, &end, 10);
	return *end == '\0' && id <= most ? (unsigned)id : 0;
}

/* One { OBJECT, value } of a list. */
static int take_member(const ASN1_TYPE *item, const char *prefix, unsigned most, uint32_t *seen,
		       take_fn *take, void *out, struct err *e)
{
	char oid[OID_SIZE] = "";
	int r = 0;

	if (item->type != V_ASN1_SEQUENCE)
		return bad(prefix, "a member is not a SEQUENCE", e);
	STACK_OF(ASN1_TYPE) *pair =
		sequence(item->value.sequence->data, item->value.sequence->length);
	const ASN1_TYPE *name = sk_ASN1_TYPE_value(pair, 0);
	if (pair == NULL || sk_ASN1_TYPE_num(pair) != 2 || name->type != V_ASN1_OBJECT)
		r = bad(prefix, "a member is not an OBJECT and a value", e);
	if (r == 0)
		OBJ_obj2txt(oid, sizeof(oid), name->value.object, 1);
	unsigned id = r == 0 ? number_of(oid, prefix, most) : 0;
	if (r == 0 && id == 0)
		r = bad(prefix, "holds a member that this program does not know", e);
	else if (r == 0 && (*seen & 1u << id) != 0)
		r = bad(oid, "given twice", e);
	if (r == 0) {
		*seen |= 1u << id;
		r = take(out, id, sk_ASN1_TYPE_value(pair, 1), oid, e);
	}
	free_items(pair);
	return r;
}

/* A list of members with the numbers 1 to most, each at most once; need: bits of those that there
 * must be. */
static int take_list(const uint8_t *der, int size, const char *prefix, unsigned most, uint32_t need,
		     take_fn *take, void *out, struct err *e)
{
	STACK_OF(ASN1_TYPE) *items = sequence(der, size);
	uint32_t seen = 0;
	char oid[OID_SIZE];
	int r = 0;

	if (items == NULL)
		return bad(prefix, "not the DER of one SEQUENCE", e);
	for (int i = 0; r == 0 && i < sk_ASN1_TYPE_num(items); i++)
		r = take_member(sk_ASN1_TYPE_value(items, i), prefix, most, &seen, take, out, e);
	free_items(items);
	for (unsigned id = 1; r == 0 && id <= most; id++)
		if ((need & ~seen & 1u << id) != 0) {
			snprintf(oid, sizeof(oid), "%s.%u", prefix, id);
			r = bad(oid, "missing", e);
		}
	return r;
}

static int take_octets(const ASN1_TYPE *value, uint8_t *out, int n, const char *oid, struct err *e)
{
	if (value->type != V_ASN1_OCTET_STRING || value->value.octet_string->length != n)
		return bad(oid, "not an OCTET STRING of the right size", e);
	memcpy(out, value->value.octet_string->data, (size_t)n);
	return 0;
}

static int take_number(const ASN1_TYPE *value, int type, long most, long *out, const char *oid,
		       struct err *e)
{
	int64_t v = -1;
	int ok = 0;

	if (value->type == V_ASN1_INTEGER && type == V_ASN1_INTEGER)
		ok = ASN1_INTEGER_get_int64(&v, value->value.integer);
	else if (value->type == V_ASN1_ENUMERATED && type == V_ASN1_ENUMERATED)
		ok = ASN1_ENUMERATED_get_int64(&v, value->value.enumerated);
	ERR_clear_error();
	if (ok != 1 || v < 0 || v > most)
		return bad(oid, "not a number in its bounds", e);
	*out = (long)v;
	return 0;
}

static int take_bool(const ASN1_TYPE *value, bool *out, const char *oid, struct err *e)
{
	/* BER lets any other number be true. */
	if (value->type != V_ASN1_BOOLEAN ||
	    (value->value.boolean != 0 && value->value.boolean != 0xFF))
		return bad(oid, "not a BOOLEAN", e);
	*out = value->value.boolean != 0;
	return 0;
}

static int take_tcb(void *out, unsigned id, const ASN1_TYPE *value, const char *oid, struct err *e)
{
	struct tdx_pck *p = out;
	long v = 0;

	if (id == TCB_CPU_SVN)
		return take_octets(value, p->cpu_svn, sizeof(p->cpu_svn), oid, e);
	int r = take_number(value, V_ASN1_INTEGER, id == TCB_PCE_SVN ? UINT16_MAX : UINT8_MAX, &v,
			    oid, e);
	if (r == 0 && id == TCB_PCE_SVN)
		p->pce_svn = (uint16_t)v;
	else if (r == 0)
		p->component[id - 1] = (uint8_t)v;
	return r;
}

static int take_configuration(void *out, unsigned id, const ASN1_TYPE *value, const char *oid,
			      struct err *e)
{
	struct tdx_pck *p = out;

	return take_bool(value,
			 id == DYNAMIC_PLATFORM ? &p->dynamic_platform
			 : id == CACHED_KEYS	? &p->cached_keys
						: &p->smt,
			 oid, e);
}

static int take_sub_list(const ASN1_TYPE *value, const char *oid, unsigned most, uint32_t need,
			 take_fn *take, struct tdx_pck *out, struct err *e)
{
	if (value->type != V_ASN1_SEQUENCE)
		return bad(oid, "not a SEQUENCE", e);
	return take_list(value->value.sequence->data, value->value.sequence->length, oid, most,
			 need, take, out, e);
}

static int take_extension(void *out, unsigned id, const ASN1_TYPE *value, const char *oid,
			  struct err *e)
{
	struct tdx_pck *p = out;
	long v = 0;
	int r;

	switch ((enum member)id) {
	case PPID:
		return take_octets(value, p->ppid, sizeof(p->ppid), oid, e);
	case TCB:
		return take_sub_list(value, oid, TCB_CPU_SVN, 0x7FFFE, take_tcb, p, e);
	case PCE_ID:
		return take_octets(value, p->pce_id, sizeof(p->pce_id), oid, e);
	case FMSPC:
		return take_octets(value, p->fmspc, sizeof(p->fmspc), oid, e);
	case SGX_TYPE:
		r = take_number(value, V_ASN1_ENUMERATED, UINT8_MAX, &v, oid, e);
		p->sgx_type = (uint8_t)v;
		return r;
	case PLATFORM_INSTANCE:
		p->has_platform_instance = true;
		return take_octets(value, p->platform_instance, sizeof(p->platform_instance), oid,
				   e);
	case CONFIGURATION:
		p->has_configuration = true;
		return take_sub_list(value, oid, SMT, 0, take_configuration, p, e);
	}
	return bad(oid, "unknown", e);
}

/* The extension's contents; NULL and an error when it is not there just once. */
static const ASN1_OCTET_STRING *find(const X509 *cert, struct err *e)
{
	const ASN1_OCTET_STRING *found = NULL;

	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *ext = X509_get_ext(cert, i);
		char oid[OID_SIZE] = "";

		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1);
		if (strcmp(oid, SGX) != 0) {
			if (!X509_EXTENSION_get_critical(ext) || X509_supported_extension(ext))
				continue;
			bad(oid, "unknown and critical", e);
			return NULL;
		}
		if (found != NULL) {
			bad(oid, "given twice", e);
			return NULL;
		}
		found = X509_EXTENSION_get_data(ext);
	}
	if (found == NULL)
		bad(SGX, "missing: this is not a PCK certificate", e);
	return found;
}

int tdx_pck_parse(const X509 *cert, struct tdx_pck *out, struct err *e)
{
	const uint32_t need = 1u << PPID | 1u << TCB | 1u << PCE_ID | 1u << FMSPC | 1u << SGX_TYPE;

	*out = (struct tdx_pck){ 0 };
	const ASN1_OCTET_STRING *value = find(cert, e);
	if (value == NULL)
		return -EX_MALFORMED;
	return take_list(ASN1_STRING_get0_data(value), ASN1_STRING_length(value), SGX,
			 CONFIGURATION, need, take_extension, out, e);
}
