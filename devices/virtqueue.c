#include "devices/virtqueue.h"

#include "common/bytes.h"
#include "common/checked.h"

#include <stdio.h>
#include <unistd.h>

/* virtio 1.2 §2.7.5, §2.7.6, §2.7.8 */
#define DESC_SIZE 16u
#define DESC_F_NEXT 1u
#define DESC_F_WRITE 2u
#define DESC_F_INDIRECT 4u
#define AVAIL_F_NO_INTERRUPT 1u
#define AVAIL_IDX 2u  /* offset of idx, in both rings */
#define AVAIL_RING 4u /* offset of ring[], in both rings */
#define USED_ELEM_SIZE 8u

struct descriptor {
	uint64_t gpa;
	uint32_t size;
	uint16_t flags, next;
};

void vq_init(struct virtqueue *q, unsigned number, const struct guest_memory *mem,
	     struct devlog *log)
{
	*q = (struct virtqueue){
		.mem = mem, .log = log, .number = number, .kick = -1, .call = -1, .err = -1 };
}

bool vq_configure(struct virtqueue *q, uint64_t desc, uint64_t avail, uint64_t used)
{
	q->configured = false;
	if (q->size == 0 || desc % 16 != 0 || avail % 2 != 0 || used % 4 != 0)
		return false;
	/* Without VIRTIO_F_EVENT_IDX, but the layout keeps the two bytes of the event field. */
	if (!guest_memory_has(q->mem, desc, (uint64_t)q->size * DESC_SIZE) ||
	    !guest_memory_has(q->mem, avail, AVAIL_RING + 2ull * q->size + 2) ||
	    !guest_memory_has(q->mem, used, AVAIL_RING + (uint64_t)USED_ELEM_SIZE * q->size + 2))
		return false;
	q->desc = desc;
	q->avail = avail;
	q->used = used;
	q->configured = true;
	return true;
}

void vq_stop(struct virtqueue *q)
{
	q->configured = false;
	q->enabled = false;
	q->broken = false;
	q->dirty = false;
	q->size = 0;
}

bool vq_running(const struct virtqueue *q)
{
	return q->configured && q->enabled && !q->broken;
}

static void signal_eventfd(int fd)
{
	static const uint64_t one = 1;

	if (fd < 0)
		return;
	/* Non-blocking; a counter at its maximum means the peer has yet to look anyway. */
	ssize_t n = write(fd, &one, sizeof(one));
	(void)n;
}

void vq_break(struct virtqueue *q, const char *why)
{
	char line[160];

	if (q->broken)
		return;
	q->broken = true;
	snprintf(line, sizeof(line), "queue %u: %s: not served until the driver resets it",
		 q->number, why);
	devlog_line(q->log, line);
	signal_eventfd(q->err);
}

/* 1: *head is the next chain's first descriptor, not yet checked; 0: nothing there; -1: broken. */
static int next_head(struct virtqueue *q, uint16_t *head)
{
	uint16_t idx;

	if (!guest_load_le16(q->mem, q->avail + AVAIL_IDX, &idx)) {
		vq_break(q, "available ring outside memory");
		return -1;
	}
	uint16_t pending = (uint16_t)(idx - q->next);
	if (pending == 0)
		return 0;
	if (pending > q->size) {
		vq_break(q, "available index jumped by more than the queue size");
		return -1;
	}
	uint64_t entry = q->avail + AVAIL_RING + 2ull * (q->next & (q->size - 1));
	if (!guest_load_le16(q->mem, entry, head)) {
		vq_break(q, "available ring outside memory");
		return -1;
	}
	return 1;
}

static bool read_descriptor(const struct virtqueue *q, uint16_t index, struct descriptor *d)
{
	uint8_t raw[DESC_SIZE];

	if (!guest_copy_in(q->mem, raw, q->desc + (uint64_t)index * DESC_SIZE, sizeof(raw)))
		return false;
	struct reader r = reader_over(raw, sizeof(raw));
	d->gpa = read_le64(&r);
	d->size = read_le32(&r);
	d->flags = read_le16(&r);
	d->next = read_le16(&r);
	return !r.bad;
}

/* Checks the private copy *d and appends it. NULL, or what is wrong. */
static const char *append(const struct virtqueue *q, struct vq_chain *c, const struct descriptor *d)
{
	bool writable = (d->flags & DESC_F_WRITE) != 0;

	if ((d->flags & DESC_F_INDIRECT) != 0)
		return "indirect descriptor, which was not offered";
	if (d->size == 0)
		return "descriptor of zero bytes";
	if (!guest_memory_has(q->mem, d->gpa, d->size))
		return "descriptor outside memory";
	if (!writable && c->count > c->readable_count)
		return "readable descriptor after a writable one";
	/* At most 256 sizes below 2^32 each: the sum cannot wrap. */
	if (c->readable + c->writable + d->size > VQ_CHAIN_BYTES_MAX)
		return "chain longer than 2^32 bytes";
	c->segment[c->count++] = (struct vq_segment){ .gpa = d->gpa, .size = d->size };
	if (writable) {
		c->writable += d->size;
	} else {
		c->readable += d->size;
		c->readable_count++;
	}
	return NULL;
}

static const char *read_chain(const struct virtqueue *q, struct vq_chain *c)
{
	struct descriptor d = { .flags = DESC_F_NEXT, .next = c->head };

	while ((d.flags & DESC_F_NEXT) != 0) {
		/* The count, not a record of what was seen, ends loops: a chain that visits more
		 * descriptors than there are visits one twice. */
		if (c->count >= q->size)
			return "descriptor chain loops";
		if (d.next >= q->size)
			return "descriptor number beyond the table";
		if (!read_descriptor(q, d.next, &d))
			return "descriptor table outside memory";
		const char *why = append(q, c, &d);
		if (why != NULL)
			return why;
	}
	return NULL;
}

bool vq_peek(struct virtqueue *q, struct vq_chain *out)
{
	out->count = out->readable_count = 0;
	out->readable = out->writable = 0;
	if (!vq_running(q) || next_head(q, &out->head) != 1)
		return false;
	const char *why = read_chain(q, out);
	if (why != NULL)
		vq_break(q, why);
	return why == NULL;
}

void vq_done(struct virtqueue *q, const struct vq_chain *chain, uint32_t written)
{
	uint8_t elem[USED_ELEM_SIZE];
	struct writer w = writer_over(elem, sizeof(elem));

	if (!vq_running(q))
		return;
	write_le32(&w, chain->head);
	write_le32(&w, written);
	uint64_t slot = q->used + AVAIL_RING + (uint64_t)(q->next & (q->size - 1)) * USED_ELEM_SIZE;
	uint16_t idx = (uint16_t)(q->next + 1);
	/* The index is stored with release order: the element is seen before it. */
	if (!guest_copy_out(q->mem, slot, elem, sizeof(elem)) ||
	    !guest_store_le16(q->mem, q->used + AVAIL_IDX, idx)) {
		vq_break(q, "used ring outside memory");
		return;
	}
	q->next = idx;
	q->dirty = true;
}

void vq_notify(struct virtqueue *q)
{
	uint16_t flags = 0;

	if (!q->dirty || !vq_running(q))
		return;
	q->dirty = false;
	/* The used index must be visible before the flag is read, or a driver that has just
	 * turned interrupts on sleeps for ever (virtio 1.2 §2.7.7.1). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!guest_load_le16(q->mem, q->avail, &flags) || (flags & AVAIL_F_NO_INTERRUPT) == 0)
		signal_eventfd(q->call);
}

struct vq_cursor vq_reader(const struct vq_chain *chain)
{
	return (struct vq_cursor){ .chain = chain, .index = 0, .end = chain->readable_count };
}

struct vq_cursor vq_writer(const struct vq_chain *chain)
{
	return (struct vq_cursor){
		.chain = chain, .index = chain->readable_count, .end = chain->count };
}

/* The next piece of at most size bytes in one segment; moves the cursor behind it. 0: the end. */
static size_t take_piece(struct vq_cursor *c, size_t size, uint64_t *gpa)
{
	if (c->index >= c->end)
		return 0;
	const struct vq_segment *s = &c->chain->segment[c->index];
	size_t left = s->size - c->offset;
	size_t n = size < left ? size : left;

	*gpa = s->gpa + c->offset;
	c->offset += (uint32_t)n;
	if (c->offset == s->size) {
		c->index++;
		c->offset = 0;
	}
	return n;
}

bool vq_read(const struct virtqueue *q, struct vq_cursor *c, void *out, size_t size)
{
	uint8_t *p = out;
	uint64_t gpa = 0;

	for (size_t done = 0; done < size;) {
		size_t n = take_piece(c, size - done, &gpa);

		if (n == 0 || !guest_copy_in(q->mem, p + done, gpa, n))
			return false;
		done += n;
	}
	return true;
}

bool vq_write(const struct virtqueue *q, struct vq_cursor *c, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t gpa = 0;

	for (size_t done = 0; done < size;) {
		size_t n = take_piece(c, size - done, &gpa);

		if (n == 0 || !guest_copy_out(q->mem, gpa, p + done, n))
			return false;
		done += n;
	}
	return true;
}
