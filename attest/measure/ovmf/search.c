#include "attest/measure/ovmf/search.h"

#include "attest/measure/ovmf/cpu_type.h"
#include "attest/measure/snp/vmsa.h"

#include <openssl/crypto.h>
#include <string.h>

/* SEV_FEATURES that a hypervisor may set (AMD APM vol. 2 table B-4): restricted injection 3,
 * alternate injection 4, debug swap 5, prevent host IBS 6, BTB isolation 7, secure TSC 9. Bit 0 is
 * set in every SNP guest; vTOM, ReflectVC and the VMPL shadow stack are for paravisors. */
static const unsigned feature_bits[] = { 3, 4, 5, 6, 7, 9 };
#define FEATURE_BITS (sizeof(feature_bits) / sizeof(feature_bits[0]))
#define FEATURE_SETS (1u << FEATURE_BITS)

static uint64_t feature_set(unsigned n)
{
	uint64_t features = 1;

	for (unsigned i = 0; i < FEATURE_BITS; i++)
		if ((n >> i & 1) != 0)
			features |= 1ull << feature_bits[i];
	return features;
}

/* One kind of processor, in any number up to the most; 1 when one of them matches. */
static int try_counts(const struct ovmf_search *s, struct snp_digest *d, struct ovmf_vcpu v,
		      struct ovmf_found *out, struct err *e)
{
	uint8_t page[SNP_PAGE_SIZE], contents[2][SNP_DIGEST_SIZE];
	int r = 0;

	for (uint32_t kind = 0; r == 0 && kind < 2; kind++) {
		v.eip = ovmf_eip(s->launch.image, kind);
		ovmf_vmsa_fill(&v, page);
		r = snp_digest_contents(d, page, contents[kind], e);
	}
	for (uint32_t cpus = 1; r == 0 && cpus <= s->launch.cpus; cpus++) {
		r = snp_digest_add_hashed(d, SNP_PAGE_VMSA, SNP_VMSA_GPA, contents[cpus > 1], e);
		out->tried++;
		if (r == 0 && CRYPTO_memcmp(d->value, s->expect, SNP_DIGEST_SIZE) == 0) {
			out->found = true;
			out->cpus = cpus;
			out->vcpu = v;
			return 1;
		}
	}
	return r;
}

/* One signature: the features that were asked for, or all of them; KVM of today, then the old. */
static int try_features(const struct ovmf_search *s, struct snp_digest *d,
			const uint8_t before[SNP_DIGEST_SIZE], uint32_t signature,
			struct ovmf_found *out, struct err *e)
{
	unsigned sets = s->only_features ? 1 : FEATURE_SETS;
	int r = 0;

	for (unsigned n = 0; r == 0 && n < 2 * sets; n++) {
		struct ovmf_vcpu v = {
			.signature = signature,
			.features =
				s->only_features ? s->launch.vcpu.features : feature_set(n % sets),
			.no_fpu = n >= sets,
		};
		memcpy(d->value, before, SNP_DIGEST_SIZE);
		r = try_counts(s, d, v, out, e);
	}
	return r;
}

static int try_signatures(const struct ovmf_search *s, struct snp_digest *d, struct ovmf_found *out,
			  struct err *e)
{
	uint8_t before[SNP_DIGEST_SIZE];
	uint32_t last = 0;
	int r = 0;

	memcpy(before, d->value, SNP_DIGEST_SIZE);
	if (s->only_signature)
		return try_features(s, d, before, s->launch.vcpu.signature, out, e);
	for (const struct cpu_type *t = cpu_types; r == 0 && t->name != NULL; t++) {
		if (t->signature != last)
			r = try_features(s, d, before, t->signature, out, e);
		last = t->signature;
	}
	return r;
}

/* With the kernel's hashes where there are any, then without. */
static int try_hashes(const struct ovmf_search *s, struct snp_digest *d, struct ovmf_found *out,
		      struct err *e)
{
	struct ovmf_launch l = s->launch;
	uint8_t before[SNP_DIGEST_SIZE];
	uint32_t number = 0;
	int r;

	l.each = NULL;
	r = ovmf_add_firmware(&l, d, &number, e);
	memcpy(before, d->value, SNP_DIGEST_SIZE);
	for (int with = l.hashes != NULL; r == 0 && with >= 0; with--) {
		out->hashes = with;
		if (!with)
			l.hashes = NULL;
		memcpy(d->value, before, SNP_DIGEST_SIZE);
		r = ovmf_add_sections(&l, d, &number, e);
		if (r == 0)
			r = try_signatures(s, d, out, e);
	}
	return r;
}

int ovmf_search(const struct ovmf_search *s, struct ovmf_found *out, struct err *e)
{
	struct snp_digest d;
	int r;

	*out = (struct ovmf_found){ 0 };
	r = snp_digest_open(&d, e);
	if (r == 0)
		r = try_hashes(s, &d, out, e);
	snp_digest_close(&d);
	return r < 0 ? r : 0;
}
