/* ATTESTATION_REPORT, version 5 (56860 table of that name): the bytes are as hardware's. That it
 * is simulated is said by the certificates, which no relying party can overlook. */
#include "model/psp/machine.h"

#include "common/bytes.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <string.h>

#define REPORT_VERSION 5u
#define REPORT_SIGNED 0x2a0u
#define SIGNATURE_NUMBER 72u
#define ALGORITHM_P384_SHA384 1u
#define PLATFORM_SMT 1u
#define PLATFORM_ECC (1u << 2)
#define PLATFORM_ALIAS_CHECK (1u << 5)

static void write_version(struct writer *w, const struct psp_platform *host)
{
	write_u8(w, host->build);
	write_u8(w, host->api_minor);
	write_u8(w, host->api_major);
	write_u8(w, 0);
}

static void write_identity(struct writer *w, const struct psp *p, uint32_t vmpl)
{
	const struct psp_guest *g = &p->guest;

	write_le32(w, REPORT_VERSION);
	write_le32(w, g->svn);
	write_le64(w, g->policy);
	write_copy(w, g->family_id, sizeof(g->family_id));
	write_copy(w, g->image_id, sizeof(g->image_id));
	write_le32(w, vmpl);
	write_le32(w, ALGORITHM_P384_SHA384);
	write_copy(w, p->chip.tcb, sizeof(p->chip.tcb)); /* CURRENT_TCB */
	write_le64(w, PLATFORM_ECC | PLATFORM_ALIAS_CHECK |
		      (p->platform.smt ? PLATFORM_SMT : 0));
	write_le32(w, g->author_key_en ? 1 : 0); /* signing key: VCEK */
	write_le32(w, 0);
}

static void write_platform(struct writer *w, const struct psp *p)
{
	const struct psp_chip *chip = &p->chip;

	write_copy(w, chip->tcb, sizeof(chip->tcb)); /* REPORTED_TCB */
	write_copy(w, chip->fms, sizeof(chip->fms));
	write_zeros(w, 21);
	write_copy(w, chip->id, sizeof(chip->id));
	write_copy(w, chip->tcb, sizeof(chip->tcb)); /* COMMITTED_TCB */
	write_version(w, &p->platform);              /* current */
	write_version(w, &p->platform);              /* committed */
	write_copy(w, chip->tcb, sizeof(chip->tcb)); /* LAUNCH_TCB */
	write_le64(w, 0);                            /* LAUNCH_MIT_VECTOR */
	write_le64(w, 0);                            /* CURRENT_MIT_VECTOR */
}

/* r and s as little-endian numbers of 72 bytes. */
static bool write_signature(struct writer *w, const uint8_t *der, size_t size)
{
	uint8_t number[SIGNATURE_NUMBER];
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)size);
	bool good = sig != NULL;

	for (int i = 0; good && i < 2; i++) {
		const BIGNUM *n = i == 0 ? ECDSA_SIG_get0_r(sig) : ECDSA_SIG_get0_s(sig);
		good = BN_bn2lebinpad(n, number, sizeof(number)) == (int)sizeof(number);
		write_copy(w, number, sizeof(number));
	}
	ECDSA_SIG_free(sig);
	return good;
}

static bool sign(const struct psp_chip *chip, uint8_t report[PSP_REPORT_SIZE])
{
	struct writer w = writer_over(report + REPORT_SIGNED, PSP_REPORT_SIZE - REPORT_SIGNED);
	uint8_t der[128];
	size_t size = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL &&
		    EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, chip->key) == 1 &&
		    EVP_DigestSign(ctx, der, &size, report, REPORT_SIGNED) == 1 &&
		    write_signature(&w, der, size) && !w.bad;

	EVP_MD_CTX_free(ctx);
	return good;
}

uint32_t psp_report(const struct psp *p, const struct psp_report_request *r,
		    uint8_t out[PSP_REPORT_SIZE])
{
	const struct psp_guest *g = &p->guest;
	struct writer w = writer_over(out, REPORT_SIGNED);
	uint8_t no_agent[32];

	memset(out, 0, PSP_REPORT_SIZE);
	memset(no_agent, 0xff, sizeof(no_agent));
	write_identity(&w, p, r->vmpl);
	write_copy(&w, r->report_data, sizeof(r->report_data));
	write_copy(&w, g->launch_digest, sizeof(g->launch_digest));
	write_copy(&w, g->host_data, sizeof(g->host_data));
	write_copy(&w, g->id_key_digest, sizeof(g->id_key_digest));
	write_copy(&w, g->author_key_digest, sizeof(g->author_key_digest));
	write_copy(&w, g->report_id, sizeof(g->report_id));
	write_copy(&w, no_agent, sizeof(no_agent));
	write_platform(&w, p);
	return !w.bad && sign(&p->chip, out) ? PSP_SUCCESS : PSP_INVALID_PLATFORM_STATE;
}
