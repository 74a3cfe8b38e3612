/* Those options of pavise-launch that are about confidential guests. */
#ifndef PAVISE_SANDBOX_OPTIONS_TEE_H
#define PAVISE_SANDBOX_OPTIONS_TEE_H

#include "common/err.h"
#include "sandbox/options.h"

#include <getopt.h>
#include <stddef.h>

enum option_tee {
	OPTIONS_TEE_FIRST = 100,
	OPT_TEE = OPTIONS_TEE_FIRST,
	OPT_PLATFORM,
	OPT_SIM_KEY,
	OPT_SIM_CERTS,
	OPT_HOST_DATA,
	OPT_ID_BLOCK,
	OPT_ID_AUTH,
	OPT_CERTS,
	OPT_MRCONFIGID,
	OPT_MROWNER,
	OPT_MROWNERCONFIG,
	OPT_QUOTE_DIR,
	OPT_QUOTE_NAME,
	OPT_QUOTE_VSOCK,
};

/* Rows of struct option. */
#define OPTIONS_TEE \
	{ "tee", required_argument, NULL, OPT_TEE }, \
	{ "platform", required_argument, NULL, OPT_PLATFORM }, \
	{ "sim-key-fd", required_argument, NULL, OPT_SIM_KEY }, \
	{ "sim-certs-fd", required_argument, NULL, OPT_SIM_CERTS }, \
	{ "host-data", required_argument, NULL, OPT_HOST_DATA }, \
	{ "id-block-fd", required_argument, NULL, OPT_ID_BLOCK }, \
	{ "id-auth-fd", required_argument, NULL, OPT_ID_AUTH }, \
	{ "certs-fd", required_argument, NULL, OPT_CERTS }, \
	{ "mrconfigid", required_argument, NULL, OPT_MRCONFIGID }, \
	{ "mrowner", required_argument, NULL, OPT_MROWNER }, \
	{ "mrownerconfig", required_argument, NULL, OPT_MROWNERCONFIG }, \
	{ "quote-dir-fd", required_argument, NULL, OPT_QUOTE_DIR }, \
	{ "quote-name", required_argument, NULL, OPT_QUOTE_NAME }, \
	{ "quote-vsock", required_argument, NULL, OPT_QUOTE_VSOCK }

/* Takes one. -EX_USAGE_ERROR. */
int options_tee_take(struct options *o, int code, char *value, struct err *e);

/* Do they go together? -EX_USAGE_ERROR. */
int options_tee_check(const struct options *o, struct err *e);

#endif
