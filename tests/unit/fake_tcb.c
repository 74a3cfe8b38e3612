#include "tests/unit/fake_tcb.h"

#include "common/bytes.h"
#include "model/tdx_sim/ecdsa.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZEROS_48                                                                                   \
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"     \
	"000000000000"

struct text {
	char *data;
	size_t size, pos;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(t->data + t->pos, t->size - t->pos, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->pos)
		abort();
	t->pos += (size_t)n;
}

struct fake_tcb fake_tcb(void)
{
	struct fake_tcb f = { .levels = 2, .modules = 2 };

	memset(f.level[0].sgx, 9, 16);
	memset(f.level[1].sgx, 3, 16);
	memcpy(f.level[0].tdx, "\5\0\7", 3);
	memcpy(f.level[1].tdx, "\3\0\2", 3);
	f.level[0].pce_svn = 13;
	f.level[1].pce_svn = 5;
	f.level[0].status = "UpToDate";
	f.level[1].status = "OutOfDate";
	f.level[1].advisories = "[\"TEST-SA-1\",\"TEST-SA-2\"]";
	f.module[0] = (struct fake_svn){ 5, "UpToDate", NULL, NULL };
	f.module[1] = (struct fake_svn){ 3, "OutOfDate", "2025-01-01T00:00:00Z",
					 "[\"TEST-SA-2\",\"TEST-SA-3\"]" };
	return f;
}

struct fake_qe fake_qe(void)
{
	return (struct fake_qe){ .level = { { 4, "UpToDate", NULL, NULL },
					    { 2, "OutOfDate", NULL, "[\"TEST-SA-4\"]" } },
				 .levels = 2 };
}

static const char * or (const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static void put_end(struct text *t, const char *date, const char *status, const char *advisories)
{
	put(t, "\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"", or (date, "2026-06-01T00:00:00Z"),
	    status);
	if (advisories != NULL)
		put(t, ",\"advisoryIDs\":%s", advisories);
	put(t, "}");
}

static void put_svns(struct text *t, const struct fake_svn *level, size_t n)
{
	put(t, "\"tcbLevels\":[");
	for (size_t i = 0; i < n; i++) {
		put(t, "%s{\"tcb\":{\"isvsvn\":%u},", i > 0 ? "," : "", level[i].svn);
		put_end(t, level[i].date, level[i].status, level[i].advisories);
	}
	put(t, "]");
}

static void put_components(struct text *t, const char *key, const uint8_t *svn)
{
	put(t, "\"%s\":[", key);
	for (unsigned i = 0; i < 16; i++)
		put(t, "%s{\"svn\":%u%s}", i > 0 ? "," : "", svn[i],
		    i == 0 ? ",\"category\":\"BIOS\",\"type\":\"test\"" : "");
	put(t, "]");
}

size_t fake_tcb_info(const struct fake_tcb *f, char *out, size_t max)
{
	static const char signer[] =
		"\"mrsigner\":\"" ZEROS_48 "\",\"attributes\":\"0000000000000000\","
		"\"attributesMask\":\"FFFFFFFFFFFFFFFF\"";
	struct text t = { out, max, 0 };

	put(&t, "{\"id\":\"%s\",\"version\":%d,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\",",
	    or (f->id, "TDX"), f->version != 0 ? f->version : 3,
	    or (f->issued, "2027-01-01T00:00:00Z"), or (f->next, "2027-02-01T00:00:00Z"));
	put(&t, "\"fmspc\":\"%s\",\"pceId\":\"0000\",\"tcbType\":%d,",
	    or (f->fmspc, "00906ED50000"), f->type);
	put(&t, "\"tcbEvaluationDataNumber\":%d,\"tdxModule\":{%s},",
	    f->evaluation != 0 ? f->evaluation : 17, signer);
	if (f->modules > 0) {
		put(&t, "\"tdxModuleIdentities\":[{\"id\":\"%s\",%s,", or (f->module_id, "TDX_01"),
		    signer);
		put_svns(&t, f->module, f->modules);
		put(&t, "}],");
	}
	put(&t, "%s\"tcbLevels\":[", or (f->extra, ""));
	for (size_t i = 0; i < f->levels; i++) {
		const struct fake_level *l = &f->level[i];
		put(&t, "%s{\"tcb\":{", i > 0 ? "," : "");
		put_components(&t, "sgxtcbcomponents", l->sgx);
		put(&t, ",\"pcesvn\":%u,", l->pce_svn);
		put_components(&t, "tdxtcbcomponents", l->tdx);
		put(&t, "},");
		put_end(&t, l->date, l->status, l->advisories);
	}
	put(&t, "]}");
	return t.pos;
}

size_t fake_qe_identity(const struct fake_qe *f, char *out, size_t max)
{
	struct text t = { out, max, 0 };

	put(&t, "{\"id\":\"%s\",\"version\":%d,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\",",
	    or (f->id, "TD_QE"), f->version != 0 ? f->version : 2,
	    or (f->issued, "2027-01-01T00:00:00Z"), or (f->next, "2027-02-01T00:00:00Z"));
	put(&t, "\"tcbEvaluationDataNumber\":17,\"miscselect\":\"00000000\","
		"\"miscselectMask\":\"FFFFFFFF\","
		"\"attributes\":\"11000000000000000000000000000000\","
		"\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",");
	put(&t,
	    "\"mrsigner\":"
	    "\"1111111111111111111111111111111111111111111111111111111111111111\","
	    "\"isvprodid\":2,%s",
	    or (f->extra, ""));
	put_svns(&t, f->level, f->levels);
	put(&t, "}");
	return t.pos;
}

size_t fake_signed(const char *key, const char *body, EVP_PKEY *signer, char *out, size_t max)
{
	struct text t = { out, max, 0 };
	uint8_t rs[64] = { 0 };
	char hex[129];

	if (signer != NULL && !tdx_ecdsa_sign(signer, body, strlen(body), rs))
		abort();
	hex_encode(rs, sizeof(rs), hex);
	put(&t, "{\"%s\":%s,\"signature\":\"%s\"}", key, body, hex);
	return t.pos;
}
