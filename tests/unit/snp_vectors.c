#include "tests/unit/snp_vectors.h"

#include "tests/unit/vectors.h"

#include <openssl/asn1.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct checks snp_result;
const struct snp_policy *snp_vector_policy;

const struct snp_vector snp_vectors[SNP_VECTORS] = {
	{ "milan-v2-debug", "vcek.der", "milan", EX_REFUSED },
	{ "milan-v2-azure", "vcek.der", "milan", EX_OK },
	{ "milan-v3-vlek-aws-vmpl1", "vlek.der", "milan_vlek", EX_OK },
	{ "genoa-v3-tsm-certtable", "vcek.pem", "genoa", EX_OK },
	{ "genoa-v5-siena", "vcek.der", "genoa", EX_OK },
	{ "turin-v5", "vcek.pem", "turin", EX_OK },
	{ "milan-v5-gcp", "vcek.pem", "milan", EX_OK },
};

void snp_vector_add(struct snp_certs *certs, const char *folder, const char *file)
{
	char path[256];
	size_t size;
	struct err e = { 0 };

	snprintf(path, sizeof(path), "snp/%s/%s", folder, file);
	uint8_t *data = vector_read(path, &size);
	if (snp_certs_add(certs, path, data, size, &e) < 0)
		fail_msg("%s", e.text);
	free(data);
}

uint8_t *snp_vector_report(const char *folder, size_t *size)
{
	char path[256];

	snprintf(path, sizeof(path), "snp/%s/report.bin", folder);
	return vector_read(path, size);
}

struct snp_certs snp_vector_certs(size_t i, const char *chain)
{
	struct snp_certs certs = { 0 };
	char file[64];

	snp_vector_add(&certs, snp_vectors[i].name, snp_vectors[i].vek);
	snprintf(file, sizeof(file), "%s.pem", chain != NULL ? chain : snp_vectors[i].chain);
	snp_vector_add(&certs, "chains", file);
	return certs;
}

time_t snp_vector_time(const struct snp_certs *c)
{
	struct tm tm = { 0 };

	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(c->cert[SNP_ROLE_VEK]), &tm), 1);
	return timegm(&tm) + 86400;
}

enum exit_status snp_vector_judge(const uint8_t *report, size_t size, struct snp_certs certs,
				  time_t now)
{
	struct snp_appraisal a = { .report = report,
				   .report_size = size,
				   .certs = &certs,
				   .now = now,
				   .policy = snp_vector_policy,
				   .unjudged = "nobody judges here",
				   .checks = &snp_result };

	memset(&snp_result, 0, sizeof(snp_result));
	check_snp(&a);
	snp_certs_free(&certs);
	return checks_verdict(&snp_result);
}

const struct check *snp_vector_check(const char *id)
{
	static const struct check absent;

	for (size_t i = 0; i < snp_result.count; i++)
		if (strcmp(snp_result.item[i].id, id) == 0)
			return &snp_result.item[i];
	fail_msg("check %s is not in the result", id);
	return &absent;
}

void snp_vector_status(const char *id, enum check_status status)
{
	const struct check *k = snp_vector_check(id);

	if (k->status != status)
		fail_msg("%s: status %d: %s", id, (int)k->status, k->note);
}
