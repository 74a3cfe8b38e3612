#include "vmm/tee/snp_certs.h"

#include "common/kvm_uapi.h"
#include "vmm/kvm/sev.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/snp_errors.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int snp_certs_read(struct snp_certs *c, int fd, struct err *e)
{
	struct stat st;
	ssize_t n;

	c->size = 0;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "certs: cannot look at descriptor %d", fd);
	if (st.st_size < 1 || st.st_size > (off_t)SNP_CERTS_MAX)
		return err_set(e, EX_MALFORMED, "certs: %lld bytes, 1 to %u allowed: make the "
			       "certificate table of this host again", (long long)st.st_size,
			       SNP_CERTS_MAX);
	n = pread(fd, c->table, sizeof(c->table), 0);
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "certs: cannot read");
	if (n != (ssize_t)st.st_size)
		return err_set(e, EX_HOST, "certs: read %zd of %lld bytes", n,
			       (long long)st.st_size);
	c->size = (size_t)n;
	close(fd);
	return 0;
}

int snp_certs_enable(struct vm *vm, struct err *e)
{
	struct snp_certs *c = &vm->snp.certs;
	uint32_t fw = 0;
	int rc;

	if (c->size == 0)
		return 0;
	rc = sev_enable_req_certs(vm->vm_fd, vm->snp.sev_fd, &fw);
	if (rc == -EINVAL) { /* an unknown command */
		vm_log(vm, "certs: this kernel cannot hand certificates to guests (Linux 7.0 "
		       "can): the guest gets an empty table");
		c->size = 0;
		return 0;
	}
	return rc < 0 ? snp_error(SNP_REQ_CERTS, rc, fw, e) : 0;
}

/* The errno of the answer. Place and room are the guest's word: the kernel has looked at nothing
 * but the alignment. */
static uint64_t put_table(struct vm *vm, uint64_t gpa, uint64_t room)
{
	const struct snp_certs *c = &vm->snp.certs;
	uint64_t needed = (c->size + PRIVATE_PAGE - 1) / PRIVATE_PAGE;

	if (c->size == 0)
		return EIO; /* never asked for */
	if (room < needed)
		return ENOSPC;
	if (gpa % PRIVATE_PAGE != 0 ||
	    !private_memory_all_shared(&vm->private_memory, gpa, needed * PRIVATE_PAGE) ||
	    gpa_write(&vm->memory, gpa, c->table, c->size) < 0)
		return EIO;
	return 0;
}

void snp_certs_exit(struct vcpu *v)
{
	uint8_t *at = (uint8_t *)v->run + UAPI_RUN_REQ_CERTS_OFFSET;
	struct uapi_snp_req_certs x;

	memcpy(&x, at, sizeof(x));
	x.ret = put_table(v->vm, x.gpa, x.npages);
	if (x.ret == ENOSPC)
		x.npages = (v->vm->snp.certs.size + PRIVATE_PAGE - 1) / PRIVATE_PAGE;
	memcpy(at, &x, sizeof(x));
}
