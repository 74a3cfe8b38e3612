/* What a quote says, as claims: believed as far as the checks go. */
#include "attest/appraise/check_tdx.h"

#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

/* Names of the bits that are set; "bit 5" where there is no name. */
static void attribute_names(uint64_t v, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned n = 0; n < 64 && at < size; n++) {
		const char *name = tdx_attribute_name(n), *gap = at > 0 ? " " : "";
		if ((v & 1ull << n) == 0)
			continue;
		int more = name != NULL ? snprintf(out + at, size - at, "%s%s", gap, name)
					: snprintf(out + at, size - at, "%sbit%u", gap, n);
		at += (size_t)more;
	}
}

static void claim_body(struct checks *c, const struct tdx_body *b)
{
	uint8_t le[16];
	struct writer w = writer_over(le, sizeof(le));
	char name[16], names[200];

	write_le64(&w, b->td_attributes);
	write_le64(&w, b->xfam);
	attribute_names(b->td_attributes, names, sizeof(names));
	claim_hex(c, "tdx.tee_tcb_svn", b->tee_tcb_svn, TDX_SVN_SIZE);
	claim_hex(c, "tdx.mrseam", b->mrseam, TDX_DIGEST_SIZE);
	claim_hex(c, "tdx.mrsignerseam", b->mrsignerseam, TDX_DIGEST_SIZE);
	claim_hex(c, "tdx.seam_attributes", b->seam_attributes, 8);
	claim_hex(c, "tdx.td_attributes", le, 8);
	claim_text(c, "tdx.td_attributes.set", names);
	claim_hex(c, "tdx.xfam", le + 8, 8);
	claim_hex(c, "tdx.mrtd", b->mrtd, TDX_DIGEST_SIZE);
	claim_hex(c, "tdx.mrconfigid", b->mrconfigid, TDX_DIGEST_SIZE);
	claim_hex(c, "tdx.mrowner", b->mrowner, TDX_DIGEST_SIZE);
	claim_hex(c, "tdx.mrownerconfig", b->mrownerconfig, TDX_DIGEST_SIZE);
	for (unsigned i = 0; i < TDX_RTMRS; i++) {
		snprintf(name, sizeof(name), "tdx.rtmr%u", i);
		claim_hex(c, name, b->rtmr[i], TDX_DIGEST_SIZE);
	}
	claim_hex(c, "tdx.report_data", b->report_data, TDX_REPORT_DATA_SIZE);
	if (b->tee_tcb_svn2 != NULL)
		claim_hex(c, "tdx.tee_tcb_svn2", b->tee_tcb_svn2, TDX_SVN_SIZE);
	if (b->mrservicetd != NULL)
		claim_hex(c, "tdx.mrservicetd", b->mrservicetd, TDX_DIGEST_SIZE);
}

static void claim_qe(struct checks *c, const struct tdx_subject *s)
{
	const struct tdx_qe_report *q = &s->qe;

	claim_hex(c, "tdx.qe.vendor", s->quote.qe_vendor, 16);
	claim_hex(c, "tdx.qe.user_data", s->quote.user_data, 20);
	claim_hex(c, "tdx.qe.cpu_svn", q->cpu_svn, 16);
	claim_hex(c, "tdx.qe.misc_select", q->misc_select, 4);
	claim_hex(c, "tdx.qe.attributes", q->attributes, 16);
	claim_hex(c, "tdx.qe.mrenclave", q->mrenclave, 32);
	claim_hex(c, "tdx.qe.mrsigner", q->mrsigner, 32);
	claim_number(c, "tdx.qe.isv_prod_id", q->isv_prod_id);
	claim_number(c, "tdx.qe.isv_svn", q->isv_svn);
}

static void claim_pck(struct checks *c, const struct tdx_pck *p)
{
	claim_hex(c, "tdx.pck.ppid", p->ppid, sizeof(p->ppid));
	claim_hex(c, "tdx.pck.tcb_components", p->component, sizeof(p->component));
	claim_number(c, "tdx.pck.pce_svn", p->pce_svn);
	claim_hex(c, "tdx.pck.cpu_svn", p->cpu_svn, sizeof(p->cpu_svn));
	claim_hex(c, "tdx.pck.pce_id", p->pce_id, sizeof(p->pce_id));
	claim_hex(c, "tdx.pck.fmspc", p->fmspc, sizeof(p->fmspc));
	claim_number(c, "tdx.pck.sgx_type", p->sgx_type);
	if (p->has_platform_instance)
		claim_hex(c, "tdx.pck.platform_instance_id", p->platform_instance,
			  sizeof(p->platform_instance));
	if (p->has_configuration) {
		claim_text(c, "tdx.pck.dynamic_platform", p->dynamic_platform ? "true" : "false");
		claim_text(c, "tdx.pck.cached_keys", p->cached_keys ? "true" : "false");
		claim_text(c, "tdx.pck.smt_enabled", p->smt ? "true" : "false");
	}
}

void claim_tdx(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	claim_number(a->checks, "tdx.version", s->quote.version);
	claim_number(a->checks, "tdx.body_type", s->quote.body_type);
	claim_number(a->checks, "tdx.trailing_bytes", s->quote.trailing);
	claim_body(a->checks, &s->quote.body);
	claim_qe(a->checks, s);
	if (s->pck_ok)
		claim_pck(a->checks, &s->pck);
}
