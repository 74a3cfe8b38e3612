#include "tests/model/fault/launch_snp.h"

#include "firmware/layout.h"
#include "model/launch.h"
#include "model/psp_wire.h"
#include "vmm/kvm/sev.h"

#include <errno.h>
#include <string.h>

/* The CPUID page (SEV-SNP firmware ABI 56860, "CPUID page"): 64 entries behind a header. */
#define CPUID_HEAD    16u
#define CPUID_ENTRY   48u
#define CPUID_ENTRIES 64u
#define CPUID_APIC_ID 31u /* leaf 1 EBX bits 31:24 */
#define CPUID_EDX     36u

#define INTO_PAGE  0x800u
#define FIRST_DEAD 3u

static enum kind {
	NONE, AGAIN, INTR, SIGNAL, PARTIAL, LATE, CPUID,
	FULL, OFF, DEAD, FLUSH, ASID, FOREVER, SIGNALS, IDLE, AHEAD, RAGGED, TWICE, CREATING,
	SKIP, REPEAT, ELSEWHERE,
	KINDS
} kind;
static unsigned calls, corrections;

int __wrap_sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw);
int __real_sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw);
int __wrap_sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw);
int __real_sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw);
int __wrap_sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw);
int __real_sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw);
int __wrap_sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw);
int __real_sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw);

bool fault_launch_snp(const char *name)
{
	static const char *const names[KINDS] = {
		"", "again", "intr", "signal", "partial", "late", "cpuid", "full", "off", "dead",
		"flush", "asid", "forever", "signals", "idle", "ahead", "ragged", "twice",
		"creating", "skip", "repeat", "elsewhere",
	};

	for (int i = AGAIN; i < KINDS; i++)
		if (strcmp(name, names[i]) == 0)
			kind = (enum kind)i;
	return kind != NONE;
}

int __wrap_sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw)
{
	if (kind != FULL && kind != OFF)
		return __real_sev_init2(vm_fd, sev_fd, vmsa_features, fw);
	*fw = 0;
	return kind == FULL ? -EBUSY : -ENOTTY;
}

int __wrap_sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw)
{
	if (kind != FLUSH && kind != ASID)
		return __real_sev_launch_start(vm_fd, sev_fd, policy, fw);
	*fw = kind == FLUSH ? PSP_DFFLUSH_REQUIRED : PSP_INVALID_ASID;
	return -EIO;
}

static void advance(struct uapi_snp_update *u)
{
	u->gfn_start++;
	u->len -= FW_PAGE;
	if (u->type != PSP_TYPE_ZERO)
		u->uaddr += FW_PAGE;
}

/* Of a longer range only the first page is done. */
static int one_page(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	struct uapi_snp_update one = *u;
	int rc;

	one.len = FW_PAGE;
	rc = __real_sev_launch_update(vm_fd, sev_fd, &one, fw);
	if (rc == 0)
		advance(u);
	return rc;
}

static uint8_t *leaf_1(const struct uapi_snp_update *u)
{
	uint8_t *page = (uint8_t *)(uintptr_t)u->uaddr;

	for (unsigned i = 0; i < CPUID_ENTRIES; i++) {
		uint32_t leaf;

		memcpy(&leaf, page + CPUID_HEAD + (size_t)CPUID_ENTRY * i, sizeof(leaf));
		if (leaf == 1)
			return page + CPUID_HEAD + (size_t)CPUID_ENTRY * i;
	}
	return page + CPUID_HEAD; /* then the VMM's page is none, and the test will say so */
}

/* A bit that no processor has (leaf 1 EDX bit 10): the firmware cannot but correct the page. Where
 * it would have liked the VMM's page, the VMM gets to see a difference all the same, in a field
 * that the firmware takes as it is. */
static int correct(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	unsigned times = kind == CPUID ? 1 : 2;
	int rc;

	if (u->type != PSP_TYPE_CPUID || corrections++ >= times)
		return __real_sev_launch_update(vm_fd, sev_fd, u, fw);
	leaf_1(u)[CPUID_EDX + 1] |= 4;
	rc = __real_sev_launch_update(vm_fd, sev_fd, u, fw);
	leaf_1(u)[CPUID_APIC_ID] ^= 1;
	return rc;
}

/* The host's kernel says that it did as told, and did not. */
static int lie(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	struct uapi_snp_update other = *u;
	int rc;

	other.len = FW_PAGE;
	if (kind == SKIP && u->gfn_start == FW_HASH_PAGE / FW_PAGE) {
		advance(u);
		return 0;
	}
	if (kind == REPEAT && u->gfn_start == FW_IMAGE / FW_PAGE + 1)
		other.uaddr -= FW_PAGE;
	if (kind == ELSEWHERE && u->gfn_start == FW_HASH_PAGE / FW_PAGE)
		other.gfn_start = FW_GHCB / FW_PAGE;
	rc = __real_sev_launch_update(vm_fd, sev_fd, &other, fw);
	if (rc == 0)
		advance(u);
	return rc;
}

static int strained(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	bool odd = calls++ % 2 == 0;

	switch (kind) {
	case AGAIN:
	case FOREVER:
		return odd || kind == FOREVER ? -EAGAIN : one_page(vm_fd, sev_fd, u, fw);
	case INTR:
		return odd ? -EINTR : one_page(vm_fd, sev_fd, u, fw);
	case SIGNAL:
	case SIGNALS:
		return odd || kind == SIGNALS ? -EIO : one_page(vm_fd, sev_fd, u, fw);
	case LATE:
		return one_page(vm_fd, sev_fd, u, fw) < 0 ? -EIO : -EAGAIN;
	case DEAD:
		*fw = calls > FIRST_DEAD ? SEV_FW_NONE : 0;
		return calls > FIRST_DEAD ? -EBUSY : one_page(vm_fd, sev_fd, u, fw);
	case AHEAD:
		u->len += FW_PAGE;
		return 0;
	case RAGGED:
		u->len -= INTO_PAGE;
		return 0;
	case IDLE:
		return 0;
	default: /* PARTIAL */
		return one_page(vm_fd, sev_fd, u, fw);
	}
}

int __wrap_sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	*fw = 0;
	if (kind == NONE || kind == FLUSH || kind == ASID || kind == CREATING)
		return __real_sev_launch_update(vm_fd, sev_fd, u, fw);
	if (kind == CPUID || kind == TWICE)
		return correct(vm_fd, sev_fd, u, fw);
	if (kind >= SKIP)
		return lie(vm_fd, sev_fd, u, fw);
	return strained(vm_fd, sev_fd, u, fw);
}

int __wrap_sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw)
{
	if (kind != CREATING)
		return __real_sev_launch_finish(vm_fd, sev_fd, f, fw);
	*fw = SEV_FW_NONE;
	return -EBUSY;
}
