/* What the reasons of a GHCB termination request mean, for VMM and launcher. */
#ifndef PAVISE_COMMON_SNP_TERM_H
#define PAVISE_COMMON_SNP_TERM_H

/* Not a set of the GHCB's, which has four bits: a trust domain reported a fatal error. */
#define SNP_TERM_SET_TDX 16u

/* A sentence with a next step; never NULL. set: 0 the GHCB specification's, 1 Linux's (its
 * arch/x86/include/asm/sev-common.h); firmware stops have a set of their own (firmware/stop.h). */
const char *snp_term_text(unsigned set, unsigned reason);

#endif
