#include "cli/command.h"
#include "cli/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_tdx(const struct command *c)
{
	return strcmp(c->tee, "tdx") == 0;
}

static bool is_simulated(const struct command *c)
{
	return strcmp(c->platform, "sim") == 0;
}

/* The simulated platform's files, for the launcher. */
static int add_simulated(struct command *c, struct err *e)
{
	int key, certs;

	/* Of a plain machine: the launcher says that it has none. */
	if (!is_tdx(c) && strcmp(c->tee, "snp") != 0)
		return 0;
	int rc = is_tdx(c) ? platform_open_tdx(c->state, &key, &certs, e) :
			     platform_open_chip(c->state, &key, &certs, e);
	if (rc != 0)
		return rc;
	command_add(c, "--sim-key-fd");
	command_add(c, "%d", key);
	command_add(c, "--sim-certs-fd");
	command_add(c, "%d", certs);
	return 0;
}

/* unix:PATH: the launcher gets the directory as the caller may open it, and a plain name. */
static int add_unix(struct command *c, const char *path, struct err *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash[1] == '\0')
		return err_set(e, EX_USAGE_ERROR, "--quote unix:%.200s: not the path of a socket",
			       path);
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "%s: cannot be opened", folder);
	command_add(c, "--quote-dir-fd");
	command_add(c, "%d", fd);
	command_pass(c, "quote-name", slash + 1);
	return 0;
}

static int add_quote(struct command *c, struct err *e)
{
	if (strncmp(c->quote, "unix:", 5) == 0)
		return add_unix(c, c->quote + 5, e);
	if (strncmp(c->quote, "vsock:", 6) != 0)
		return err_set(e, EX_USAGE_ERROR, "--quote %.60s: not unix:PATH or vsock:CID:PORT",
			       c->quote);
	command_pass(c, "quote-vsock", c->quote + 6);
	return 0;
}

int command_tee(struct command *c, struct err *e)
{
	int rc = 0;

	command_pass(c, "tee", c->tee);
	command_pass(c, "platform", c->platform);
	if (is_simulated(c))
		rc = add_simulated(c, e);
	return rc == 0 && c->quote != NULL ? add_quote(c, e) : rc;
}

const char *const *command_tee_logs(const struct command *c)
{
	static const char *const none[] = { NULL }, *const psp[] = { "psp", NULL };
	static const char *const tdx[] = { "tdx", "quote", NULL };
	static const char *const quote[] = { "quote", NULL };

	if (is_simulated(c))
		return is_tdx(c) ? tdx : psp;
	return c->quote != NULL ? quote : none;
}
