#include "devices/blk.h"

#include "common/bytes.h"
#include "common/checked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* virtio 1.2 §5.2.3: feature bits; §5.2.6: requests */
#define BLK_F_SIZE_MAX (1ull << 1)
#define BLK_F_SEG_MAX (1ull << 2)
#define BLK_F_RO (1ull << 5)
#define BLK_F_BLK_SIZE (1ull << 6)
#define BLK_F_FLUSH (1ull << 9)

#define BLK_HEADER_SIZE 16u

/* What one turn may do before the front end is listened to again: it waits for its answers
 * for a short time only. */
#define BLK_TURN_BYTES (4ull << 20)
#define BLK_TURN_REQUESTS 32u
enum { BLK_IN = 0, BLK_OUT = 1, BLK_FLUSH = 4, BLK_GET_ID = 8 };
enum blk_status { BLK_OK = 0, BLK_IOERR = 1, BLK_UNSUPP = 2 };

static const char blk_id[BLK_ID_SIZE] = "pavise-blk";

struct request {
	uint32_t type;
	uint64_t sector;
	uint64_t data;           /* bytes between header and status, of the request's direction */
	struct vq_cursor in, out; /* in: what the driver wrote; out: what it will read */
	uint64_t written;        /* bytes put out so far */
};

/* virtio 1.2 §5.2.4: capacity, size_max, seg_max, geometry, blk_size; the rest stays zero. */
static void fill_config(struct blk *b)
{
	struct writer w = writer_over(b->config, sizeof(b->config));

	write_le64(&w, b->sectors);
	write_le32(&w, BLK_SIZE_MAX);
	write_le32(&w, BLK_SEG_MAX);
	write_le32(&w, 0);
	write_le32(&w, BLK_SECTOR);
	write_zeros(&w, sizeof(b->config) - w.pos);
}

int blk_init(struct blk *b, int disk, bool readonly, struct vhost_offer *offer, struct err *e)
{
	struct stat st;
	int flags = fcntl(disk, F_GETFL);

	if (flags < 0 || fstat(disk, &st) < 0)
		return err_errno(e, EX_HOST, errno, "disk: cannot examine it");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EX_HOST, "disk: not a regular file: use a raw image file");
	if ((flags & O_ACCMODE) != (readonly ? O_RDONLY : O_RDWR))
		return err_set(e, EX_HOST, "disk: opened %s: open it the way it is used",
			       readonly ? "with more than read access"
					: "without read and write access");
	if (st.st_size <= 0 || st.st_size % BLK_SECTOR != 0)
		return err_set(e, EX_HOST, "disk: %lld bytes are not whole sectors of %u: "
			       "extend the image", (long long)st.st_size, BLK_SECTOR);
	b->disk = disk;
	b->readonly = readonly;
	b->sectors = (uint64_t)st.st_size / BLK_SECTOR;
	fill_config(b);
	*offer = (struct vhost_offer){
		.features = BLK_F_SIZE_MAX | BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH |
			    (readonly ? BLK_F_RO : 0),
		.queue_count = 1,
		.config = b->config,
		.config_size = sizeof(b->config),
	};
	return 0;
}

/* Whole sectors inside the capacity, not more than a request may have. */
static bool transfer_bounds(const struct blk *b, const struct request *r, uint64_t *offset)
{
	return r->data <= BLK_REQUEST_MAX && r->data % BLK_SECTOR == 0 &&
	       ck_range(r->sector, r->data / BLK_SECTOR, b->sectors) &&
	       ck_mul_u64(r->sector, BLK_SECTOR, offset);
}

static bool read_disk(int fd, uint8_t *to, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t n = pread(fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* 0: the file was cut short under us */
			return false;
		to += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

static bool write_disk(int fd, const uint8_t *from, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, from, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

static enum blk_status do_in(struct blk *b, const struct virtqueue *q, struct request *r)
{
	uint64_t offset;

	if (!transfer_bounds(b, r, &offset))
		return BLK_IOERR;
	while (r->written < r->data) {
		uint64_t left = r->data - r->written;
		size_t n = left < sizeof(b->buffer) ? (size_t)left : sizeof(b->buffer);

		if (!read_disk(b->disk, b->buffer, n, offset + r->written) ||
		    !vq_write(q, &r->out, b->buffer, n))
			return BLK_IOERR;
		r->written += n;
	}
	return BLK_OK;
}

static enum blk_status do_out(struct blk *b, const struct virtqueue *q, struct request *r)
{
	uint64_t offset;

	if (b->readonly || !transfer_bounds(b, r, &offset))
		return BLK_IOERR;
	for (uint64_t done = 0; done < r->data;) {
		uint64_t left = r->data - done;
		size_t n = left < sizeof(b->buffer) ? (size_t)left : sizeof(b->buffer);

		if (!vq_read(q, &r->in, b->buffer, n) ||
		    !write_disk(b->disk, b->buffer, n, offset + done))
			return BLK_IOERR;
		done += n;
	}
	return BLK_OK;
}

static enum blk_status do_flush(const struct blk *b)
{
	int rc;

	if (b->readonly)
		return BLK_OK;
	do
		rc = fdatasync(b->disk);
	while (rc < 0 && errno == EINTR);
	return rc == 0 ? BLK_OK : BLK_IOERR;
}

/* virtio 1.2 §5.2.6.1: the id takes 20 bytes, without NUL when it fills them. */
static enum blk_status do_get_id(const struct virtqueue *q, struct request *r)
{
	if (r->data != BLK_ID_SIZE || !vq_write(q, &r->out, blk_id, BLK_ID_SIZE))
		return BLK_IOERR;
	r->written = BLK_ID_SIZE;
	return BLK_OK;
}

static enum blk_status execute(struct blk *b, const struct virtqueue *q, struct request *r)
{
	uint8_t header[BLK_HEADER_SIZE];
	struct reader h = reader_over(header, sizeof(header));
	uint64_t readable = b->chain.readable, writable = b->chain.writable - 1;

	if (!vq_read(q, &r->in, header, sizeof(header)))
		return BLK_IOERR;
	r->type = read_le32(&h);
	read_le32(&h);
	r->sector = read_le64(&h);
	r->data = r->type == BLK_OUT ? readable - sizeof(header) : writable;
	switch (r->type) {
	case BLK_IN:
		return do_in(b, q, r);
	case BLK_OUT:
		return do_out(b, q, r);
	case BLK_FLUSH:
		return do_flush(b);
	case BLK_GET_ID:
		return do_get_id(q, r);
	default:
		return BLK_UNSUPP;
	}
}

/* The status is the last writable byte (virtio 1.2 §5.2.6), wherever the segments end. */
static bool put_status(const struct blk *b, const struct virtqueue *q, enum blk_status status)
{
	const struct vq_segment *last = &b->chain.segment[b->chain.count - 1];
	uint8_t byte = (uint8_t)status;

	return guest_copy_out(q->mem, last->gpa + last->size - 1, &byte, sizeof(byte));
}

static void serve_one(struct blk *b, struct virtqueue *q)
{
	struct request r = { .in = vq_reader(&b->chain), .out = vq_writer(&b->chain) };

	if (b->chain.writable == 0) {
		vq_break(q, "request without a status byte");
		return;
	}
	enum blk_status status = execute(b, q, &r);
	if (!put_status(b, q, status)) {
		vq_break(q, "status byte outside memory");
		return;
	}
	/* Used length: bytes written from the start without a gap (virtio 1.2 §2.7.8.2). The
	 * status counts only when all data before it was written. */
	uint64_t written = r.written;
	if (written == b->chain.writable - 1)
		written++;
	vq_done(q, &b->chain, (uint32_t)written);
}

bool blk_serve(struct blk *b, struct virtqueue *queue)
{
	uint64_t bytes = 0;
	unsigned requests = 0;

	while (bytes < BLK_TURN_BYTES && requests < BLK_TURN_REQUESTS &&
	       vq_peek(queue, &b->chain)) {
		bytes += b->chain.readable + b->chain.writable;
		requests++;
		serve_one(b, queue);
	}
	vq_notify(queue);
	return requests > 0 && vq_running(queue);
}
