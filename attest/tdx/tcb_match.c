#include "attest/tdx/tcb_match.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool all_reached(const uint8_t *have, const uint8_t *need, size_t from)
{
	for (size_t i = from; i < TCB_COMPONENTS; i++)
		if (have[i] < need[i])
			return false;
	return true;
}

static bool sgx_reached(const struct tcb_platform *p, const struct tcb_level *l)
{
	return all_reached(p->sgx, l->sgx, 0) && p->pce_svn >= l->pce_svn;
}

/* With a major version, the module's own identity judges the first two. */
static size_t first_tdx(const struct tcb_platform *p)
{
	return p->tee_tcb_svn[1] > 0 ? 2 : 0;
}

static struct tcb_part not_met(void)
{
	return (struct tcb_part){ .judged = true, .status = TCB_NOT_SUPPORTED, .level = -1 };
}

static struct tcb_part met(const struct tcb_verdict *v, size_t at)
{
	return (struct tcb_part){
		.judged = true, .status = v->status, .level = (int)at, .date = v->date
	};
}

/* The first level that SGX components and PCE SVN reach, and the first that the TDX components
 * reach, too: the second one judges, the first one tells whether a relaunch would do. */
static struct tcb_part match_platform(const struct tcb_info *t, const struct tcb_platform *p,
				      enum tcb_status *sgx_status)
{
	bool sgx = false;

	*sgx_status = TCB_NOT_SUPPORTED;
	for (size_t i = 0; i < t->levels; i++) {
		const struct tcb_level *l = &t->level[i];
		if (!sgx_reached(p, l))
			continue;
		if (!sgx)
			*sgx_status = l->verdict.status;
		sgx = true;
		if (all_reached(p->tee_tcb_svn, l->tdx, first_tdx(p)))
			return met(&l->verdict, i);
	}
	return not_met();
}

static struct tcb_part match_svn(const struct tcb_svn_level *level, size_t n, uint16_t svn)
{
	for (size_t i = 0; i < n; i++)
		if (level[i].isv_svn <= svn)
			return met(&level[i].verdict, i);
	return not_met();
}

static struct tcb_part match_module(const struct tcb_info *t, const struct tcb_platform *p)
{
	if (p->tee_tcb_svn[1] == 0)
		return (struct tcb_part){ .level = -1 };
	const struct tcb_module *m = tcb_info_module(t, p->tee_tcb_svn[1]);
	return m != NULL ? match_svn(m->level, m->levels, p->tee_tcb_svn[0]) : not_met();
}

enum tcb_status tcb_converge(enum tcb_status platform, enum tcb_status software)
{
	if (platform == TCB_REVOKED || software == TCB_REVOKED)
		return TCB_REVOKED;
	if (platform == TCB_NOT_SUPPORTED || software == TCB_NOT_SUPPORTED)
		return TCB_NOT_SUPPORTED;
	if (software != TCB_OUT_OF_DATE)
		return platform;
	switch (platform) {
	case TCB_UP_TO_DATE:
	case TCB_SW_HARDENING_NEEDED:
	case TCB_TD_RELAUNCH_ADVISED:
		return TCB_OUT_OF_DATE;
	case TCB_CONFIGURATION_NEEDED:
	case TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
	case TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
		return TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	default:
		return platform;
	}
}

static bool configuration_needed(enum tcb_status s)
{
	return s == TCB_CONFIGURATION_NEEDED || s == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
	       s == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
}

/* Is what is loaded by now the latest module and loader, so that only this guest, which was
 * started before, lags behind? */
static bool loaded_is_latest(const struct tcb_info *t, const uint8_t *svn2)
{
	uint16_t latest = t->level[0].tdx[0];

	if (svn2[1] > 0) {
		const struct tcb_module *m = tcb_info_module(t, svn2[1]);
		if (m == NULL)
			return false;
		latest = m->level[0].isv_svn;
	}
	return svn2[0] >= latest && svn2[2] >= t->level[0].tdx[2];
}

/* `so_far` is out of date. Does its cause end with the guest's next start? */
static enum tcb_status relaunch(const struct tcb_info *t, const struct tcb_platform *p,
				const struct tcb_result *r, enum tcb_status sgx_status,
				enum tcb_status so_far)
{
	bool late = so_far == TCB_OUT_OF_DATE || so_far == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	bool sgx_fine = sgx_status == TCB_UP_TO_DATE || sgx_status == TCB_SW_HARDENING_NEEDED ||
			sgx_status == TCB_CONFIGURATION_NEEDED ||
			sgx_status == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
	bool qe_fine = !r->qe.judged || r->qe.status == TCB_UP_TO_DATE;

	if (p->tee_tcb_svn2 == NULL || !late || !sgx_fine || !qe_fine || !r->module.judged ||
	    r->module.status != TCB_OUT_OF_DATE || !loaded_is_latest(t, p->tee_tcb_svn2))
		return so_far;
	return configuration_needed(sgx_status) || configuration_needed(so_far)
		       ? TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
		       : TCB_TD_RELAUNCH_ADVISED;
}

/* Is the id one of the words of text? */
static bool has_word(const char *text, const char *id)
{
	size_t n = strlen(id);

	for (const char *at = strstr(text, id); at != NULL; at = strstr(at + 1, id))
		if ((at == text || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static void add_advisories(struct tcb_result *r, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *id = json_string_value(json_array_get(list, i));
		size_t at = strlen(r->advisories);
		if (id == NULL || has_word(r->advisories, id))
			continue;
		if (at + strlen(id) + 2 > sizeof(r->advisories))
			r->more_advisories = true;
		else
			snprintf(r->advisories + at, sizeof(r->advisories) - at, "%s%s",
				 at > 0 ? " " : "", id);
	}
}

static void add_part(struct tcb_result *r, const struct tcb_part *part, const json_t *advisories)
{
	if (!part->judged || part->level < 0)
		return;
	if (r->date == 0 || part->date < r->date)
		r->date = part->date;
	add_advisories(r, advisories);
}

static void add_short(struct tcb_result *r, unsigned have, unsigned need, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void add_short(struct tcb_result *r, unsigned have, unsigned need, const char *fmt, ...)
{
	va_list args;

	if (have >= need || r->shortfalls == TCB_SHORT_MAX)
		return;
	struct tcb_short *s = &r->shortfall[r->shortfalls++];
	s->have = have;
	s->need = need;
	va_start(args, fmt);
	vsnprintf(s->component, sizeof(s->component), fmt, args);
	va_end(args);
}

/* The first level that is not worse than it could be; without one, the first. */
static const struct tcb_level *goal(const struct tcb_info *t)
{
	for (size_t i = 0; i < t->levels; i++)
		if (t->level[i].verdict.status == TCB_UP_TO_DATE)
			return &t->level[i];
	return &t->level[0];
}

static uint16_t svn_goal(const struct tcb_svn_level *level, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (level[i].verdict.status == TCB_UP_TO_DATE)
			return level[i].isv_svn;
	return level[0].isv_svn;
}

static void tell_shortfalls(const struct tcb_info *t, const struct tcb_platform *p,
			    const struct qe_identity *qe, uint16_t qe_svn, struct tcb_result *r)
{
	const struct tcb_level *l = goal(t);
	const struct tcb_module *m = tcb_info_module(t, p->tee_tcb_svn[1]);

	for (unsigned i = 0; i < TCB_COMPONENTS; i++)
		add_short(r, p->sgx[i], l->sgx[i], "sgx component %u", i);
	add_short(r, p->pce_svn, l->pce_svn, "PCE SVN");
	for (unsigned i = (unsigned)first_tdx(p); i < TCB_COMPONENTS; i++)
		add_short(r, p->tee_tcb_svn[i], l->tdx[i], "tdx component %u", i);
	if (p->tee_tcb_svn[1] > 0 && m != NULL)
		add_short(r, p->tee_tcb_svn[0], svn_goal(m->level, m->levels),
			  "module TDX_%02X SVN", m->major);
	if (qe != NULL)
		add_short(r, qe_svn, svn_goal(qe->level, qe->levels), "QE SVN");
}

void tcb_match(const struct tcb_info *t, const struct tcb_platform *p, const struct qe_identity *qe,
	       uint16_t qe_svn, struct tcb_result *out)
{
	enum tcb_status sgx_status;
	const struct tcb_module *m = tcb_info_module(t, p->tee_tcb_svn[1]);

	memset(out, 0, sizeof(*out));
	out->platform = match_platform(t, p, &sgx_status);
	out->module = match_module(t, p);
	out->qe = qe != NULL ? match_svn(qe->level, qe->levels, qe_svn)
			     : (struct tcb_part){ .level = -1 };
	out->status = out->platform.status;
	if (out->module.judged)
		out->status = tcb_converge(out->status, out->module.status);
	out->status = relaunch(t, p, out, sgx_status, out->status);
	if (out->qe.judged)
		out->status = tcb_converge(out->status, out->qe.status);
	if (out->platform.level >= 0)
		add_part(out, &out->platform, t->level[out->platform.level].verdict.advisories);
	if (out->module.level >= 0 && m != NULL)
		add_part(out, &out->module, m->level[out->module.level].verdict.advisories);
	if (out->qe.level >= 0 && qe != NULL)
		add_part(out, &out->qe, qe->level[out->qe.level].verdict.advisories);
	if (out->status != TCB_UP_TO_DATE)
		tell_shortfalls(t, p, qe, qe_svn, out);
}

bool tcb_status_may_be_allowed(enum tcb_status s)
{
	return s != TCB_REVOKED && s != TCB_NOT_SUPPORTED;
}

void tcb_shortfall_text(const struct tcb_result *r, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->shortfalls && at < size; i++) {
		const struct tcb_short *s = &r->shortfall[i];
		int n = snprintf(out + at, size - at, "%s%s: have %u, need %u", i > 0 ? "; " : "",
				 s->component, s->have, s->need);
		at += n > 0 ? (size_t)n : 0;
	}
}

int tcb_check_module(const struct tcb_info *t, const uint8_t tee_tcb_svn[16],
		     const uint8_t mrsignerseam[48], const uint8_t seam_attributes[8],
		     struct err *e)
{
	const struct tcb_module *m =
		tee_tcb_svn[1] > 0 ? tcb_info_module(t, tee_tcb_svn[1]) : &t->module;
	unsigned differ = 0;

	if (m == NULL)
		return err_set(e, EX_COLLATERAL,
			       "TDX module: TCB info has no identity TDX_%02X: get a later one",
			       tee_tcb_svn[1]);
	for (size_t i = 0; i < sizeof(m->attributes); i++)
		differ |=
			(unsigned)((seam_attributes[i] & m->attributes_mask[i]) ^ m->attributes[i]);
	if (CRYPTO_memcmp(mrsignerseam, m->mrsigner, sizeof(m->mrsigner)) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "TDX module: MRSIGNERSEAM is not the signer that TCB info names");
	if (differ != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "TDX module: SEAMATTRIBUTES are not those that TCB info names");
	return 0;
}
