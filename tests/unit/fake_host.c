#include "tests/unit/fake_host.h"

#include "common/kvm_uapi.h"

#include <assert.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/stat.h>

#define FD_KVM 100
#define FD_SEV 101
#define FD_VM  102

#define PROGRAM (S_IFREG | 0755)

static const struct fake_file defaults[] = {
	{ "/dev/kvm", "", NULL, S_IFCHR | 0660, 0 },
	{ "/dev/sev", "", NULL, S_IFCHR | 0600, 0 },
	{ "/p/pavise-run", "", "u:r:bin_t:s0", PROGRAM, 0 },
	{ "/p/pavise-launch", "", "u:r:pavise_launch_exec_t:s0", PROGRAM, 0 },
	{ "/p/pavise-vmm", "", "u:r:pavise_vmm_exec_t:s0", PROGRAM, 0 },
	{ "/p/pavise-dev", "", "u:r:pavise_dev_exec_t:s0", PROGRAM, 0 },
	{ "/p/pavise-quote", "", "u:r:pavise_quote_exec_t:s0", PROGRAM, 0 },
	{ "/p/pavise-vmm-sim", "", "u:r:pavise_vmm_sim_exec_t:s0", PROGRAM, 0 },
	{ "/p/pavise-psp-sim", "", "u:r:pavise_psp_exec_t:s0", PROGRAM, 0 },
	{ "/p/pavise-tdx-sim", "", "u:r:pavise_psp_exec_t:s0", PROGRAM, 0 },
	{ "/usr/bin/swtpm", "TPM emulator version 0.7.1", "u:r:pavise_vtpm_exec_t:s0", PROGRAM, 0 },
	{ "/usr/lib64/ld-linux-x86-64.so.2", "", NULL, PROGRAM, 0 },
	{ "/proc/self/ns/user", "", NULL, S_IFREG, 0 },
	{ "/proc/self/ns/pid", "", NULL, S_IFREG, 0 },
	{ "/proc/self/ns/mnt", "", NULL, S_IFREG, 0 },
	{ "/proc/self/ns/net", "", NULL, S_IFREG, 0 },
	{ "/proc/self/ns/ipc", "", NULL, S_IFREG, 0 },
	{ "/proc/self/ns/uts", "", NULL, S_IFREG, 0 },
	{ "/proc/self/ns/cgroup", "", NULL, S_IFREG, 0 },
	{ "/proc/sys/user/max_user_namespaces", "96365\n", NULL, S_IFREG, 0 },
	{ "/proc/meminfo", "MemTotal:  9 kB\nMemAvailable:    8388608 kB\n", NULL, S_IFREG, 0 },
	{ "/proc/cmdline", "ro quiet iommu=nopt amd_iommu=on\n", NULL, S_IFREG, 0 },
	{ "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu ss movdir64b tdx_host_platform\n\n",
	  NULL, S_IFREG, 0 },
	{ "/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n", NULL, S_IFREG, 0 },
	{ "/sys/module/kvm_amd/parameters/npt", "Y\n", NULL, S_IFREG, 0 },
	{ "/sys/module/kvm_amd/parameters/sev", "Y\n", NULL, S_IFREG, 0 },
	{ "/sys/module/kvm_amd/parameters/sev_es", "Y\n", NULL, S_IFREG, 0 },
	{ "/sys/module/kvm_amd/parameters/sev_snp", "1\n", NULL, S_IFREG, 0 },
	{ "/sys/module/kvm_intel/parameters/tdx", "Y\n", NULL, S_IFREG, 0 },
	{ "/sys/power/state", "freeze mem\n", NULL, S_IFREG, 0 },
	{ "/var/run/tdx-qgs/qgs.socket", "", NULL, S_IFSOCK | 0660, 0 },
};

void fake_host_init(struct fake_host *f, enum fake_vendor vendor)
{
	*f = (struct fake_host){
		.files = sizeof(defaults) / sizeof(defaults[0]),
		.feature = { [FEATURE_LANDLOCK] = 7 },
		.api = KVM_API_VERSION, .create_vm = FD_VM, .create_td = FD_VM,
		.api_major = 1, .api_minor = 55, .state = 1, .rmp = 1,
		.tdx_entries = 40, .tdx_attributes = 1ull << 28,
		.sev_eax = 0x1f, .sev_edx = 100,
		.vendor = vendor, .selinux = SELINUX_ENFORCING, .mcs = 1,
	};
	static_assert(sizeof(defaults) <= sizeof(f->file), "files");
	memcpy(f->file, defaults, sizeof(defaults));
	for (unsigned i = 0; i < FAKE_CAPS; i++)
		f->caps[i] = 1;
	f->caps[UAPI_CAP_VM_TYPES] = vendor == FAKE_AMD ? 0x11 : 0x21;
	f->caps[UAPI_CAP_MEMORY_ATTRIBUTES] = (unsigned)UAPI_ATTRIBUTE_PRIVATE;
	f->caps[UAPI_CAP_EXIT_HYPERCALL] = 1u << UAPI_HC_MAP_GPA_RANGE;
}

struct fake_file *fake_file(struct fake_host *f, const char *path)
{
	for (unsigned i = 0; i < f->files; i++)
		if (strcmp(f->file[i].path, path) == 0)
			return &f->file[i];
	return NULL;
}

static int touch(struct fake_host *f, const char *path, struct fake_file **out)
{
	*out = fake_file(f, path);
	return *out == NULL ? -ENOENT : (*out)->rc;
}

static int fake_read(void *context, const char *path, char *out, size_t size)
{
	struct fake_file *file;
	int rc = touch(context, path, &file);

	if (rc < 0)
		return rc;
	snprintf(out, size, "%s", file->text);
	return (int)strlen(out);
}

static int fake_mode(void *context, const char *path, unsigned *mode)
{
	struct fake_file *file;
	int rc = touch(context, path, &file);

	if (rc == 0)
		*mode = file->mode;
	return rc;
}

static int fake_open(void *context, const char *path, int flags)
{
	struct fake_host *f = context;
	struct fake_file *file;
	int rc = touch(f, path, &file);

	(void)flags;
	if (rc < 0)
		return rc;
	f->descriptors++;
	return strcmp(path, "/dev/kvm") == 0 ? FD_KVM : FD_SEV;
}

static int create(struct fake_host *f, int fd)
{
	if (fd >= 0)
		f->descriptors++;
	return fd;
}

/* struct kvm_tdx_cmd {id, flags, data, hw_error}; kvm_tdx_capabilities: attributes@0, nent@2048 */
static int tdx_command(struct fake_host *f, uint64_t arg)
{
	const struct {
		uint32_t id, flags;
		uint64_t data, hw_error;
	} *c = (const void *)(uintptr_t)arg;
	uint8_t *caps = (uint8_t *)(uintptr_t)c->data;
	uint32_t room;

	if (c->id != 0 || c->flags != 0 || c->hw_error != 0)
		return -EINVAL;
	memcpy(&room, caps + 2048, sizeof(room));
	if (room < f->tdx_entries)
		return -E2BIG;
	memcpy(caps, &f->tdx_attributes, 8);
	memcpy(caps + 2048, &f->tdx_entries, 4);
	return 0;
}

/* struct sev_issue_cmd, packed: cmd@0, data@4, error@12 */
static int sev_command(struct fake_host *f, unsigned long request, uint64_t arg)
{
	const uint8_t *c = (const uint8_t *)(uintptr_t)arg;
	uint32_t id;
	uint64_t data;

	memcpy(&id, c, 4);
	memcpy(&data, c + 4, 8);
	if (request != 0xc0105300ul || id != 9)
		return -EINVAL;
	if (f->platform_rc < 0)
		return f->platform_rc;
	const uint8_t head[4] = { (uint8_t)f->api_major, (uint8_t)f->api_minor,
				  (uint8_t)f->state, (uint8_t)f->rmp };
	memcpy((uint8_t *)(uintptr_t)data, head, sizeof(head));
	return 0;
}

static int fake_ioctl(void *context, int fd, unsigned long request, uint64_t arg)
{
	struct fake_host *f = context;

	if (fd == FD_SEV)
		return sev_command(f, request, arg);
	if (fd == FD_VM && request == UAPI_MEMORY_ENCRYPT_OP)
		return tdx_command(f, arg);
	if (fd == FD_VM)
		return request == KVM_SET_USER_MEMORY_REGION ? f->slot : -EINVAL;
	switch (request) {
	case KVM_GET_API_VERSION:
		return f->api;
	case KVM_CHECK_EXTENSION:
		return arg < FAKE_CAPS ? (int)f->caps[arg] : 0;
	case KVM_CREATE_VM:
		return create(f, arg == 5 ? f->create_td : f->create_vm);
	default:
		return -EINVAL;
	}
}

static void fake_close(void *context, int fd)
{
	struct fake_host *f = context;

	assert(fd >= FD_KVM && f->descriptors > 0);
	f->descriptors--;
}

static void fake_cpuid(void *context, uint32_t leaf, uint32_t out[4])
{
	static const char names[2][13] = { "AuthcAMDenti", "GenuntelineI" }; /* EBX ECX EDX */
	const struct fake_host *f = context;

	memset(out, 0, 16);
	if (leaf == 0)
		memcpy(out + 1, names[f->vendor], 12);
	else if (leaf == 1)
		out[2] = f->family_ecx;
	else if (leaf == 0x80000000u)
		out[0] = 0x80000028u;
	else if (leaf == 0x8000001Fu && f->vendor == FAKE_AMD)
		memcpy(out, (const uint32_t[]){ f->sev_eax, 51, 509, f->sev_edx }, 16);
}

static int fake_kernel(void *context, enum doctor_feature feature)
{
	return ((struct fake_host *)context)->feature[feature];
}

static enum doctor_selinux fake_selinux(void *context)
{
	return ((struct fake_host *)context)->selinux;
}

static bool fake_mcs(void *context)
{
	return ((struct fake_host *)context)->mcs != 0;
}

static int fake_knows(void *context, const char *label)
{
	const struct fake_host *f = context;

	if (f->unknown_type != NULL && strstr(label, f->unknown_type) != NULL)
		return -EINVAL;
	return f->knows;
}

static int fake_walls(void *context, struct err *e)
{
	if (((struct fake_host *)context)->walls == 0)
		return 0;
	return err_set(e, EX_HOST, "SELinux: a wall is not there");
}

static int fake_label(void *context, const char *path, char *out, size_t size)
{
	struct fake_file *file;
	int rc = touch(context, path, &file);

	if (rc == 0)
		snprintf(out, size, "%s", file->label);
	return rc;
}

struct doctor_host fake_doctor_host(struct fake_host *f)
{
	return (struct doctor_host){
		.context = f, .programs = "/p", .read = fake_read, .mode = fake_mode,
		.open = fake_open, .ioctl = fake_ioctl, .close = fake_close,
		.cpuid = fake_cpuid, .kernel = fake_kernel, .version = fake_read,
		.selinux = fake_selinux, .selinux_mcs = fake_mcs,
		.selinux_knows = fake_knows, .selinux_walls = fake_walls,
		.label = fake_label,
	};
}
