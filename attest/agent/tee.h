/* Where the agent gets the report of a confidential guest's hardware. Which one is a matter of
 * linking: pavise-agent asks the kernel (tee_tsm.c), pavise-agent-sim the platform model. */
#ifndef PAVISE_ATTEST_AGENT_TEE_H
#define PAVISE_ATTEST_AGENT_TEE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define TEE_DATA 64u              /* REPORT_DATA */
#define TEE_SNP_REPORT 1184u      /* bytes of an SEV-SNP report (56860 "ATTESTATION_REPORT") */
#define TEE_SNP_REPORT_DATA 0x50u /* its REPORT_DATA */
#define TEE_QUOTE_MAX 16384u      /* bytes of a TDX quote; today's have about 5000 */
#define TEE_CERTS_MAX 65536u

enum tee_kind { TEE_SNP, TEE_TDX };

struct tee_report {
	uint8_t report[TEE_QUOTE_MAX]; /* ATTESTATION_REPORT, or a quote */
	size_t size;                   /* bytes */
	uint8_t certs[TEE_CERTS_MAX];  /* SEV-SNP: GUIDed table */
	size_t certs_size;             /* 0: the host gave none */
};

struct agent_tee {
	enum tee_kind kind;
	const char *provider; /* "hardware" or "simulated", as PROTOCOL.evidence has it */
	/* Fills *out for that data. -EX_GUEST. */
	int (*report)(const struct agent_tee *t, const uint8_t data[TEE_DATA],
		      struct tee_report *out, struct err *e);
	const char *path; /* tee_tsm.c: the folder of reports */
};

/* 1: this guest has a TEE, *out is ready; 0: a plain guest. -EX_GUEST: it should, but does not
 * answer. */
int agent_tee_open(struct agent_tee *out, struct err *e);

/* A report or quote that is none, or answers other data than was asked, is not passed on. */
int tee_check_report(enum tee_kind kind, const uint8_t *report, size_t size,
		     const uint8_t data[TEE_DATA], struct err *e);

#endif
