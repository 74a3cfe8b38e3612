#include "attest/collateral/survey.h"

#include "attest/snp/cert.h"
#include "common/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool any(const struct collateral *c, enum collateral_kind kind)
{
	for (size_t i = 0; i < c->parts; i++)
		if (c->part[i].kind == kind)
			return true;
	return false;
}

/* Whose name has that in it: a simulated platform's authorities are Intel's by another first word. Whether
 * the list counts is its signature's to say. */
static bool any_crl(const struct collateral *c, const char *issuer)
{
	for (size_t i = 0; i < c->parts; i++)
		if (c->part[i].kind == COLLATERAL_CRL &&
		    strstr(c->part[i].crl.issuer, issuer) != NULL)
			return true;
	return false;
}

static void gap(struct survey *s, bool there, const char *what)
{
	if (!there)
		s->gap[s->gaps++] = what;
}

/* A verifier of TDX quotes wants all four; of SEV-SNP reports nothing that it cannot do without. */
static void find_gaps(const struct collateral *c, struct survey *s)
{
	bool tcb = any(c, COLLATERAL_TCB_INFO), qe = any(c, COLLATERAL_QE_IDENTITY);

	if (!tcb && !qe)
		return;
	gap(s, tcb, "TDX TCB info");
	gap(s, qe, "TD_QE identity");
	gap(s, any_crl(c, "SGX Root CA"), "revocation list of \"Intel SGX Root CA\"");
	gap(s, any_crl(c, "SGX PCK "),
	    "revocation list of \"Intel SGX PCK Platform CA\" or \"… Processor CA\"");
}

static struct collateral_proof prove(const struct collateral *c, const struct collateral_part *p,
				     const struct collateral_trust *t)
{
	struct collateral_proof worst = { 0 };

	if (p->kind == COLLATERAL_CRL)
		return collateral_prove_crl(c, p, t);
	if (p->kind != COLLATERAL_CERTS)
		return collateral_prove_json(c, p, t);
	for (size_t i = 0; i < p->certs.count; i++) {
		struct collateral_proof one = collateral_prove_cert(c, p->certs.cert[i], t);
		time_t until =
			worst.until == 0 || one.until < worst.until ? one.until : worst.until;
		bool is_private = worst.private_root || one.private_root;
		if (i == 0 || one.answer > worst.answer)
			worst = one;
		worst.until = until;
		worst.private_root = is_private;
	}
	return worst;
}

void survey_make(const struct collateral *c, const struct collateral_trust *t, struct survey *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < c->parts; i++) {
		out->proof[i] = prove(c, &c->part[i], t);
		out->private_root |= out->proof[i].private_root;
	}
	find_gaps(c, out);
}

enum exit_status survey_status(const struct collateral *c, const struct survey *s)
{
	enum collateral_answer worst = s->gaps > 0 ? COLLATERAL_MISSING : COLLATERAL_GOOD;

	for (size_t i = 0; i < c->parts; i++)
		if (s->proof[i].answer > worst)
			worst = s->proof[i].answer;
	return worst == COLLATERAL_GOOD	 ? EX_OK
	       : worst == COLLATERAL_BAD ? EX_UNAUTHENTIC
					 : EX_COLLATERAL;
}

/* A text that grows and is cut at its end. */
struct line {
	char *out;
	size_t size, at;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
	va_list args;

	if (l->at >= l->size)
		return;
	va_start(args, fmt);
	int n = vsnprintf(l->out + l->at, l->size - l->at, fmt, args);
	va_end(args);
	l->at += n > 0 ? (size_t)n : 0;
}

/* A VCEK is looked for by chip and TCB version. */
static void describe_cert(struct line *l, X509 *cert)
{
	char name[128], hex[2 * SNP_CHIP_ID_SIZE + 1], tcb[160];
	struct snp_vek vek;
	struct err unused = { 0 };

	cert_common_name(X509_get_subject_name(cert), name, sizeof(name));
	add(l, "%s", name[0] != '\0' ? name : "(no name)");
	if (strncmp(name, "SEV-V", 5) != 0 || snp_vek_parse(cert, &vek, &unused) < 0)
		return;
	snp_tcb_text(vek.product, vek.tcb, tcb, sizeof(tcb));
	hex_encode(vek.hwid, vek.hwid_size, hex);
	add(l, " (%s%s, %s)", vek.is_vlek ? "of " : "chip ", vek.is_vlek ? vek.csp : hex, tcb);
}

void survey_describe(const struct collateral_part *p, char *out, size_t size)
{
	struct line l = { out, size, 0 };
	char fmspc[13];

	out[0] = '\0';
	switch (p->kind) {
	case COLLATERAL_TCB_INFO:
		hex_encode(p->tcb->fmspc, sizeof(p->tcb->fmspc), fmspc);
		add(&l, "TDX TCB info, FMSPC %s, evaluation %u", fmspc, p->tcb->evaluation);
		break;
	case COLLATERAL_QE_IDENTITY:
		add(&l, "TD_QE identity, evaluation %u", p->qe->evaluation);
		break;
	case COLLATERAL_CERTS:
		add(&l, "certificates: ");
		for (size_t i = 0; i < p->certs.count; i++) {
			add(&l, "%s", i > 0 ? ", " : "");
			describe_cert(&l, p->certs.cert[i]);
		}
		break;
	default:
		add(&l, "revocation list of \"%s\", %zu entries", p->crl.issuer, p->crl.entries);
	}
}

bool survey_dates(const struct collateral_part *p, time_t *from, time_t *to)
{
	if (p->kind == COLLATERAL_CERTS)
		return false;
	*from = p->tcb != NULL	? p->tcb->issued
		: p->qe != NULL ? p->qe->issued
				: p->crl.this_update;
	*to = p->tcb != NULL  ? p->tcb->next_update
	      : p->qe != NULL ? p->qe->next_update
			      : p->crl.next_update;
	return true;
}
