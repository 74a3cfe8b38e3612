/* TCB info and an enclave's identity as Intel writes them, with made-up numbers, for tests. */
#ifndef PAVISE_TESTS_UNIT_FAKE_TCB_H
#define PAVISE_TESTS_UNIT_FAKE_TCB_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_TCB_TEXT 32768u

struct fake_level {
	uint8_t sgx[16], tdx[16];
	unsigned pce_svn;
	const char *status, *date;
	const char *advisories; /* JSON list; NULL: no such key */
};

struct fake_svn {
	unsigned svn;
	const char *status, *date, *advisories;
};

/* Every member that is NULL or zero has the value that fake_tcb_info() and fake_qe_identity()
 * write without it. */
struct fake_tcb {
	const char *id, *issued, *next; /* "TDX", 2027-01-01 to 2027-02-01 */
	int version, type, evaluation;
	const char *fmspc, *module_id; /* "00906ED50000", "TDX_01" */
	struct fake_level level[4];
	size_t levels;
	struct fake_svn module[4];
	size_t modules;	   /* levels of the module's identity; 0: no identities */
	const char *extra; /* inserted before "tcbLevels", with its comma */
};

struct fake_qe {
	const char *id, *issued, *next; /* "TD_QE" */
	int version;
	struct fake_svn level[4];
	size_t levels;
	const char *extra;
};

/* Two levels: UpToDate with sgx 9…, tdx {5, 0, 7}, PCE 13; OutOfDate with sgx 3…, tdx {3, 0, 2},
 * PCE 5. A module 01 of SVN 5 (UpToDate), 3 (OutOfDate). A QE of SVN 4, 2 the same. */
struct fake_tcb fake_tcb(void);
struct fake_qe fake_qe(void);

/* The text of the object; its length. */
size_t fake_tcb_info(const struct fake_tcb *f, char *out, size_t max);
size_t fake_qe_identity(const struct fake_qe *f, char *out, size_t max);
/* {"key":body,"signature":"…"}, signed by the key (NULL: a signature of zeros); its length. */
size_t fake_signed(const char *key, const char *body, EVP_PKEY *signer, char *out, size_t max);

#endif
