#include "sandbox/options_tee.h"

#include "common/args.h"
#include "common/bytes.h"

#include <string.h>

static int set_tee(struct options *o, const char *value, struct err *e)
{
	static const struct {
		const char *name;
		enum plan_tee tee;
	} kinds[] = { { "none", PLAN_TEE_PLAIN },
		      { "snp", PLAN_TEE_SNP },
		      { "tdx", PLAN_TEE_TDX } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(value, kinds[i].name) == 0) {
			o->tee = kinds[i].tee;
			return 0;
		}
	return err_set(e, EX_USAGE_ERROR, "--tee %.40s: not none, snp or tdx", value);
}

static int set_platform(struct options *o, const char *value, struct err *e)
{
	o->simulated = strcmp(value, "sim") == 0;
	if (o->simulated || strcmp(value, "kvm") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--platform %.40s: not kvm or sim", value);
}

/* Copied on as text: the VMM takes it apart again. */
static int set_hex(const char *option, const char *value, size_t bytes, const char **out,
		   struct err *e)
{
	uint8_t room[VM_MR];

	*out = value;
	if (bytes <= sizeof(room) && hex_decode(value, room, bytes))
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--%s: not %zu hexadecimal digits", option, 2 * bytes);
}

static int set_vsock(struct options *o, char *value, struct err *e)
{
	char *colon = strchr(value, ':');
	uint64_t cid = 0, port = 0;

	if (colon == NULL)
		return err_set(e, EX_USAGE_ERROR, "--quote-vsock %.40s: not CID:PORT", value);
	*colon = '\0';
	int rc = args_u64("cid", value, UINT32_MAX, &cid, e);
	if (rc == 0)
		rc = args_u64("port", colon + 1, UINT32_MAX, &port, e);
	o->quote_cid = (uint32_t)cid;
	o->quote_port = (uint32_t)port;
	return rc;
}

static int set_quote(struct options *o, enum option_quote kind, struct err *e)
{
	if (o->quote != OPTION_QUOTE_NONE && o->quote != kind)
		return err_set(e, EX_USAGE_ERROR, "one quote generation service, not two");
	o->quote = kind;
	return 0;
}

/* TDX. */
static int take_tdx(struct options *o, int code, char *value, struct err *e)
{
	int rc;

	switch (code) {
	case OPT_MRCONFIGID:
		return set_hex("mrconfigid", value, VM_MR, &o->mrconfigid, e);
	case OPT_MROWNER:
		return set_hex("mrowner", value, VM_MR, &o->mrowner, e);
	case OPT_MROWNERCONFIG:
		return set_hex("mrownerconfig", value, VM_MR, &o->mrownerconfig, e);
	case OPT_QUOTE_DIR:
		rc = set_quote(o, OPTION_QUOTE_UNIX, e);
		return rc == 0 ? args_fd("quote-dir-fd", value, &o->quote_dir, e) : rc;
	case OPT_QUOTE_NAME:
		o->quote_name = value; /* pavise-quote checks it */
		return set_quote(o, OPTION_QUOTE_UNIX, e);
	default:
		rc = set_quote(o, OPTION_QUOTE_VSOCK, e);
		return rc == 0 ? set_vsock(o, value, e) : rc;
	}
}

int options_tee_take(struct options *o, int code, char *value, struct err *e)
{
	switch (code) {
	case OPT_TEE:
		return set_tee(o, value, e);
	case OPT_PLATFORM:
		return set_platform(o, value, e);
	case OPT_SIM_KEY:
		return args_fd("sim-key-fd", value, &o->sim_key, e);
	case OPT_SIM_CERTS:
		return args_fd("sim-certs-fd", value, &o->sim_certs, e);
	case OPT_HOST_DATA:
		return set_hex("host-data", value, VM_HOST_DATA, &o->host_data, e);
	case OPT_ID_BLOCK:
		return args_fd("id-block-fd", value, &o->id_block, e);
	case OPT_ID_AUTH:
		return args_fd("id-auth-fd", value, &o->id_auth, e);
	case OPT_CERTS:
		return args_fd("certs-fd", value, &o->certs, e);
	default:
		return take_tdx(o, code, value, e);
	}
}

static int check_quote(const struct options *o, struct err *e)
{
	if (o->quote == OPTION_QUOTE_UNIX && (o->quote_dir < 0 || o->quote_name == NULL))
		return err_set(e, EX_USAGE_ERROR, "--quote-dir-fd and --quote-name go together");
	if (o->quote_name != NULL && strchr(o->quote_name, '/') != NULL)
		return err_set(e, EX_USAGE_ERROR, "--quote-name %.60s: no name of a socket in its "
			       "directory", o->quote_name);
	if (o->quote != OPTION_QUOTE_NONE && o->simulated)
		return err_set(e, EX_USAGE_ERROR, "--quote: --platform sim brings its own, "
			       "simulated service");
	return 0;
}

int options_tee_check(const struct options *o, struct err *e)
{
	const bool has_id = o->id_block >= 0 || o->id_auth >= 0;
	const bool has_mr = o->mrconfigid != NULL || o->mrowner != NULL ||
			    o->mrownerconfig != NULL;

	if (o->tee == PLAN_TEE_PLAIN && o->simulated)
		return err_set(e, EX_USAGE_ERROR, "--platform sim is for confidential guests: add "
			       "--tee snp or --tee tdx");
	if (o->tee != PLAN_TEE_SNP && (o->host_data != NULL || has_id || o->certs >= 0))
		return err_set(e, EX_USAGE_ERROR, "--host-data, ID blocks and --certs are for "
			       "SEV-SNP guests: add --tee snp");
	if (o->tee != PLAN_TEE_TDX && (has_mr || o->quote != OPTION_QUOTE_NONE))
		return err_set(e, EX_USAGE_ERROR, "--mrconfigid, --mrowner, --mrownerconfig and "
			       "--quote are for TDX guests: add --tee tdx");
	if (has_id && (o->id_block < 0 || o->id_auth < 0))
		return err_set(e, EX_USAGE_ERROR, "--id-block and --id-auth go together: the block, "
			       "and who signed it");
	if (o->simulated != (o->sim_key >= 0) || o->simulated != (o->sim_certs >= 0))
		return err_set(e, EX_USAGE_ERROR, "--platform sim goes with --sim-key-fd and "
			       "--sim-certs-fd");
	return check_quote(o, e);
}
