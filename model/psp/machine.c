#include "model/psp/machine.h"

#include <openssl/rand.h>
#include <string.h>

/* Bits of the guest policy (56860 table "Guest Policy"). Genoa's firmware knows none above 20. */
#define POLICY_SMT (1ull << 16)
#define POLICY_MUST_BE_ONE (1ull << 17)
#define POLICY_SINGLE_SOCKET (1ull << 20)
#define POLICY_KNOWN ((1ull << 21) - 1)
#define TWO_MIB (2ull << 20)

void psp_init(struct psp *p)
{
	*p = (struct psp){
		.platform = { .initialized = true, .smt = true, .sockets = 1, .api_major = 1,
			      .api_minor = 55, .build = 21, .asid_max = 99,
			      .fms = cpuid_fms_of_this_machine() },
		/* Genoa: family 19h, model 11h, stepping 1. */
		.chip = { .fms = { 0x19, 0x11, 1 } },
	};
}

static bool zeros(const uint8_t *data, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= data[i];
	return any == 0;
}

static uint32_t gctx_create(struct psp *p, const struct psp_gctx_create *c)
{
	if (c->page_state > PSP_PAGE_GUEST_VALID || c->page_size > PSP_SIZE_2M)
		return PSP_INVALID_PARAM;
	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	/* One connection is one context page: a second creation finds it in use. */
	if (c->page_state != PSP_PAGE_FIRMWARE || p->guest.exists)
		return PSP_INVALID_PAGE_STATE;
	if (c->page_size != PSP_SIZE_4K)
		return PSP_INVALID_PAGE_SIZE;
	p->guest = (struct psp_guest){ .exists = true };
	return PSP_SUCCESS;
}

static bool policy_fits(const struct psp_platform *host, uint64_t policy)
{
	unsigned wanted = (unsigned)(policy >> 8 & 0xff) << 8 | (unsigned)(policy & 0xff);
	unsigned have = (unsigned)host->api_major << 8 | host->api_minor;

	return (policy & POLICY_MUST_BE_ONE) != 0 && (policy & ~POLICY_KNOWN) == 0 &&
	       ((policy & POLICY_SMT) != 0 || !host->smt) && wanted <= have;
}

static uint32_t launch_start(struct psp *p, const struct psp_launch_start *c)
{
	struct psp_guest *g = &p->guest;

	if (c->reserved != 0 || (c->flags & ~(PSP_START_MA_EN | PSP_START_IMI_EN)) != 0)
		return PSP_INVALID_PARAM;
	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (!g->exists)
		return PSP_INVALID_GUEST;
	if (g->state != PSP_GUEST_INIT)
		return PSP_INVALID_GUEST_STATE;
	if ((c->flags & PSP_START_MA_EN) != 0)
		return PSP_INVALID_GUEST; /* no page here is a migration agent's context */
	if (!policy_fits(&p->platform, c->policy))
		return PSP_POLICY_FAILURE;
	if (RAND_bytes(&g->vmpck[0][0], sizeof(g->vmpck)) != 1 ||
	    RAND_bytes(g->report_id, sizeof(g->report_id)) != 1)
		return PSP_INVALID_PLATFORM_STATE; /* no entropy: nothing a guest can rely on */
	g->policy = c->policy;
	g->imi = (c->flags & PSP_START_IMI_EN) != 0;
	memcpy(g->gosvw, c->gosvw, sizeof(g->gosvw));
	g->state = PSP_GUEST_LAUNCH;
	return PSP_SUCCESS;
}

static uint32_t activate(struct psp *p, const struct psp_activate *c)
{
	const struct psp_platform *host = &p->platform;
	struct psp_guest *g = &p->guest;

	if (c->reserved != 0)
		return PSP_INVALID_PARAM;
	if (!host->initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (!g->exists)
		return PSP_INVALID_GUEST;
	if (g->state == PSP_GUEST_INIT)
		return PSP_INVALID_GUEST_STATE;
	if (c->asid != 0 && c->asid == host->asid_with_pages)
		return PSP_INVALID_CONFIG;
	if ((g->policy & POLICY_SINGLE_SOCKET) != 0 && host->sockets > 1)
		return PSP_POLICY_FAILURE;
	if (c->asid == 0 || c->asid > host->asid_max)
		return PSP_INVALID_ASID;
	if (c->asid == host->asid_owned || g->asid != 0)
		return PSP_ASID_OWNED;
	if (c->asid == host->asid_dirty)
		return PSP_WBINVD_REQUIRED;
	if (c->asid == host->asid_unflushed)
		return PSP_DFFLUSH_REQUIRED;
	g->asid = c->asid;
	return PSP_SUCCESS;
}

/* Everything about the page but its contents. */
static uint32_t check_update(const struct psp *p, const struct psp_launch_update *c)
{
	const struct psp_guest *g = &p->guest;

	if (c->imi_page > 1 || c->page_size > PSP_SIZE_2M || c->rmp_size > PSP_SIZE_2M)
		return PSP_INVALID_PARAM;
	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (!g->exists)
		return PSP_INVALID_GUEST;
	if (c->rmp_state != PSP_PAGE_PRE_GUEST)
		return PSP_INVALID_PAGE_STATE;
	if (c->page_size != c->rmp_size)
		return PSP_INVALID_PAGE_SIZE;
	if (c->gpa % (c->page_size == PSP_SIZE_2M ? TWO_MIB : PSP_PAGE) != 0)
		return PSP_INVALID_ADDRESS;
	/* KVM gives 4 KiB pages only, and a message has room for no more. */
	if (c->page_size != PSP_SIZE_4K)
		return PSP_INVALID_PAGE_SIZE;
	if (c->page_type < PSP_TYPE_NORMAL || c->page_type > PSP_TYPE_CPUID)
		return PSP_INVALID_PARAM;
	if (g->state != PSP_GUEST_LAUNCH)
		return PSP_INVALID_GUEST_STATE;
	if (g->asid == 0)
		return PSP_INACTIVE;
	if (c->rmp_asid != g->asid)
		return PSP_INVALID_PAGE_OWNER;
	if ((c->imi_page != 0) != g->imi)
		return PSP_INVALID_PARAM;
	return PSP_SUCCESS;
}

static uint32_t launch_update(struct psp *p, struct psp_launch_update *c, uint8_t *out,
			      size_t *out_size)
{
	uint32_t status = check_update(p, c);

	if (status != PSP_SUCCESS)
		return status;
	if (c->page_type == PSP_TYPE_CPUID) {
		enum cpuid_verdict v = cpuid_check(c->data, p->platform.fms);

		if (v == CPUID_CORRECTED) {
			memcpy(out, c->data, PSP_PAGE);
			*out_size = PSP_PAGE;
		}
		if (v != CPUID_GOOD)
			return PSP_INVALID_PARAM;
	}
	bool measured = c->page_type == PSP_TYPE_NORMAL || c->page_type == PSP_TYPE_VMSA;
	if (psp_extend(p->guest.launch_digest, c, measured) != 0)
		return PSP_INVALID_PLATFORM_STATE;
	if (c->page_type == PSP_TYPE_SECRETS) {
		psp_secrets(p, out);
		*out_size = PSP_PAGE;
	}
	return PSP_SUCCESS;
}

static uint32_t launch_finish(struct psp *p, const struct psp_launch_finish *c)
{
	struct psp_guest *g = &p->guest;

	if (c->id_block_en > 1 || c->auth_key_en > 1 || c->vcek_disabled > 1 ||
	    !zeros(c->reserved, sizeof(c->reserved)))
		return PSP_INVALID_PARAM;
	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (!g->exists)
		return PSP_INVALID_GUEST;
	if (g->state != PSP_GUEST_LAUNCH || g->imi)
		return PSP_INVALID_GUEST_STATE;
	if (g->asid == 0)
		return PSP_INACTIVE;
	if (c->id_block_en != 0) {
		uint32_t status = psp_identity(g, c);
		if (status != PSP_SUCCESS)
			return status;
	}
	memcpy(g->host_data, c->host_data, sizeof(g->host_data));
	g->vcek_disabled = c->vcek_disabled != 0;
	g->state = PSP_GUEST_RUNNING;
	return PSP_SUCCESS;
}

static uint32_t guest_report(const struct psp *p, const struct psp_report_request *c,
			     uint8_t *out, size_t *out_size)
{
	struct psp_report_answer a = { .report_size = PSP_REPORT_SIZE };

	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (!p->guest.exists)
		return PSP_INVALID_GUEST;
	if (p->guest.state != PSP_GUEST_RUNNING)
		return PSP_INVALID_GUEST_STATE;
	/* The guest's mistakes are answered to the guest. */
	if (c->vmpl > 3 || c->key_sel > 2 || !zeros(c->reserved, sizeof(c->reserved)))
		a.status = PSP_INVALID_PARAM;
	else if (c->key_sel == 2 || p->guest.vcek_disabled)
		a.status = PSP_INVALID_KEY;
	else
		a.status = psp_report(p, c, a.report);
	a.certs_size = (uint32_t)p->chip.certs_size;
	if (a.status != PSP_SUCCESS) {
		memset(a.report, 0, sizeof(a.report));
		a.report_size = a.certs_size = 0;
	}
	memcpy(out, &a, sizeof(a));
	if (a.certs_size != 0)
		memcpy(out + sizeof(a), p->chip.certs, a.certs_size);
	*out_size = sizeof(a) + a.certs_size;
	return PSP_SUCCESS;
}

static uint32_t page_reclaim(const struct psp *p, const struct psp_page_reclaim *c)
{
	if (c->page_size > PSP_SIZE_2M || c->rmp_size > PSP_SIZE_2M || c->rmp_immutable > 1 ||
	    c->rmp_state > PSP_PAGE_GUEST_VALID)
		return PSP_INVALID_PARAM;
	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (c->page_size != c->rmp_size)
		return PSP_INVALID_PAGE_SIZE;
	if (c->address % (c->page_size == PSP_SIZE_2M ? TWO_MIB : PSP_PAGE) != 0)
		return PSP_INVALID_ADDRESS;
	if (c->rmp_immutable == 0)
		return PSP_SUCCESS;
	/* FIRMWARE, PRE_GUEST and PRE_SWAP go back; a context page only by DECOMMISSION. */
	if (c->rmp_state != PSP_PAGE_FIRMWARE && c->rmp_state != PSP_PAGE_PRE_GUEST &&
	    c->rmp_state != PSP_PAGE_PRE_SWAP)
		return PSP_INVALID_PAGE_STATE;
	return PSP_SUCCESS;
}

static uint32_t decommission(struct psp *p)
{
	if (!p->platform.initialized)
		return PSP_INVALID_PLATFORM_STATE;
	if (!p->guest.exists)
		return PSP_INVALID_GUEST;
	OPENSSL_cleanse(&p->guest, sizeof(p->guest));
	return PSP_SUCCESS;
}

/* Large enough for any command; copied once, so that nothing changes while it is checked. */
union command {
	struct psp_gctx_create create;
	struct psp_launch_start start;
	struct psp_activate activate;
	struct psp_launch_update update;
	struct psp_launch_finish finish;
	struct psp_report_request report;
	struct psp_page_reclaim reclaim;
};

static const uint32_t payload_size[] = {
	[PSP_GCTX_CREATE] = sizeof(struct psp_gctx_create),
	[PSP_LAUNCH_START] = sizeof(struct psp_launch_start),
	[PSP_ACTIVATE] = sizeof(struct psp_activate),
	[PSP_LAUNCH_UPDATE] = sizeof(struct psp_launch_update),
	[PSP_LAUNCH_FINISH] = sizeof(struct psp_launch_finish),
	[PSP_GUEST_REPORT] = sizeof(struct psp_report_request),
	[PSP_PAGE_RECLAIM] = sizeof(struct psp_page_reclaim),
	[PSP_DECOMMISSION] = 0,
};

static uint32_t run(struct psp *p, uint32_t command, union command *c, uint8_t *out,
		    size_t *out_size)
{
	switch (command) {
	case PSP_GCTX_CREATE:
		return gctx_create(p, &c->create);
	case PSP_LAUNCH_START:
		return launch_start(p, &c->start);
	case PSP_ACTIVATE:
		return activate(p, &c->activate);
	case PSP_LAUNCH_UPDATE:
		return launch_update(p, &c->update, out, out_size);
	case PSP_LAUNCH_FINISH:
		return launch_finish(p, &c->finish);
	case PSP_GUEST_REPORT:
		return guest_report(p, &c->report, out, out_size);
	case PSP_PAGE_RECLAIM:
		return page_reclaim(p, &c->reclaim);
	default:
		return decommission(p);
	}
}

int psp_handle(struct psp *p, const void *message, size_t size, uint8_t *answer,
	       size_t *answer_size, struct err *e)
{
	struct psp_header h;
	union command c;
	size_t out_size = 0;

	if (size < sizeof(h))
		return err_set(e, EX_MALFORMED, "psp: message of %zu bytes", size);
	memcpy(&h, message, sizeof(h));
	if (h.magic != PSP_MAGIC || h.status != 0 || h.size != size - sizeof(h))
		return err_set(e, EX_MALFORMED, "psp: header with magic 0x%x, status 0x%x and "
			       "size %u before %zu bytes", h.magic, h.status, h.size,
			       size - sizeof(h));
	if (h.command < PSP_GCTX_CREATE || h.command > PSP_DECOMMISSION ||
	    h.size != payload_size[h.command])
		return err_set(e, EX_MALFORMED, "psp: command %u with %u bytes", h.command, h.size);
	memset(&c, 0, sizeof(c));
	memcpy(&c, (const uint8_t *)message + sizeof(h), h.size);
	h.status = run(p, h.command, &c, answer + sizeof(h), &out_size);
	h.size = (uint32_t)out_size;
	memcpy(answer, &h, sizeof(h));
	*answer_size = sizeof(h) + out_size;
	return 0;
}
