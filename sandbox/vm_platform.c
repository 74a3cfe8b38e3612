#include "sandbox/vm_platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* SEV-SNP firmware ABI (AMD 56860), "ID block" and "ID authentication information". */
#define ID_BLOCK_SIZE 96u
#define ID_AUTH_SIZE  4096u
/* An entry and its end (GHCB specification, "SNP Extended Guest Request"); room for a VCEK and its
 * chain many times over. */
#define CERTS_LEAST 48u
#define CERTS_MOST  65536u

/* The simulated service's socket in its folder. */
#define QGS_FOLDER "qgs"
#define QGS_SOCKET "socket"
_Static_assert(sizeof("/" QGS_FOLDER "/" QGS_SOCKET) <= sizeof("/" CONTROL_SOCKET),
	       "a run directory that fits one socket fits both");

/* ---- what the caller gave ------------------------------------------------------------------ */

/* Opened here and never by the VMM: what it can do with it, its filter says. */
static int open_sev(int *fd, struct err *e)
{
	*fd = open("/dev/sev", O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "/dev/sev: this host does not offer SEV-SNP "
				 "(another processor, firmware settings, or ccp not loaded); "
				 "--platform sim shows it without hardware");
	return 0;
}

static int check_kind(const char *what, int fd, mode_t kind, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind)
		return 0;
	/* SELinux replaces a descriptor that the launcher may not use by a null device. */
	return err_set(e, EX_USAGE_ERROR, "%s: not a %s%s", what,
		       kind == S_IFDIR ? "directory" : "regular file",
		       kind == S_IFDIR ? ", or not labelled pavise_qgs_t (restorecon)" : "");
}

/* Copies like the plan's: what the launcher checked is what the VMM reads, under its own label. */
static int copy_files(struct vm *vm, struct err *e)
{
	const struct options *o = vm->opt;
	int rc = 0;

	if (o->id_block >= 0)
		rc = small_copy_make("id-block", o->id_block, ID_BLOCK_SIZE, ID_BLOCK_SIZE,
				     &vm->id_block, e);
	if (rc == 0 && o->id_auth >= 0)
		rc = small_copy_make("id-auth", o->id_auth, ID_AUTH_SIZE, ID_AUTH_SIZE,
				     &vm->id_auth, e);
	if (rc == 0 && o->certs >= 0)
		rc = small_copy_make("certs", o->certs, CERTS_LEAST, CERTS_MOST, &vm->certs, e);
	return rc;
}

int platform_open(struct vm *vm, struct err *e)
{
	const struct options *o = vm->opt;
	int rc = copy_files(vm, e);

	if (rc == 0 && o->quote == OPTION_QUOTE_UNIX)
		rc = check_kind("quote-dir-fd", o->quote_dir, S_IFDIR, e);
	if (rc == 0 && o->simulated)
		rc = check_kind("sim-key-fd", o->sim_key, S_IFREG, e);
	if (rc == 0 && o->simulated)
		rc = check_kind("sim-certs-fd", o->sim_certs, S_IFREG, e);
	if (rc == 0 && o->tee == PLAN_TEE_SNP && !o->simulated)
		rc = open_sev(&vm->sev, e);
	if (rc == 0 && o->tee == PLAN_TEE_TDX && !o->simulated && o->quote == OPTION_QUOTE_NONE)
		fprintf(stderr, "%s: note: no quotes for this guest: name the host's quote "
			"generation service with --quote\n", o->name);
	return rc;
}

int platform_label(struct vm *vm, struct err *e)
{
	const struct {
		const char *what;
		int fd;
	} copies[] = { { "id-block", vm->id_block }, { "id-auth", vm->id_auth },
		       { "certs", vm->certs } };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(copies) / sizeof(copies[0]); i++)
		if (copies[i].fd >= 0)
			rc = label_write(&vm->labels, copies[i].what, copies[i].fd,
					 vm->labels.conf, e);
	return rc;
}

/* ---- processes ----------------------------------------------------------------------------- */

/* The simulated secure processor, or TDX module: it holds the one key that makes reports or
 * quotes, and no memory of the guest. qgs: its listening socket; -1: none. */
static int start_simulated(struct vm *vm, int qgs, struct err *e)
{
	const bool tdx = vm->opt->tee == PLAN_TEE_TDX;
	const char *program = tdx ? "pavise-tdx-sim" : "pavise-psp-sim";
	struct order o;
	int control[2] = { -1, -1 }, psp[2] = { -1, -1 };

	order_init(&o, vm, tdx ? "tdx" : "psp", vm->labels.psp, ORDER_SIM);
	int rc = order_log(vm, &o, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.psp, SOCK_SEQPACKET, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.psp, SOCK_SEQPACKET, psp, e);
	order_arg(&o, "%s", program);
	order_arg(&o, "label=%s", vm->labels.psp);
	order_arg(&o, "control=%d", order_fd(&o, control[1]));
	order_arg(&o, "psp=%d", order_fd(&o, psp[1]));
	order_arg(&o, "log=%d", order_fd(&o, o.spec.log));
	order_arg(&o, "key=%d", order_fd(&o, vm->opt->sim_key));
	order_arg(&o, "certs=%d", order_fd(&o, vm->opt->sim_certs));
	if (qgs >= 0)
		order_arg(&o, "qgs=%d", order_fd(&o, qgs));
	if (rc == 0) {
		rc = order_start(vm, &o, program, control[0], e);
		control[0] = -1;
	}
	vm->psp = psp[0];
	order_close(&o.spec.log);
	order_close(&control[0]);
	order_close(&control[1]);
	order_close(&psp[1]);
	return rc;
}

/* The host's service has a socket for its group (DCAP makes it 0660): whoever is to connect is of
 * that group, and of no other. Never root's. */
static gid_t group_of_service(int dir, const char *name, gid_t otherwise)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISSOCK(st.st_mode) ||
	    (st.st_mode & S_IWOTH) != 0 || (st.st_mode & S_IWGRP) == 0 || st.st_gid == 0)
		return otherwise;
	return st.st_gid;
}

/* The relay of quotes; dir: where a unix socket of the service is, and its name there. */
static int start_quote(struct vm *vm, int dir, const char *name, struct err *e)
{
	struct order o;
	int control[2] = { -1, -1 }, channel[2] = { -1, -1 };

	order_init(&o, vm, "quote", vm->labels.quote, ORDER_QUOTE);
	int rc = order_log(vm, &o, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.quote, SOCK_SEQPACKET, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.quote, SOCK_SEQPACKET, channel, e);
	order_arg(&o, "pavise-quote");
	order_arg(&o, "label=%s", vm->labels.quote);
	order_arg(&o, "control=%d", order_fd(&o, control[1]));
	order_arg(&o, "channel=%d", order_fd(&o, channel[1]));
	order_arg(&o, "log=%d", order_fd(&o, o.spec.log));
	if (dir >= 0) {
		o.spec.group = group_of_service(dir, name, o.spec.group);
		order_arg(&o, "qgs=unix");
		order_arg(&o, "dir=%d", order_fd(&o, dir));
		order_arg(&o, "name=%s", name);
	} else {
		order_arg(&o, "qgs=vsock");
		order_arg(&o, "cid=%u", vm->opt->quote_cid);
		order_arg(&o, "port=%u", vm->opt->quote_port);
	}
	if (rc == 0) {
		rc = order_start(vm, &o, "pavise-quote", control[0], e);
		control[0] = -1;
	}
	vm->quote = channel[0];
	order_close(&o.spec.log);
	order_close(&control[0]);
	order_close(&control[1]);
	order_close(&channel[1]);
	return rc;
}

/* The simulated service listens in a folder that is the relay's alone: from there names lead to no
 * other socket of this VM. */
static int start_simulated_tdx(struct vm *vm, struct err *e)
{
	char path[RUN_PATH_MAX + sizeof("/" QGS_FOLDER "/" QGS_SOCKET)];
	const uid_t id = order_id(vm, ORDER_QUOTE);
	int listener = -1, dir = -1;

	snprintf(path, sizeof(path), "%s/" QGS_FOLDER "/" QGS_SOCKET, vm->run.path);
	int rc = rundir_folder(&vm->run, &vm->labels, QGS_FOLDER, vm->labels.qgs, id, e);
	if (rc == 0)
		rc = label_listener(&vm->labels, vm->labels.psp, path, id, &listener, e);
	if (rc == 0)
		rc = start_simulated(vm, listener, e);
	if (rc == 0 && (dir = openat(vm->run.dir, QGS_FOLDER,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		rc = err_errno(e, EX_HOST, errno, "%s/" QGS_FOLDER, vm->run.path);
	if (rc == 0)
		rc = start_quote(vm, dir, QGS_SOCKET, e);
	order_close(&listener);
	order_close(&dir);
	return rc;
}

int platform_start(struct vm *vm, struct err *e)
{
	const struct options *o = vm->opt;

	if (o->simulated)
		return o->tee == PLAN_TEE_TDX ? start_simulated_tdx(vm, e) :
						start_simulated(vm, -1, e);
	if (o->quote == OPTION_QUOTE_NONE)
		return 0;
	return start_quote(vm, o->quote == OPTION_QUOTE_UNIX ? o->quote_dir : -1, o->quote_name, e);
}

/* ---- the VMM ------------------------------------------------------------------------------- */

static void add_fd(struct order *o, const char *key, int fd)
{
	if (fd >= 0)
		order_arg(o, "%s=%d", key, order_fd(o, fd));
}

static void add_text(struct order *o, const char *key, const char *value)
{
	if (value != NULL)
		order_arg(o, "%s=%s", key, value);
}

void platform_args(struct vm *vm, struct order *o)
{
	add_fd(o, "sev", vm->sev);
	add_fd(o, "psp", vm->psp);
	add_fd(o, "id_block", vm->id_block);
	add_fd(o, "id_auth", vm->id_auth);
	add_fd(o, "certs", vm->certs);
	add_fd(o, "quote", vm->quote);
	add_text(o, "host_data", vm->opt->host_data);
	add_text(o, "mrconfigid", vm->opt->mrconfigid);
	add_text(o, "mrowner", vm->opt->mrowner);
	add_text(o, "mrownerconfig", vm->opt->mrownerconfig);
}

void platform_close(struct vm *vm)
{
	order_close(&vm->psp);
	order_close(&vm->quote);
	order_close(&vm->sev);
	order_close(&vm->id_block);
	order_close(&vm->id_auth);
	order_close(&vm->certs);
}
