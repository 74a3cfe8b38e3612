#include "image/disk.h"

#include "image/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SALT_LABEL "pavise-image-salt-v1"
#define TOOL "sqfstar"

/* Its own environment: SOURCE_DATE_EPOCH of the caller would stand against -mkfs-time. */
static void __attribute__((noreturn)) become_tool(int in, const char *path)
{
	char *const argv[] = { TOOL,	     "-quiet",	   "-no-progress", "-exit-on-error",
			       "-comp",	     "zstd",	   "-mkfs-time",   "0",
			       "-all-time",  "0",	   "-root-time",   "0",
			       "-root-mode", "755",	   "-root-uid",	   "0",
			       "-root-gid",  "0",	   (char *)path,   NULL };
	char *const nothing[] = { NULL };

	/* What it prints besides errors is of no use to anybody. */
	int null = open("/dev/null", O_WRONLY);
	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(in, STDIN_FILENO) == STDIN_FILENO)
		execvpe(TOOL, argv, nothing);
	_exit(errno == ENOENT ? 127 : 126);
}

static int start_tool(const char *path, int *in, pid_t *pid, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, EX_HOST, errno, "pipe");
	*pid = fork();
	if (*pid == 0)
		become_tool(ends[0], path);
	close(ends[0]);
	if (*pid < 0) {
		close(ends[1]);
		return err_errno(e, EX_HOST, errno, "fork");
	}
	*in = ends[1];
	return 0;
}

/* kill_it: the stream ended early, what the tool would make of it is not wanted. */
static int end_tool(pid_t pid, bool kill_it, struct err *e)
{
	int status = 0;

	if (kill_it)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, EX_HOST, errno, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, EX_HOST, TOOL ": not found: install squashfs-tools");
	return err_set(e, EX_HOST, TOOL ": failed: its own message is above");
}

static int make_squashfs(const char *root, const struct root_rules *rules, const char *path,
			 struct err *e)
{
	struct err tool = { 0 };
	pid_t pid = -1;
	int in = -1, rc = start_tool(path, &in, &pid, e);

	if (rc < 0)
		return rc;
	rc = root_pack(root, rules, in, e);
	close(in);
	int ended = end_tool(pid, rc < 0 && rc != -EX_INTERNAL, &tool);
	/* When the tool went first, why it did is the cause. */
	if (ended < 0 && (rc == 0 || rc == -EX_INTERNAL)) {
		*e = tool;
		return ended;
	}
	return rc;
}

static int salt(const char *path, uint64_t size, uint8_t out[PARAMS_DIGEST], struct err *e)
{
	return digest_file(path, SALT_LABEL, size, out, e);
}

static void quiet(int level, const char *text, void *unused)
{
	(void)unused;
	if (level == CRYPT_LOG_ERROR)
		fputs(text, stderr);
}

/* libcryptsetup writes the tree behind the data and no superblock: its values go to the measured
 * command line instead. */
static int append_tree(const char *path, struct disk *d, struct err *e)
{
	struct crypt_device *cd = NULL;
	struct crypt_params_verity params = {
		.hash_name = "sha256",
		.data_device = path,
		.salt = (const char *)d->salt,
		.salt_size = PARAMS_DIGEST,
		.hash_type = 1,
		.data_block_size = PARAMS_BLOCK,
		.hash_block_size = PARAMS_BLOCK,
		.data_size = d->blocks,
		.hash_area_offset = d->blocks * PARAMS_BLOCK,
		.flags = CRYPT_VERITY_NO_HEADER | CRYPT_VERITY_CREATE_HASH,
	};
	size_t size = PARAMS_DIGEST;

	crypt_set_log_callback(NULL, quiet, NULL);
	int r = crypt_init(&cd, path);
	if (r == 0)
		r = crypt_format(cd, CRYPT_VERITY, NULL, NULL, NULL, NULL, 0, &params);
	if (r == 0)
		r = crypt_volume_key_get(cd, CRYPT_ANY_SLOT, (char *)d->root_hash, &size, NULL, 0);
	crypt_free(cd);
	if (r < 0 || size != PARAMS_DIGEST)
		return err_errno(e, EX_HOST, r < 0 ? -r : EIO, "%s: hash tree", path);
	return 0;
}

int disk_make(const char *root, const struct root_rules *rules, const uint8_t *given_salt,
	      const char *path, struct disk *out, struct err *e)
{
	struct stat st = { .st_size = 0 };
	int rc = make_squashfs(root, rules, path, e);

	if (rc == 0 && stat(path, &st) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s", path);
	if (rc < 0)
		return rc;
	out->blocks = (uint64_t)st.st_size / PARAMS_BLOCK;
	if (out->blocks == 0 || st.st_size % PARAMS_BLOCK != 0 || out->blocks > PARAMS_BLOCKS_MAX)
		return err_set(e, EX_HOST, "%s: %lld bytes are no whole blocks", path,
			       (long long)st.st_size);
	if (given_salt != NULL)
		memcpy(out->salt, given_salt, PARAMS_DIGEST);
	else
		rc = salt(path, (uint64_t)st.st_size, out->salt, e);
	return rc == 0 ? append_tree(path, out, e) : rc;
}
