#include "tests/model/launch_compare.h"

#include "attest/snp/report.h"
#include "attest/tdx/tdreport.h"
#include "common/bytes.h"
#include "common/plan.h"

#include <string.h>

static bool is_of_seed(const uint8_t *value, size_t size, uint8_t seed)
{
	uint8_t want[64];

	launch_fill(want, size, seed);
	return memcmp(value, want, size) == 0;
}

/* The digest of a key that signed; zero without. */
static bool is_key(const struct launch *l, bool used, enum id_key which, const uint8_t *digest)
{
	uint8_t want[ID_DIGEST_SIZE] = { 0 };

	if (used && id_auth_key_digest(l->id_auth, which, want) < 0)
		return false;
	return memcmp(digest, want, sizeof(want)) == 0;
}

static const char *snp_difference(const struct launch *l, const struct launch_config *c)
{
	struct err e = { 0 };
	struct snp_report r;

	if (snp_report_parse(l->report, sizeof(l->report), &r, &e) < 0)
		return "no report";
	if (memcmp(r.measurement, l->predicted, LAUNCH_MR) != 0)
		return "launch digest";
	if (r.policy != (c->policy != 0 ? c->policy : PLAN_SNP_POLICY))
		return "policy";
	if (!is_of_seed(r.host_data, 32, c->host_data))
		return "host data";
	if (!is_key(l, c->id_block, ID_KEY_OWNER, r.id_key_digest))
		return "ID key digest";
	if (!is_key(l, c->author, ID_KEY_AUTHOR, r.author_key_digest) ||
	    (r.key_info & SNP_KEY_INFO_AUTHOR) != (c->author ? SNP_KEY_INFO_AUTHOR : 0))
		return "author key digest";
	return NULL;
}

static const char *tdx_difference(const struct launch *l, const struct launch_config *c)
{
	static const uint8_t zero[LAUNCH_MR];
	struct err e = { 0 };
	struct tdx_tdreport r;

	if (tdx_tdreport_parse(l->td_report, sizeof(l->td_report), &r, &e) < 0)
		return "no report";
	if (memcmp(r.body.mrtd, l->predicted, LAUNCH_MR) != 0)
		return "MRTD";
	if (r.body.td_attributes != PLAN_TDX_ATTRIBUTES)
		return "attributes";
	if (r.body.xfam != (c->xfam != 0 ? c->xfam : PLAN_TDX_XFAM))
		return "XFAM";
	if (!is_of_seed(r.body.mrconfigid, LAUNCH_MR, c->mrconfigid))
		return "MRCONFIGID";
	if (!is_of_seed(r.body.mrowner, LAUNCH_MR, c->mrowner))
		return "MROWNER";
	if (!is_of_seed(r.body.mrownerconfig, LAUNCH_MR, c->mrownerconfig))
		return "MROWNERCONFIG";
	if (memcmp(r.body.rtmr[0], l->predicted_rtmr[0], LAUNCH_MR) != 0)
		return "RTMR 0";
	if (memcmp(r.body.rtmr[1], l->predicted_rtmr[1], LAUNCH_MR) != 0)
		return "RTMR 1";
	/* Linux's and the owner's: the kernels here extend nothing. */
	if (memcmp(r.body.rtmr[2], zero, LAUNCH_MR) != 0 ||
	    memcmp(r.body.rtmr[3], zero, LAUNCH_MR) != 0)
		return "RTMR 2 or 3";
	return NULL;
}

const char *launch_difference(const struct launch *l, const struct launch_config *asked)
{
	const char *what;

	if (!l->reported)
		return "no report";
	what = asked->tee == LAUNCH_SNP ? snp_difference(l, asked) : tdx_difference(l, asked);
	if (what != NULL)
		return what;
	if (l->h.end != VM_END_POWER_OFF || !has(l->h.console_text, "fake ") ||
	    !has(l->h.console_text, " runs\n"))
		return "the guest did not run";
	return NULL;
}

/* Two at a time. */
static const char *prefix(const uint8_t *digest)
{
	static char text[2][17];
	static unsigned turn;
	char *out = text[turn++ % 2];

	hex_encode(digest, 8, out);
	return out;
}

const char *launch_reported_prefix(const struct launch *l)
{
	struct err e = { 0 };
	struct snp_report r;
	struct tdx_tdreport t;

	if (l->reported && l->config.tee == LAUNCH_SNP &&
	    snp_report_parse(l->report, sizeof(l->report), &r, &e) == 0)
		return prefix(r.measurement);
	if (l->reported && l->config.tee == LAUNCH_TDX &&
	    tdx_tdreport_parse(l->td_report, sizeof(l->td_report), &t, &e) == 0)
		return prefix(t.body.mrtd);
	return "nothing";
}

const char *launch_predicted_prefix(const struct launch *l)
{
	return prefix(l->predicted);
}
