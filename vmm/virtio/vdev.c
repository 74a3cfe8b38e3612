/* Joins the pure parts (transport, MSI-X, configuration space) with the back end and KVM. Every
 * callback runs under the big device lock. */
#include "vmm/virtio/vdev.h"

#include "vmm/bus/msix.h"
#include "vmm/bus/pci.h"
#include "vmm/bus/routes.h"
#include "vmm/kvm/kvm.h"
#include "vmm/virtio/transport.h"
#include "vmm/virtio/vhost.h"
#include "vmm/virtio/virtio_pci.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define QUEUE_SIZE_MAX 256u

/* Features that need nothing of a front end but to be passed on. Left out, among others:
 * ACCESS_PLATFORM (transport_offer decides), RING_PACKED and EVENT_IDX (other ring layouts than the transport
 * checks), MQ and CONFIG_WCE (the configuration cannot change). */
#define RING_INDIRECT_DESC (1ull << 28)
#define BLK_FEATURES ((1ull << 1) | (1ull << 2) | (1ull << 5) | (1ull << 6) | (1ull << 9) | \
		      (1ull << 10) | (1ull << 13) | (1ull << 14)) /* §5.2.3 */
#define VSOCK_FEATURES ((1ull << 0) | (1ull << 1))                /* §5.10.3 */

struct vdev_type {
	const char *name;
	uint16_t virtio_id;   /* §5 */
	unsigned queues;
	uint32_t class;       /* PCI class code */
	uint32_t config_size; /* bytes a back end must have */
	uint64_t features;
};

static const struct vdev_type types[] = {
	{ "blk", 2, 1, 0x018000, 60, BLK_FEATURES | RING_INDIRECT_DESC },
	{ "vsock", 19, 3, 0x078000, 8, VSOCK_FEATURES | RING_INDIRECT_DESC },
};

/* An interrupt source: a queue, or (the last one) configuration changes. */
struct source {
	int eventfd;
	uint32_t gsi;
};

struct vdev {
	struct vm *vm;
	const struct vdev_type *type;
	unsigned slot;
	unsigned msix_cap;    /* offset in the configuration space */
	unsigned started;     /* rings the back end was told to run */
	uint8_t ring[TRANSPORT_QUEUES_MAX]; /* queue number of each */
	int kick[TRANSPORT_QUEUES_MAX];
	struct source source[TRANSPORT_QUEUES_MAX + 1];
	struct vhost vhost;
	struct transport transport;
	struct msix msix;
	struct pci_function function;
};

/* --- run time --- */

static void signal_source(const struct source *s)
{
	const uint64_t one = 1;

	/* Fails only when 2^64 - 2 signals wait already. */
	if (write(s->eventfd, &one, sizeof(one)) < 0)
		return;
}

static unsigned vector_of(const struct vdev *d, unsigned source)
{
	if (source == d->type->queues)
		return d->transport.config_vector;
	return d->transport.queue[source].vector;
}

/* An interrupt raised while its vector was masked found no route and is gone. So when a route
 * appears under a running device, its source is raised once: the driver finds its work, or it
 * takes a spurious interrupt, which any MSI-X driver must (the vector may be shared). */
static void raise_again(const struct vdev *d, unsigned source)
{
	bool lost_config = source == d->type->queues && d->transport.isr != 0;
	bool lost_queue = source < d->type->queues && d->transport.running;

	if (lost_config || lost_queue)
		signal_source(&d->source[source]);
}

/* Makes KVM's routes say what transport and MSI-X table say now. */
static int update_routes(struct vdev *d, struct err *e)
{
	bool appeared[TRANSPORT_QUEUES_MAX + 1] = { false };
	bool changed = false;
	int r;

	for (unsigned i = 0; i <= d->type->queues; i++) {
		struct msix_message message;
		bool some = msix_message(&d->msix, vector_of(d, i), &message);
		enum route_change change = routes_set(pci_routes(d->vm), d->source[i].gsi,
						      some ? &message : NULL);

		changed |= change != ROUTE_SAME;
		appeared[i] = change == ROUTE_APPEARED;
	}
	if (!changed)
		return 0;
	r = routes_commit(pci_routes(d->vm), d->vm->vm_fd, e);
	for (unsigned i = 0; r == 0 && i <= d->type->queues; i++)
		if (appeared[i])
			raise_again(d, i);
	return r;
}

static int stop_rings(struct vdev *d, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < d->started && r == 0; i++)
		r = vhost_stop_ring(&d->vhost, d->ring[i], e);
	d->started = 0;
	return r;
}

static int start_rings(struct vdev *d, struct err *e)
{
	int r = vhost_set_features(&d->vhost, transport_for_back_end(d->transport.features),
				   e);

	for (unsigned i = 0; i < d->type->queues && r == 0; i++) {
		const struct transport_queue *q = &d->transport.queue[i];
		const struct vhost_ring ring = { q->size, q->desc, q->driver, q->device };

		if (!q->enabled)
			continue;
		r = vhost_start_ring(&d->vhost, i, &ring, e);
		d->ring[d->started++] = (uint8_t)i;
	}
	return r;
}

/* Carries out what an access demands. A back end that fails takes its device along, not the VM. */
static void act(struct vdev *d, unsigned actions)
{
	struct err e = { 0 };
	int r = 0;

	if ((actions & ACTION_STOP) != 0)
		r = stop_rings(d, &e);
	if (r == 0 && (actions & ACTION_START) != 0)
		r = start_rings(d, &e);
	if (r == 0 && (actions & ACTION_ROUTE) != 0)
		r = update_routes(d, &e);
	if (r != 0) {
		vm_log(d->vm, "virtio-%s slot %u: device lost: %s", d->type->name, d->slot, e.text);
		actions |= transport_die(&d->transport);
	}
	if ((actions & ACTION_CONFIG_IRQ) != 0)
		signal_source(&d->source[d->type->queues]);
}

static uint64_t bar_read(void *ctx, uint64_t offset, unsigned size)
{
	struct vdev *d = ctx;

	if (offset < BAR_MSIX_TABLE)
		return transport_read(&d->transport, offset, size);
	if (offset < BAR_MSIX_PBA)
		return msix_table_read(&d->msix, offset - BAR_MSIX_TABLE, size);
	return 0; /* pending bits: vmm/bus/msix.h */
}

static void bar_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct vdev *d = ctx;
	uint64_t illegal = d->transport.illegal;
	unsigned actions = 0;

	if (offset < BAR_MSIX_TABLE) {
		actions = transport_write(&d->transport, offset, size, value);
	} else if (offset < BAR_MSIX_PBA) {
		msix_table_write(&d->msix, offset - BAR_MSIX_TABLE, size, value);
		actions = ACTION_ROUTE;
	}
	if (d->transport.illegal != illegal)
		vm_log(d->vm, "virtio-%s slot %u: illegal write at 0x%llx: needs reset",
		       d->type->name, d->slot, (unsigned long long)offset);
	act(d, actions);
}

static void config_written(void *ctx, unsigned offset, unsigned size)
{
	struct vdev *d = ctx;

	if (offset >= d->msix_cap + 4 || offset + size <= d->msix_cap + 2)
		return;
	msix_set_control(&d->msix, pci_get16(&d->function, d->msix_cap + 2));
	act(d, ACTION_ROUTE);
}

/* --- set-up --- */

static const struct vdev_type *find_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

static int make_eventfd(int *out, struct err *e)
{
	*out = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return *out >= 0 ? 0 : err_errno(e, EX_HOST, errno, "eventfd: cannot create");
}

static int make_source(struct vdev *d, unsigned i, struct err *e)
{
	struct source *s = &d->source[i];
	int r = make_eventfd(&s->eventfd, e);

	if (r == 0)
		r = vm_alloc_gsi(d->vm, &s->gsi, e);
	if (r == 0)
		r = kvm_irqfd(d->vm->vm_fd, s->eventfd, s->gsi, e);
	if (r == 0 && i < d->type->queues)
		r = vhost_set_call(&d->vhost, i, s->eventfd, e);
	return r;
}

/* A driver notifies with a 16-bit write of the queue number (§4.1.4.4); the address alone says
 * which queue, so the value is not looked at. */
static int make_kick(struct vdev *d, unsigned queue, struct err *e)
{
	uint64_t gpa = virtio_pci_bar(d->slot) + BAR_NOTIFY + queue * BAR_NOTIFY_STEP;
	int r = make_eventfd(&d->kick[queue], e);

	if (r == 0)
		r = kvm_ioeventfd(d->vm->vm_fd, d->kick[queue], gpa, 2, NULL, e);
	if (r == 0)
		r = vhost_set_kick(&d->vhost, queue, d->kick[queue], e);
	return r;
}

static int make_notifiers(struct vdev *d, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i <= d->type->queues && r == 0; i++)
		r = make_source(d, i, e);
	for (unsigned i = 0; i < d->type->queues && r == 0; i++)
		r = make_kick(d, i, e);
	return r;
}

/* Learns what the back end is and builds the registers from it. */
static int set_up_transport(struct vdev *d, int vhost_fd, struct err *e)
{
	const struct memory *memory = &d->vm->memory;
	uint8_t config[BAR_CONFIG_SIZE];
	struct transport_setup setup = {
		.queues = d->type->queues,
		.vectors = d->type->queues + 1,
		.size_max = QUEUE_SIZE_MAX,
		.ram_count = memory->count,
		.config = config,
		.config_size = d->type->config_size,
	};
	int r = vhost_connect(&d->vhost, vhost_fd, e);

	if (r == 0)
		r = vhost_get_config(&d->vhost, config, d->type->config_size, e);
	if (r == 0)
		r = vhost_set_memory(&d->vhost, memory, e);
	if (r != 0)
		return r;
	if ((d->vhost.features & FEATURE_VERSION_1) == 0)
		return err_set(e, EX_INTERNAL,
			       "virtio-%s slot %u: the back end does not offer VERSION_1: use another",
			       d->type->name, d->slot);
	setup.features = transport_offer(d->vhost.features, d->type->features,
					 d->vm->tee->confidential);
	for (unsigned i = 0; i < memory->count; i++)
		setup.ram[i] = (struct transport_ram){ memory->region[i].gpa,
						       memory->region[i].size };
	transport_init(&d->transport, &setup);
	msix_init(&d->msix, setup.vectors);
	return 0;
}

static int plug_in(struct vdev *d, struct err *e)
{
	int r;

	d->msix_cap = virtio_pci_function(&d->function, d->slot, d->type->virtio_id,
					  d->type->class, d->msix.count);
	d->function.written = config_written;
	d->function.context = d;
	r = dispatch_add_mmio(d->vm, virtio_pci_bar(d->slot), PCI_BAR_STRIDE, bar_read, bar_write,
			      d, e);
	return r == 0 ? pci_plug(d->vm, d->slot, &d->function, e) : r;
}

int vdev_create(struct vm *vm, unsigned slot, const char *type, int vhost_fd, struct vdev **out,
		struct err *e)
{
	const struct vdev_type *t = find_type(type);
	struct vdev *d;
	int r;

	if (t == NULL)
		return err_set(e, EX_USAGE_ERROR, "device type %s: unknown: use blk or vsock",
			       type);
	if (slot == 0 || slot > PCI_SLOT_MAX)
		return err_set(e, EX_USAGE_ERROR, "PCI slot %u: does not exist: use 1..%u", slot,
			       PCI_SLOT_MAX);
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_set(e, EX_HOST, "virtio-%s: out of memory: free some", type);
	d->vm = vm;
	d->type = t;
	d->slot = slot;
	r = set_up_transport(d, vhost_fd, e);
	if (r == 0)
		r = make_notifiers(d, e);
	if (r == 0)
		r = plug_in(d, e);
	/* On failure the VM is not run: what was made so far goes with the process. */
	*out = r == 0 ? d : NULL;
	return r;
}
