/* The reports of real chips among the vectors (tests/unit/vectors.h), and a judge for them. */
#ifndef PAVISE_TESTS_UNIT_SNP_VECTORS_H
#define PAVISE_TESTS_UNIT_SNP_VECTORS_H

#include "attest/appraise/check_snp.h"

#define SNP_VECTORS 7u

extern const struct snp_vector {
	const char *name, *vek, *chain;
	enum exit_status verdict; /* by "permissive", within the validity */
} snp_vectors[SNP_VECTORS];

extern struct checks snp_result;		   /* of the last judgment */
extern const struct snp_policy *snp_vector_policy; /* NULL: none, nothing is judged */

/* Certificates of a file below snp/FOLDER, into certs. */
void snp_vector_add(struct snp_certs *certs, const char *folder, const char *file);
/* The report in snp/FOLDER (free it). */
uint8_t *snp_vector_report(const char *folder, size_t *size);
/* The certificates of snp_vectors[i], with the chain of another product if chain is not NULL. */
struct snp_certs snp_vector_certs(size_t i, const char *chain);
/* A day after the VEK's notBefore. */
time_t snp_vector_time(const struct snp_certs *c);
/* Takes certs over. */
enum exit_status snp_vector_judge(const uint8_t *report, size_t size, struct snp_certs certs,
				  time_t now);
const struct check *snp_vector_check(const char *id);
void snp_vector_status(const char *id, enum check_status status);

#endif
