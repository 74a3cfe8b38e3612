/* What vendors publish about their platforms, gathered: TCB info, enclave identities, certificates
 * and revocation lists (docs/PROTOCOL.collateral). Reading believes nothing; trust.h does. */
#ifndef PAVISE_ATTEST_COLLATERAL_COLLATERAL_H
#define PAVISE_ATTEST_COLLATERAL_COLLATERAL_H

#include "attest/tdx/qe_identity.h"
#include "attest/tdx/signed_json.h"
#include "attest/tdx/tcb_info.h"
#include "attest/x509/cert.h"
#include "attest/x509/crl.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define COLLATERAL_PART_MAX (1u << 20) /* bytes of one part */
#define COLLATERAL_MAX (8u << 20)      /* bytes of all parts, and of a file that holds them */
#define COLLATERAL_PARTS_MAX 64u
#define COLLATERAL_ORIGIN_SIZE 96u

enum collateral_kind {
	COLLATERAL_TCB_INFO,	/* Intel's signed answer, for TDX */
	COLLATERAL_QE_IDENTITY, /* the same */
	COLLATERAL_CERTS,	/* certificates, PEM or DER */
	COLLATERAL_CRL,		/* a revocation list, PEM or DER */
	COLLATERAL_KINDS
};

/* Their names in a bundle: "tdx-tcb-info", "tdx-qe-identity", "certificates", "crl". */
extern const char *const collateral_kind_names[COLLATERAL_KINDS];

struct collateral_part {
	enum collateral_kind kind;
	char origin[COLLATERAL_ORIGIN_SIZE]; /* where it came from, for people */
	uint8_t *data;			     /* owned: as received */
	size_t size;			     /* bytes */
	uint8_t sha256[32];		     /* of data */
	/* By kind: */
	struct signed_json json; /* borrows from data: TCB info, QE identity */
	struct tcb_info *tcb;	 /* owned */
	struct qe_identity *qe;	 /* owned */
	struct certs certs;
	struct crl crl;
};

/* Start from zero but for cache; collateral_free. */
struct collateral {
	struct collateral_part part[COLLATERAL_PARTS_MAX];
	size_t parts;
	size_t size;	/* bytes of all */
	time_t created; /* of the bundle that was read last; 0: none was */
	struct cert_cache *cache; /* borrowed, to read and check with; NULL: none */
};

/* Adds what data holds, recognised by its content: a bundle, the JSON form of a quote's collateral
 * ("tcb_info", "pck_crl" …), one of Intel's signed answers, certificates, a revocation list. What
 * is there already is not added again. 0; 1: it is none of these, nothing is added;
 * -EX_MALFORMED: it is one and breaks its form, or is too much (what came before stays);
 * -EX_HOST: no memory. */
int collateral_add(struct collateral *c, const char *origin, const uint8_t *data, size_t size,
		   struct err *e);

/* One file of it into *out (any content); -EX_MALFORMED also for what is not collateral: *out is
 * then empty. */
int collateral_parse(const char *name, const uint8_t *data, size_t size, struct collateral *out,
		     struct err *e);

void collateral_free(struct collateral *c);

/* The bundle as text (free it), dated. -EX_HOST, -EX_INTERNAL. */
int collateral_write(const struct collateral *c, time_t created, char **text, size_t *size,
		     struct err *e);

/* TCB info of this kind of platform, the enclave's identity: among several the one that is current
 * at the time, then the latest. NULL: none. */
const struct collateral_part *collateral_tcb_info(const struct collateral *c,
						  const uint8_t fmspc[6], const uint8_t pce_id[2],
						  time_t now);
const struct collateral_part *collateral_qe_identity(const struct collateral *c, time_t now);

/* Used by form.c: adds one part of a kind that is known. */
int collateral_add_part(struct collateral *c, enum collateral_kind kind, const char *origin,
			const uint8_t *data, size_t size, struct err *e);
/* form.c: the JSON files that hold several parts. As collateral_add. */
int collateral_add_json(struct collateral *c, const char *origin, const uint8_t *data, size_t size,
			struct err *e);

#endif
