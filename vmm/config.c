#include "vmm/config.h"

#include "common/args.h"
#include "common/bytes.h"
#include "common/seal.h"
#include "vmm/kvm/sev.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_LENGTH 32

/* Those before TPM are needed, the others are not. */
enum key {
	NAME, LABEL, CONTROL, KVM, PLAN, RAM, LOG, CONSOLE, MEMORY, CPUS,
	TPM, DEV, SEV, PSP, HOST_DATA, ID_BLOCK, ID_AUTH, CERTS, QUOTE, MRCONFIGID, MROWNER,
	MROWNERCONFIG, KEYS
};

static const char *const key_name[KEYS] = {
	"name", "label", "control", "kvm", "plan", "ram", "log", "console", "memory", "cpus",
	"tpm", "dev", "sev", "psp", "host_data", "id_block", "id_auth", "certs", "quote",
	"mrconfigid", "mrowner", "mrownerconfig",
};

static int parse_name(const char *value, const char **out, struct err *e)
{
	size_t n = strlen(value);

	if (n < 1 || n > NAME_MAX_LENGTH ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
		return err_set(e, EX_USAGE_ERROR, "name=%s: not 1 to %d of a-z, 0-9 and -", value,
			       NAME_MAX_LENGTH);
	*out = value;
	return 0;
}

/* TYPE:FD */
static int parse_device(const char *value, struct config *c, struct err *e)
{
	struct config_device *d = &c->device[c->device_count];
	const char *colon = strchr(value, ':');
	size_t n = colon ? (size_t)(colon - value) : 0;

	if (c->device_count == PCI_SLOT_MAX)
		return err_set(e, EX_USAGE_ERROR, "dev=%s: more than %u devices", value,
			       PCI_SLOT_MAX);
	if (n < 1 || n > CONFIG_TYPE_MAX)
		return err_set(e, EX_USAGE_ERROR, "dev=%s: not TYPE:DESCRIPTOR", value);
	memcpy(d->type, value, n);
	d->type[n] = '\0';
	c->device_count++;
	return args_fd("dev", colon + 1, &d->fd, e);
}

static int parse_cpus(const char *value, uint64_t *out, struct err *e)
{
	int rc = args_u64("cpus", value, FW_BOOT_CPU_MAX, out, e);

	if (rc == 0 && *out == 0)
		return err_set(e, EX_USAGE_ERROR, "cpus=0: at least one is needed");
	return rc;
}

static int parse_host_data(const char *value, struct config *c, struct err *e)
{
	if (!hex_decode(value, c->host_data, sizeof(c->host_data)))
		return err_set(e, EX_USAGE_ERROR, "host_data=: not %zu hexadecimal digits",
			       2 * sizeof(c->host_data));
	c->has_host_data = true;
	return 0;
}

static int parse_mr(const char *name, const char *value, uint8_t out[48], struct config *c,
		    struct err *e)
{
	if (!hex_decode(value, out, 48))
		return err_set(e, EX_USAGE_ERROR, "%s=: not 96 hexadecimal digits", name);
	c->has_mr = true;
	return 0;
}

static int parse_value(struct config *c, enum key key, const char *value, struct err *e)
{
	switch (key) {
	case NAME:    return parse_name(value, &c->name, e);
	case LABEL:   c->label = value; return 0;
	case CONTROL: return args_fd("control", value, &c->control, e);
	case KVM:     return args_fd("kvm", value, &c->kvm, e);
	case PLAN:    return args_fd("plan", value, &c->plan, e);
	case RAM:     return args_fd("ram", value, &c->ram, e);
	case LOG:     return args_fd("log", value, &c->log, e);
	case CONSOLE: return args_fd("console", value, &c->console, e);
	case TPM:     return args_fd("tpm", value, &c->tpm, e);
	case MEMORY:  return args_u64("memory", value, UINT64_MAX, &c->memory, e);
	case CPUS:    return parse_cpus(value, &c->cpus, e);
	case DEV:     return parse_device(value, c, e);
	case SEV:     return args_fd("sev", value, &c->sev, e);
	case PSP:     return args_fd("psp", value, &c->psp, e);
	case HOST_DATA: return parse_host_data(value, c, e);
	case ID_BLOCK: return args_fd("id_block", value, &c->id_block, e);
	case ID_AUTH: return args_fd("id_auth", value, &c->id_auth, e);
	case CERTS:   return args_fd("certs", value, &c->certs, e);
	case QUOTE:   return args_fd("quote", value, &c->quote, e);
	case MRCONFIGID: return parse_mr("mrconfigid", value, c->mrconfigid, c, e);
	case MROWNER: return parse_mr("mrowner", value, c->mrowner, c, e);
	case MROWNERCONFIG: return parse_mr("mrownerconfig", value, c->mrownerconfig, c, e);
	case KEYS:    break;
	}
	return err_set(e, EX_INTERNAL, "key %d: unknown", (int)key);
}

static int parse_argument(struct config *c, const char *arg, bool seen[KEYS], struct err *e)
{
	for (enum key k = 0; k < KEYS; k++) {
		const char *value = args_value(arg, key_name[k]);

		if (!value)
			continue;
		if (seen[k] && k != DEV)
			return err_set(e, EX_USAGE_ERROR, "%s=: given twice", key_name[k]);
		seen[k] = true;
		return parse_value(c, k, value, e);
	}
	return err_set(e, EX_USAGE_ERROR, "%s: unknown argument", arg);
}

int config_parse(struct config *c, int argc, char **argv, struct err *e)
{
	bool seen[KEYS] = { false };

	memset(c, 0, sizeof(*c));
	c->tpm = c->sev = c->psp = c->id_block = c->id_auth = c->certs = c->quote = -1;
	for (int i = 1; i < argc; i++) {
		int rc = parse_argument(c, argv[i], seen, e);

		if (rc < 0)
			return rc;
	}
	for (enum key k = 0; k < TPM; k++) {
		if (!seen[k])
			return err_set(e, EX_USAGE_ERROR, "%s=: missing", key_name[k]);
	}
	if (seen[ID_BLOCK] != seen[ID_AUTH])
		return err_set(e, EX_USAGE_ERROR, "id_block=, id_auth=: one without the other");
	return 0;
}

int config_check_environment(const struct config *c, struct err *e)
{
	const struct { const char *what; int fd; unsigned type; } wanted[] = {
		{ "control", c->control, S_IFSOCK }, { "kvm", c->kvm, S_IFCHR },
		{ "plan", c->plan, S_IFREG },        { "ram", c->ram, S_IFREG },
		{ "log", c->log, S_IFREG },          { "console", c->console, S_IFREG },
	};
	int rc = seal_check_label(c->label, e);

	for (size_t i = 0; rc == 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		rc = seal_check_fd(wanted[i].what, wanted[i].fd, wanted[i].type, e);
	if (rc == 0 && c->tpm >= 0)
		rc = seal_check_fd("tpm", c->tpm, S_IFSOCK, e);
	if (rc == 0 && c->id_block >= 0)
		rc = seal_check_fd("id_block", c->id_block, S_IFREG, e);
	if (rc == 0 && c->id_auth >= 0)
		rc = seal_check_fd("id_auth", c->id_auth, S_IFREG, e);
	if (rc == 0 && c->certs >= 0)
		rc = seal_check_fd("certs", c->certs, S_IFREG, e);
	if (rc == 0 && c->quote >= 0)
		rc = seal_check_fd("quote", c->quote, S_IFSOCK, e);
	if (rc == 0)
		rc = sev_take_descriptors(c->sev, c->psp, e);
	for (unsigned i = 0; rc == 0 && i < c->device_count; i++)
		rc = seal_check_fd("dev", c->device[i].fd, S_IFSOCK, e);
	return rc;
}
