#include "guest/params.h"

#include "common/args.h"
#include "common/bytes.h"

#include <string.h>

enum { ROOT_HASH, ROOT_SALT, ROOT_BLOCKS, DATA, RUN, NAMES };
static const char *const names[NAMES] = { PARAM_ROOT_HASH, PARAM_ROOT_SALT, PARAM_ROOT_BLOCKS,
					  PARAM_DATA, PARAM_RUN };

static int digest(const char *name, const char *value, uint8_t out[PARAMS_DIGEST], struct err *e)
{
	if (!hex_decode(value, out, PARAMS_DIGEST))
		return err_set(e, EX_MALFORMED, "command line: %s: not 64 hexadecimal digits",
			       name);
	return 0;
}

static int blocks(const char *value, uint64_t *out, struct err *e)
{
	struct err why = { 0 };

	if (args_u64(PARAM_ROOT_BLOCKS, value, PARAMS_BLOCKS_MAX, out, &why) < 0 || *out == 0)
		return err_set(e, EX_MALFORMED,
			       "command line: " PARAM_ROOT_BLOCKS ": not a number of blocks");
	return 0;
}

static int run(const char *value, char out[PARAMS_RUN_MAX + 1], struct err *e)
{
	size_t n = strlen(value);

	if (value[0] != '/' || n > PARAMS_RUN_MAX)
		return err_set(e, EX_MALFORMED,
			       "command line: " PARAM_RUN ": not an absolute path of at most %u "
			       "bytes",
			       PARAMS_RUN_MAX);
	memcpy(out, value, n + 1);
	return 0;
}

static int take(int name, const char *value, struct guest_params *out, struct err *e)
{
	switch (name) {
	case ROOT_HASH:
		return digest(names[name], value, out->root_hash, e);
	case ROOT_SALT:
		return digest(names[name], value, out->root_salt, e);
	case ROOT_BLOCKS:
		return blocks(value, &out->root_blocks, e);
	case DATA:
		out->has_data = true;
		return digest(names[name], value, out->data_id, e);
	default:
		return run(value, out->run, e);
	}
}

static int take_word(const char *word, unsigned *seen, struct guest_params *out, struct err *e)
{
	for (int i = 0; i < NAMES; i++) {
		const char *value = args_value(word, names[i]);
		if (value == NULL)
			continue;
		if ((*seen & 1u << i) != 0)
			return err_set(e, EX_MALFORMED, "command line: %s: given twice", names[i]);
		*seen |= 1u << i;
		return take(i, value, out, e);
	}
	return err_set(e, EX_MALFORMED, "command line: %.64s: unknown", word);
}

int guest_params_parse(const char *cmdline, struct guest_params *out, struct err *e)
{
	const unsigned needed = 1u << ROOT_HASH | 1u << ROOT_SALT | 1u << ROOT_BLOCKS;
	char text[PARAMS_CMDLINE_MAX + 1], *rest = text, *word;
	unsigned seen = 0;
	size_t n = strlen(cmdline);

	memset(out, 0, sizeof(*out));
	if (n > PARAMS_CMDLINE_MAX || strchr(cmdline, '"') != NULL)
		return err_set(e, EX_MALFORMED, "command line: %s",
			       n > PARAMS_CMDLINE_MAX ? "too long" : "has a quote");
	memcpy(text, cmdline, n + 1);
	while ((word = strsep(&rest, " \t\n")) != NULL) {
		if (strncmp(word, PARAM_PREFIX, sizeof(PARAM_PREFIX) - 1) == 0 &&
		    take_word(word, &seen, out, e) < 0)
			return -EX_MALFORMED;
	}
	for (int i = 0; i < NAMES; i++)
		if ((needed & ~seen & 1u << i) != 0)
			return err_set(e, EX_MALFORMED, "command line: %s: missing", names[i]);
	return 0;
}
