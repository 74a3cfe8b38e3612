/* Which launch gives this digest? Tries what people get wrong: the number of processors, their
 * model, SEV_FEATURES, the hashes of the kernel, and the age of the host's KVM. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_SEARCH_H
#define PAVISE_ATTEST_MEASURE_OVMF_SEARCH_H

#include "attest/measure/ovmf/launch.h"

struct ovmf_search {
	struct ovmf_launch launch; /* image and hashes to try; cpus: the most to try; each is not
				    * called */
	bool only_signature;	   /* try launch.vcpu.signature and no other */
	bool only_features;	   /* try launch.vcpu.features and no others */
	uint8_t expect[SNP_DIGEST_SIZE];
};

struct ovmf_found {
	bool found, hashes; /* hashes: with those of the launch */
	uint32_t cpus;
	struct ovmf_vcpu vcpu;
	uint64_t tried; /* combinations, the one that matched included */
};

/* Time grows with the combinations, not with the image: its pages are hashed once, each further
 * processor costs two blocks of SHA-384. Fills *out; no match is no error. */
int ovmf_search(const struct ovmf_search *s, struct ovmf_found *out, struct err *e);

#endif
