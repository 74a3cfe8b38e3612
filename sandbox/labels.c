#include "sandbox/labels.h"

#include <errno.h>
#include <selinux/selinux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool label_split(char *text, struct label_parts *out)
{
	char *rest = text;

	out->user = strsep(&rest, ":");
	out->role = rest == NULL ? NULL : strsep(&rest, ":");
	out->type = rest == NULL ? NULL : strsep(&rest, ":");
	out->level = rest; /* may hold colons itself */
	return out->level != NULL && *out->level != '\0' && *out->type != '\0';
}

void labels_none(struct labels *l)
{
	char *const all[] = { l->vmm, l->dev, l->vtpm, l->image, l->image_ro,
			      l->conf, l->ram, l->log, l->tpmstate, l->psp,
			      l->quote, l->qgs };

	l->on = false;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		snprintf(all[i], LABEL_MAX, "none");
}

/* USER:ROLE:TYPE:s0:cA,cB, refused when the loaded policy does not know it. */
static int make_one(const struct label_parts *self, const char *role, const char *type,
		    const char *level, char *out, struct err *e)
{
	int n = snprintf(out, LABEL_MAX, "%s:%s:%s:%s", self->user, role, type, level);

	if (n < 0 || n >= LABEL_MAX)
		return err_set(e, EX_HOST, "SELinux: own label is too long");
	if (security_check_context_raw(out) != 0)
		return err_errno(e, EX_HOST, errno, "SELinux: label %s is not valid in the loaded "
				 "policy: install the policy module of this version", out);
	return 0;
}

int labels_make(struct labels *l, const struct mcs_pair *pair, struct err *e)
{
	char self[LABEL_MAX], categories[MCS_TEXT], level[MCS_TEXT + 4];
	struct label_parts parts;
	int rc = lsm_get(LSM_CURRENT, self);

	if (rc != 0 || !label_split(self, &parts))
		return err_errno(e, EX_HOST, -rc, "SELinux: own label not readable");
	mcs_text(pair, categories);
	snprintf(level, sizeof(level), "s0:%s", categories);
	const struct {
		const char *role, *type;
		char *out;
	} all[] = {
		{ parts.role, "pavise_vmm_t", l->vmm },
		{ parts.role, "pavise_dev_t", l->dev },
		{ parts.role, "pavise_vtpm_t", l->vtpm },
		{ "object_r", "pavise_image_t", l->image },
		{ "object_r", "pavise_image_ro_t", l->image_ro },
		{ "object_r", "pavise_conf_t", l->conf },
		{ "object_r", "pavise_ram_t", l->ram },
		{ "object_r", "pavise_log_t", l->log },
		{ "object_r", "pavise_tpmstate_t", l->tpmstate },
		{ parts.role, "pavise_quote_t", l->quote },
		{ "object_r", "pavise_qgs_t", l->qgs },
	};
	l->on = true;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = make_one(&parts, all[i].role, all[i].type, level, all[i].out, e);
	return rc;
}

int labels_simulate(struct labels *l, const struct mcs_pair *pair, struct err *e)
{
	char self[LABEL_MAX], categories[MCS_TEXT], level[MCS_TEXT + 4];
	struct label_parts parts;
	int rc = lsm_get(LSM_CURRENT, self);

	if (rc != 0 || !label_split(self, &parts))
		return err_errno(e, EX_HOST, -rc, "SELinux: own label not readable");
	mcs_text(pair, categories);
	snprintf(level, sizeof(level), "s0:%s", categories);
	rc = make_one(&parts, parts.role, "pavise_vmm_sim_t", level, l->vmm, e);
	return rc == 0 ? make_one(&parts, parts.role, "pavise_psp_t", level, l->psp, e) : rc;
}

int label_read(const char *what, int fd, char *out, struct err *e)
{
	char *text = NULL;

	if (fgetfilecon_raw(fd, &text) < 0)
		return err_errno(e, EX_HOST, errno, "%s: label not readable: keep it on a file "
				 "system with security labels", what);
	int n = snprintf(out, LABEL_MAX, "%s", text);
	freecon(text);
	if (n < 0 || n >= LABEL_MAX)
		return err_set(e, EX_HOST, "%s: label too long", what);
	return 0;
}

int label_write(const struct labels *l, const char *what, int fd, const char *label,
		struct err *e)
{
	char now[LABEL_MAX];

	if (!l->on)
		return 0;
	if (fsetfilecon_raw(fd, label) != 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot be labelled %s: keep it on a file "
				 "system with labels", what, label);
	int rc = label_read(what, fd, now, e);
	if (rc == 0 && strcmp(now, label) != 0)
		rc = err_set(e, EX_HOST, "%s: label reads back as %s instead of %s: use another "
			     "file system", what, now, label);
	return rc;
}

/* A socket or a pair of them, made under the label of whoever will use it. */
static int make_labelled(const struct labels *l, const char *label, int type, int pair[2],
			 bool single, struct err *e)
{
	int rc = l->on ? lsm_set(LSM_SOCKCREATE, label) : 0;

	pair[0] = pair[1] = -1;
	if (rc != 0)
		return err_errno(e, EX_HOST, -rc, "socket for %s: label refused", label);
	if (single)
		pair[0] = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	else if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
		pair[0] = -1;
	if (pair[0] < 0)
		rc = err_errno(e, EX_HOST, errno, "socket for %s", label);
	/* A label left behind would go to the next socket of anybody: that must not pass. */
	if (l->on && lsm_set(LSM_SOCKCREATE, "") != 0) {
		for (int i = 0; rc == 0 && i < 2; i++)
			if (pair[i] >= 0)
				close(pair[i]);
		rc = err_set(e, EX_INTERNAL, "label of new sockets cannot be cleared");
	}
	return rc;
}

int label_socketpair(const struct labels *l, const char *label, int type, int pair[2],
		     struct err *e)
{
	return make_labelled(l, label, type, pair, false, e);
}

int label_listener(const struct labels *l, const char *label, const char *path, uid_t id, int *fd,
		   struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int made[2];
	int rc = make_labelled(l, label, SOCK_STREAM, made, true, e);

	*fd = -1;
	if (rc != 0)
		return rc;
	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path) >= sizeof(a.sun_path))
		rc = err_set(e, EX_USAGE_ERROR, "%s: too long for a socket: choose another run "
			     "directory", path);
	mode_t old = umask(0177);
	if (rc == 0 && (bind(made[0], (const struct sockaddr *)&a, sizeof(a)) != 0 ||
			lchown(path, id, id) != 0 || listen(made[0], SOMAXCONN) != 0))
		rc = err_errno(e, EX_HOST, errno, "%s: socket", path);
	umask(old);
	if (rc == 0)
		*fd = made[0];
	else
		close(made[0]);
	return rc;
}
