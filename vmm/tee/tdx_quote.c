#include "vmm/tee/tdx_quote.h"

#include "common/kvm_uapi.h"
#include "vmm/bus/pci.h"
#include "vmm/bus/routes.h"
#include "vmm/kvm/kvm.h"
#include "vmm/tee/private_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define VECTOR_MIN 32u /* below are the processor's exceptions */
#define VECTOR_MAX 255u

#define AT_STATUS  8u  /* offsets in the guest's buffer */
#define AT_OUT_LEN 20u

struct buffer {
	uint64_t version;
	uint64_t status;
	uint32_t in_len;
	uint32_t out_len;
	uint8_t report[QUOTE_REPORT_SIZE];
};
_Static_assert(offsetof(struct buffer, report) == TDX_QUOTE_DATA, "quote buffer");
_Static_assert(offsetof(struct buffer, status) == AT_STATUS, "quote buffer");
_Static_assert(offsetof(struct buffer, out_len) == AT_OUT_LEN, "quote buffer");

static int set_up_notice(struct vm *vm, struct err *e)
{
	struct tdx_quotes *q = &vm->tdx.quotes;
	int rc = vm_alloc_gsi(vm, &q->notify_gsi, e);

	if (rc < 0)
		return rc;
	q->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->notify_fd < 0)
		return err_errno(e, EX_HOST, errno, "quote: cannot make an eventfd");
	return kvm_irqfd(vm->vm_fd, q->notify_fd, q->notify_gsi, e);
}

/* Not blocking: a vCPU never waits for the relay. */
int tdx_quote_init(struct vm *vm, int fd, struct err *e)
{
	struct tdx_quotes *q = &vm->tdx.quotes;
	int flags;

	memset(q, 0, sizeof(*q));
	q->fd = q->notify_fd = -1;
	if (pthread_mutex_init(&q->lock, NULL) != 0)
		return err_set(e, EX_INTERNAL, "quote: cannot make a lock");
	if (fd < 0)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_errno(e, EX_HOST, errno, "quote: descriptor %d", fd);
	q->fd = fd;
	return set_up_notice(vm, e);
}

int tdx_quote_fd(struct vm *vm)
{
	struct tdx_quotes *q = &vm->tdx.quotes;
	int fd;

	pthread_mutex_lock(&q->lock);
	fd = q->fd;
	pthread_mutex_unlock(&q->lock);
	return fd;
}

/* The quote and its length first, the status last: a guest that polls the status may then read the
 * rest. A page that the guest made private meanwhile gets nothing it could see. */
static void put_answer(struct vm *vm, uint64_t gpa, uint64_t status, const void *quote,
		       uint32_t size)
{
	if (size > 0)
		(void)gpa_write(&vm->memory, gpa + TDX_QUOTE_DATA, quote, size);
	if (status != TDX_QUOTE_IN_FLIGHT)
		(void)gpa_write(&vm->memory, gpa + AT_OUT_LEN, &size, sizeof(size));
	(void)gpa_publish(&vm->memory, gpa + AT_STATUS, status);
}

/* With the lock held. */
static void finish(struct vm *vm, struct tdx_quote_request *r, uint64_t status, const void *quote,
		   uint32_t size)
{
	static const uint64_t one = 1;
	const struct tdx_quotes *q = &vm->tdx.quotes;

	r->busy = false;
	if (!private_memory_all_shared(&vm->private_memory, r->gpa, r->size)) {
		vm_log(vm, "quote: the guest took its buffer at %#llx away",
		       (unsigned long long)r->gpa);
		return;
	}
	put_answer(vm, r->gpa, status, quote, size);
	if (q->notify && write(q->notify_fd, &one, sizeof(one)) < 0)
		vm_log(vm, "quote: cannot raise the guest's interrupt");
}

/* With the lock held. */
static struct tdx_quote_request *find_free(struct tdx_quotes *q)
{
	for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++)
		if (!q->request[i].busy)
			return &q->request[i];
	return NULL;
}

static bool send_request(struct tdx_quotes *q, uint32_t id, const struct buffer *b)
{
	struct quote_request out = { .magic = QUOTE_MAGIC, .id = id };

	memcpy(out.report, b->report, sizeof(out.report));
	return write(q->fd, &out, sizeof(out)) == (ssize_t)sizeof(out);
}

/* b is our copy: the guest can no longer change what was checked. */
static uint64_t ask(struct vm *vm, uint64_t gpa, uint64_t size, const struct buffer *b)
{
	struct tdx_quotes *q = &vm->tdx.quotes;
	struct tdx_quote_request *r;
	uint64_t ret = UAPI_TDVMCALL_SUCCESS;

	pthread_mutex_lock(&q->lock);
	r = find_free(q);
	if (q->fd < 0) {
		put_answer(vm, gpa, TDX_QUOTE_UNAVAILABLE, NULL, 0);
	} else if (!r) {
		ret = UAPI_TDVMCALL_RETRY;
	} else {
		put_answer(vm, gpa, TDX_QUOTE_IN_FLIGHT, NULL, 0);
		*r = (struct tdx_quote_request){ true, q->next_id++, gpa, size };
		if (!send_request(q, r->id, b)) {
			r->busy = false;
			put_answer(vm, gpa, TDX_QUOTE_UNAVAILABLE, NULL, 0);
		}
	}
	pthread_mutex_unlock(&q->lock);
	return ret;
}

uint64_t tdx_quote_get(struct vcpu *v, uint64_t gpa, uint64_t size)
{
	struct vm *vm = v->vm;
	struct buffer b;

	if (gpa % PRIVATE_PAGE != 0 || size % PRIVATE_PAGE != 0 || size > TDX_QUOTE_BUFFER_MAX ||
	    !private_memory_all_shared(&vm->private_memory, gpa, size) ||
	    gpa_read(&vm->memory, gpa, &b, sizeof(b)) < 0)
		return UAPI_TDVMCALL_INVALID;
	if (b.version != TDX_QUOTE_VERSION || b.in_len != QUOTE_REPORT_SIZE) {
		put_answer(vm, gpa, TDX_QUOTE_ERROR, NULL, 0);
		return UAPI_TDVMCALL_SUCCESS;
	}
	return ask(vm, gpa, size, &b);
}

/* One vector for the guest, that of the last vCPU that asked (GHCI 1.5 §3.5): an MSI to its local
 * APIC (SDM vol. 3 §11.11). */
uint64_t tdx_quote_notify(struct vcpu *v, uint64_t vector)
{
	const struct msix_message message = { .address = LAPIC_BASE | (uint64_t)v->index << 12,
					      .data = (uint32_t)vector };
	struct vm *vm = v->vm;
	struct tdx_quotes *q = &vm->tdx.quotes;
	struct err e = { 0 };
	int rc = 0;

	if (q->notify_fd < 0)
		return UAPI_TDVMCALL_UNSUPPORTED;
	if (vector < VECTOR_MIN || vector > VECTOR_MAX)
		return UAPI_TDVMCALL_INVALID;
	pthread_mutex_lock(&vm->lock);
	if (routes_set(pci_routes(vm), q->notify_gsi, &message) != ROUTE_SAME)
		rc = routes_commit(pci_routes(vm), vm->vm_fd, &e);
	pthread_mutex_unlock(&vm->lock);
	if (rc < 0) {
		vm_log(vm, "quote: %s", e.text);
		return UAPI_TDVMCALL_UNSUPPORTED;
	}
	pthread_mutex_lock(&q->lock);
	q->notify = true;
	pthread_mutex_unlock(&q->lock);
	return UAPI_TDVMCALL_SUCCESS;
}

struct answer {
	struct quote_answer head;
	uint8_t quote[QUOTE_SIZE_MAX];
	uint8_t excess; /* one byte more, so that a longer message is noticed */
};

/* With the lock held: the request an answer is for, NULL when it breaks a rule of quote_wire.h. */
static struct tdx_quote_request *judge(struct tdx_quotes *q, const struct answer *a, size_t n)
{
	const struct quote_answer *h = &a->head;

	if (n < sizeof(*h) || h->magic != QUOTE_MAGIC || h->size != n - sizeof(*h) ||
	    h->size > QUOTE_SIZE_MAX || h->status > QUOTE_FAILED ||
	    (h->status == QUOTE_OK) != (h->size > 0))
		return NULL;
	for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++)
		if (q->request[i].busy && q->request[i].id == h->id)
			return &q->request[i];
	return NULL;
}

static void deliver(struct vm *vm, struct tdx_quote_request *r, const struct answer *a)
{
	bool fits = a->head.size <= r->size - TDX_QUOTE_DATA;

	if (a->head.status == QUOTE_UNAVAILABLE)
		finish(vm, r, TDX_QUOTE_UNAVAILABLE, NULL, 0);
	else if (a->head.status == QUOTE_FAILED || !fits)
		finish(vm, r, TDX_QUOTE_ERROR, NULL, 0);
	else
		finish(vm, r, TDX_QUOTE_DONE, a->quote, a->head.size);
}

/* The relay is gone or mad: nobody is asked again. */
static void give_up(struct vm *vm, const char *why)
{
	struct tdx_quotes *q = &vm->tdx.quotes;

	vm_log(vm, "quote: pavise-quote %s: no more quotes for this guest", why);
	q->fd = -1;
	for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++)
		if (q->request[i].busy)
			finish(vm, &q->request[i], TDX_QUOTE_UNAVAILABLE, NULL, 0);
}

/* With the lock held and a relay. */
static void receive(struct vm *vm)
{
	static struct answer a; /* large; the main thread is the only caller */
	struct tdx_quotes *q = &vm->tdx.quotes;
	ssize_t n = recv(q->fd, &a, offsetof(struct answer, excess) + 1, MSG_DONTWAIT);

	if (n > 0) {
		struct tdx_quote_request *r = judge(q, &a, (size_t)n);

		if (r)
			deliver(vm, r, &a);
		else
			give_up(vm, "sent an answer to no request");
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		give_up(vm, "is gone");
	}
}

void tdx_quote_wake(struct vm *vm)
{
	struct tdx_quotes *q = &vm->tdx.quotes;

	pthread_mutex_lock(&q->lock);
	if (q->fd >= 0)
		receive(vm);
	pthread_mutex_unlock(&q->lock);
}
