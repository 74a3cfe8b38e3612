#include "sandbox/records.h"

#include "common/record.h"
#include "sandbox/records_dead.h"
#include "sandbox/vm.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <libaudit.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define VSOCK_CHANNEL_TEXT 32

/* What a kernel says that was built without audit (audit_open(3)). */
static bool no_audit(int cause)
{
	return cause == EPROTONOSUPPORT || cause == EAFNOSUPPORT || cause == EINVAL;
}

/* It cannot be written: a VM of required isolation is not started then. */
static int give_up(struct vm *vm, int cause, struct err *e)
{
	if (vm->records.fd >= 0)
		audit_close(vm->records.fd);
	vm->records.fd = -1;
	if (vm->opt->required)
		return err_errno(e, EX_HOST, cause, "audit: no record can be written (CAP_AUDIT_"
				 "WRITE, and the policy module of this version): or start with "
				 "--isolation degraded");
	vm->missing |= VM_MISSING_RECORDS;
	return 0;
}

int records_open(struct vm *vm, struct err *e)
{
	struct records *r = &vm->records;
	int rc = records_subject_make(&r->subject, vm->opt->name, e);

	if (rc != 0)
		return rc;
	r->fd = audit_open();
	if (r->fd < 0)
		return no_audit(errno) ? 0 : give_up(vm, errno, e);
	return fcntl(r->fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : give_up(vm, errno, e);
}

/* The kernel adds who writes: pid, user and label of the launcher. No host, address or terminal. */
static int put(struct vm *vm, int type, const char *text, bool success, struct err *e)
{
	int n = audit_log_user_message(vm->records.fd, type, text, NULL, NULL, "", success);

	if (n > 0)
		return 0;
	if (n < 0)
		return give_up(vm, errno != 0 ? errno : -n, e);
	/* libaudit hides two things. A right that is not there is one more record that cannot be
	 * written; a refused connection (another user namespace than the kernel's) is no audit. */
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_AUDIT_WRITE))
		return give_up(vm, EPERM, e);
	audit_close(vm->records.fd);
	vm->records.fd = -1;
	return 0;
}

/* Each of the following does nothing once fd is -1. */
static int put_value(struct vm *vm, const char *kind, const char *value, struct err *e)
{
	char text[RECORDS_TEXT_MAX];
	int rc = 0;

	if (vm->records.fd < 0)
		return 0;
	rc = records_text_resource(&vm->records.subject, kind, "?", value, text, e);
	return rc == 0 ? put(vm, AUDIT_VIRT_RESOURCE, text, true, e) : rc;
}

static int put_amount(struct vm *vm, const char *kind, unsigned long long amount, struct err *e)
{
	char text[RECORDS_TEXT_MAX];
	int rc = 0;

	if (vm->records.fd < 0)
		return 0;
	rc = records_text_amount(&vm->records.subject, kind, 0, amount, text, e);
	return rc == 0 ? put(vm, AUDIT_VIRT_RESOURCE, text, true, e) : rc;
}

static int put_control(struct vm *vm, const char *op, const char *reason, bool success,
		       struct err *e)
{
	char text[RECORDS_TEXT_MAX];
	int rc = 0;

	if (vm->records.fd < 0)
		return 0;
	rc = records_text_control(&vm->records.subject, op, reason, vm->records.pid, text, e);
	return rc == 0 ? put(vm, AUDIT_VIRT_CONTROL, text, success, e) : rc;
}

void records_file_name(int fd, char out[RECORDS_PATH_MAX])
{
	struct stat st;
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, RECORDS_PATH_MAX - 1);
	/* Read whole, or the name would be another's. */
	if (n > 0 && n < RECORDS_PATH_MAX - 1)
		out[n] = '\0';
	else if (fstat(fd, &st) == 0)
		snprintf(out, RECORDS_PATH_MAX, "inode:%u:%u:%llu", major(st.st_dev),
			 minor(st.st_dev), (unsigned long long)st.st_ino);
	else
		snprintf(out, RECORDS_PATH_MAX, "?");
}

static int put_disks(struct vm *vm, struct err *e)
{
	char path[RECORDS_PATH_MAX];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < vm->opt->disk_count; i++) {
		records_file_name(vm->disk[i].fd, path);
		rc = put_value(vm, "disk", path, e);
	}
	return rc;
}

static int put_machine(struct vm *vm, struct err *e)
{
	char text[RECORDS_TEXT_MAX];

	if (vm->records.fd < 0 || !vm->labels.on)
		return 0;
	int rc = records_text_machine(&vm->records.subject, vm->labels.vmm, vm->labels.image, text,
				      e);
	return rc == 0 ? put(vm, AUDIT_VIRT_MACHINE_ID, text, true, e) : rc;
}

/* MACHINE_ID first: auvirt takes it for the beginning of a run. */
int records_assigned(struct vm *vm, struct err *e)
{
	char channel[VSOCK_CHANNEL_TEXT];
	int rc = put_machine(vm, e);

	snprintf(channel, sizeof(channel), "vsock:%u:%u", VM_GUEST_CID, VM_VSOCK_PORT);
	if (rc == 0)
		rc = put_disks(vm, e);
	if (rc == 0)
		rc = put_value(vm, "dev", "/dev/kvm", e);
	if (rc == 0 && vm->sev >= 0)
		rc = put_value(vm, "dev", "/dev/sev", e);
	if (rc == 0 && vm->opt->vtpm)
		rc = put_value(vm, "tpm-emulator", "swtpm", e);
	if (rc == 0)
		rc = put_value(vm, "chardev", channel, e);
	if (rc == 0)
		rc = put_amount(vm, "mem", vm->opt->memory >> 10, e);
	return rc == 0 ? put_amount(vm, "vcpu", vm->opt->cpus, e) : rc;
}

int records_started(struct vm *vm, struct err *e)
{
	for (unsigned i = 0; i < vm->child_count; i++)
		if (vm->child[i].is_vmm)
			vm->records.pid = vm->child[i].pid;
	/* First what makes an end of it, should this launcher be killed. */
	int rc = 0;
	if (vm->records.fd >= 0)
		rc = records_dead_prepare(vm->run.dir, &vm->records.subject, e);
	if (rc == 0)
		rc = put_control(vm, "start", "booted", true, e);
	vm->records.started = rc == 0;
	return rc;
}

/* One word; the sentence about it is the launcher's last line. */
static const char *reason_of(const struct vm *vm, const struct err *cause)
{
	static const struct {
		uint32_t end;
		const char *word;
	} ends[] = {
		{ VM_END_POWER_OFF, "shutdown" },
		{ VM_END_STOPPED, "destroyed" },
		{ VM_END_RESET, "reset" },
		{ VM_END_TRIPLE_FAULT, "crashed" },
		{ VM_END_FIRMWARE_STOP, "firmware-stop" },
		{ VM_END_TERMINATED, "terminated" },
		{ VM_END_MEMORY_FAULT, "memory-fault" },
		{ VM_END_KVM_ERROR, "kvm-error" },
	};

	if (cause->status != EX_OK)
		return vm->isolation_lost ? "isolation-lost" : "failed";
	if (vm->asked_to_stop)
		return "destroyed";
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i].end == vm->end)
			return ends[i].word;
	return "unknown";
}

void records_ended(struct vm *vm, const struct err *cause, struct err *undo)
{
	struct err e = { 0 };
	bool clean = undo->status == EX_OK;

	if (vm->records.started)
		put_control(vm, "stop", reason_of(vm, cause), clean, &e);
	else
		put_control(vm, "start", reason_of(vm, cause), false, &e);
	if (e.status != EX_OK)
		(void)err_set(undo, EX_HOST, "%s", e.text);
	if (vm->records.fd >= 0)
		audit_close(vm->records.fd);
	vm->records.fd = -1;
}
