#include "common/snp_term.h"

#include <stddef.h>

static const struct {
	unsigned set, reason;
	const char *text;
} sentences[] = {
	{ 0, 0, "a general request: the guest saw something it does not trust; its console may say "
		"more" },
	{ 0, 1, "guest and host share no version of the GHCB protocol: use Linux 6.11 or newer on "
		"the host" },
	{ 0, 2, "the guest's kernel lacks an SNP feature that is switched on: measure with "
		"sev_features 1" },
	{ 1, 0, "the kernel could not register its GHCB: host bug, use a newer host kernel" },
	{ 1, 1, "a change between private and shared memory failed: see the VMM's log" },
	{ 1, 2, "a page could not be validated: the host may have replaced it" },
	{ 1, 3, "the kernel does not run at VMPL 0: the firmware must start it there" },
	{ 1, 4, "the kernel could not use the CPUID page: firmware and kernel disagree about it" },
	{ 1, 5, "the kernel could not ask the host for CPUID: use a newer host kernel" },
	{ 1, 6, "the kernel found no usable secrets page: firmware and kernel disagree about it" },
	{ 1, 7, "the kernel does not run at VMPL 0 and found no SVSM" },
	{ 1, 8, "an SVSM claims VMPL 0 for the kernel" },
	{ 1, 9, "the SVSM's calling area is not usable" },
	{ 1, 10, "the kernel could not set up its secure TSC: start without that SEV feature" },
	{ 1, 11, "the SVSM refused to move the kernel's calling area" },
};

const char *snp_term_text(unsigned set, unsigned reason)
{
	if (set == SNP_TERM_SET_TDX)
		return "the trust domain's kernel reported a fatal error: its words are in the VMM's "
		       "log";
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].set == set && sentences[i].reason == reason)
			return sentences[i].text;
	return "a reason this version does not know: look it up in the guest's kernel";
}
