#include "tests/unit/dev_front.h"

#include "common/bytes.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t config[12] = "configspace";
static const struct vhost_offer offer = {
	.features = 1ull << 9, .queue_count = 2, .config = config, .config_size = sizeof(config) };
#define OWN_FEATURES ((1ull << 9) | VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES)

static struct front *fresh(void)
{
	struct front *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	front_open(f, &offer);
	return f;
}

static void discard(struct front *f)
{
	front_close(f);
	free(f);
}

static int bench_open(void **state)
{
	*state = fresh();
	return 0;
}

static int bench_ready(void **state)
{
	*state = fresh();
	front_setup_before_seal(*state);
	return 0;
}

static int bench_close(void **state)
{
	discard(*state);
	return 0;
}

static int open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void features_are_negotiated(void **state)
{
	struct front *f = *state;
	uint64_t value;

	assert_int_equal(front_send(f, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0), 1);
	assert_int_equal(front_reply(f, VHOST_GET_FEATURES, &value, 8), 8);
	assert_int_equal(value, OWN_FEATURES);
	assert_int_equal(front_send(f, VHOST_GET_PROTOCOL_FEATURES, 0, NULL, 0, NULL, 0), 1);
	assert_int_equal(front_reply(f, VHOST_GET_PROTOCOL_FEATURES, &value, 8), 8);
	assert_int_equal(value, VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK |
					VHOST_PROTOCOL_CONFIG);
	assert_int_equal(front_send(f, VHOST_SET_PROTOCOL_FEATURES, 0, &value, 8, NULL, 0), 1);
	assert_int_equal(front_reply(f, 0, &value, 8), -1);
	assert_int_equal(front_send(f, VHOST_GET_QUEUE_NUM, 0, NULL, 0, NULL, 0), 1);
	assert_int_equal(front_reply(f, VHOST_GET_QUEUE_NUM, &value, 8), 8);
	assert_int_equal(value, 2);
	value = OWN_FEATURES;
	assert_int_equal(front_ack(f, VHOST_SET_FEATURES, &value, 8, NULL, 0), 0);
	value |= 1ull << 28; /* indirect descriptors were not offered */
	assert_int_equal(front_ack(f, VHOST_SET_FEATURES, &value, 8, NULL, 0), 1);
	assert_int_equal(f->server.features, OWN_FEATURES);
	/* A guest's choice: not fatal without acknowledgement either. */
	assert_int_equal(front_send(f, VHOST_SET_FEATURES, 0, &value, 8, NULL, 0), 1);
	assert_int_equal(f->server.features, OWN_FEATURES);
}

static void config_is_bounded(void **state)
{
	static const struct {
		uint32_t offset, size;
		bool served;
	} table[] = { { 0, 12, true }, { 4, 8, true },  { 11, 1, true }, { 12, 0, true },
		      { 0, 13, false }, { 12, 1, false }, { UINT32_MAX, 2, false } };
	struct front *f = *state;
	uint8_t reply[VHOST_PAYLOAD_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t ask[VHOST_PAYLOAD_MAX] = { 0 };
		struct writer w = writer_over(ask, sizeof(ask));
		uint32_t got = table[i].served ? table[i].size : 0;

		write_le32(&w, table[i].offset);
		write_le32(&w, table[i].size);
		assert_int_equal(front_send(f, VHOST_GET_CONFIG, 0, ask, 12 + table[i].size, NULL,
					    0), 1);
		assert_int_equal(front_reply(f, VHOST_GET_CONFIG, reply, sizeof(reply)), 12 + got);
		assert_memory_equal(reply + 12, config + (got > 0 ? table[i].offset : 0), got);
	}
}

/* Every request with one byte less, one more, none, and far too many. */
static void wrong_sizes_are_fatal(void **state)
{
	static const struct {
		uint32_t request, size;
	} table[] = {
		{ VHOST_GET_FEATURES, 0 }, { VHOST_SET_FEATURES, 8 }, { VHOST_SET_OWNER, 0 },
		{ VHOST_SET_MEM_TABLE, 40 }, { VHOST_SET_VRING_NUM, 8 },
		{ VHOST_SET_VRING_ADDR, 40 }, { VHOST_SET_VRING_BASE, 8 },
		{ VHOST_GET_VRING_BASE, 8 }, { VHOST_SET_VRING_KICK, 8 },
		{ VHOST_SET_VRING_CALL, 8 }, { VHOST_SET_VRING_ERR, 8 },
		{ VHOST_GET_PROTOCOL_FEATURES, 0 }, { VHOST_SET_PROTOCOL_FEATURES, 8 },
		{ VHOST_GET_QUEUE_NUM, 0 }, { VHOST_SET_VRING_ENABLE, 8 }, { VHOST_GET_CONFIG, 12 },
	};
	static const uint8_t zeros[VHOST_PAYLOAD_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const uint32_t sizes[] = { table[i].size - 1, table[i].size + 1, 0,
					   VHOST_PAYLOAD_MAX, VHOST_PAYLOAD_MAX + 1 };

		for (size_t k = 0; k < 5; k++) {
			int before = open_count();

			if (sizes[k] == table[i].size || sizes[k] == UINT32_MAX)
				continue;
			struct front *bench = fresh();
			if (front_send(bench, table[i].request, 0, zeros, sizes[k], NULL, 0) !=
			    -EX_MALFORMED)
				fail_msg("request %u of %u bytes", table[i].request, sizes[k]);
			discard(bench);
			assert_int_equal(open_count(), before);
		}
	}
}

static void headers_are_checked(void **state)
{
	/* flags beside the version 1 that front_send sets */
	static const uint32_t flags[] = { 2, VHOST_FLAG_REPLY, 1u << 4, 1u << 31,
					  VHOST_FLAG_NEED_REPLY /* not negotiated */ };

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct front *bench = fresh();

		assert_int_equal(front_send(bench, VHOST_GET_FEATURES, flags[i], NULL, 0, NULL, 0),
				 -EX_MALFORMED);
		discard(bench);
	}
}

static void descriptors_are_counted(void **state)
{
	static const struct {
		uint32_t request, size;
		size_t fds;
	} table[] = {
		{ VHOST_SET_MEM_TABLE, 40, 0 }, { VHOST_SET_MEM_TABLE, 40, 2 },
		{ VHOST_SET_VRING_KICK, 8, 0 }, { VHOST_SET_VRING_KICK, 8, 2 },
		{ VHOST_SET_VRING_CALL, 8, 0 }, { VHOST_SET_VRING_CALL, 8, 3 },
		{ VHOST_SET_VRING_ERR, 8, 0 },  { VHOST_SET_FEATURES, 8, 1 },
		{ VHOST_SET_OWNER, 0, 1 },      { VHOST_GET_FEATURES, 0, 8 },
		{ 9999, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t payload[5] = { 0 };
		int fds[8], before = open_count();

		struct front *bench = fresh();
		if (table[i].request == VHOST_SET_MEM_TABLE)
			payload[0] = 1;
		for (int k = 0; k < 8; k++)
			fds[k] = bench->memfd;
		if (front_send(bench, table[i].request, 0, payload, table[i].size, fds,
			       table[i].fds) != -EX_MALFORMED)
			fail_msg("request %u with %zu descriptors", table[i].request, table[i].fds);
		discard(bench);
		assert_int_equal(open_count(), before); /* none leaks */
	}
}

static void unknown_requests(void **state)
{
	struct front *f = *state;

	assert_int_equal(front_ack(f, 25, NULL, 0, NULL, 0), 1);
	assert_int_equal(front_ack(f, 0, NULL, 0, NULL, 0), 1);
	assert_int_equal(front_ack(f, UINT32_MAX, NULL, 0, NULL, 0), 1);
	assert_int_equal(front_send(f, 25, 0, NULL, 0, NULL, 0), -EX_MALFORMED);
}

static void queue_numbers_are_fatal(void **state)
{
	static const uint32_t requests[] = { VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE,
					     VHOST_GET_VRING_BASE, VHOST_SET_VRING_ENABLE };

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		uint32_t payload[2] = { 2, 1 };

		struct front *bench = fresh();

		front_setup_before_seal(bench);
		assert_int_equal(front_send(bench, requests[i], 0, payload, 8, NULL, 0),
				 -EX_MALFORMED);
		discard(bench);
	}
}

/* What a guest chooses costs its queue at most. */
static void ring_values_are_not_fatal(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 255, 512, UINT32_MAX };
	struct front *f = *state;
	uint32_t pair[2] = { 0, 0 };
	uint64_t addr[5] = { 0, FRONT_USER, FRONT_USER + 0x2000, FRONT_USER + 0x1000, 0 };
	uint64_t features = OWN_FEATURES;

	assert_int_equal(front_ack(f, VHOST_SET_FEATURES, &features, 8, NULL, 0), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pair[1] = sizes[i];
		assert_int_equal(front_ack(f, VHOST_SET_VRING_NUM, pair, 8, NULL, 0), 1);
	}
	pair[1] = 0x10000;
	assert_int_equal(front_ack(f, VHOST_SET_VRING_BASE, pair, 8, NULL, 0), 1);
	/* Addresses before a size. */
	assert_int_equal(front_ack(f, VHOST_SET_VRING_ADDR, addr, 40, NULL, 0), 1);
	assert_true(f->server.queue[0].broken);
	front_stop_queue(f, 0);
	assert_false(f->server.queue[0].broken);
	pair[1] = 256;
	assert_int_equal(front_ack(f, VHOST_SET_VRING_NUM, pair, 8, NULL, 0), 0);
	addr[1] = FRONT_GPA; /* names of the guest, not of the front end */
	assert_int_equal(front_ack(f, VHOST_SET_VRING_ADDR, addr, 40, NULL, 0), 1);
	front_stop_queue(f, 0);
	front_start_queue(f, 0, 0);
	assert_true(vq_running(&f->server.queue[0]));
	/* The size of a running queue stays what its rings were checked for. */
	pair[1] = 256;
	assert_int_equal(front_ack(f, VHOST_SET_VRING_NUM, pair, 8, NULL, 0), 1);
	assert_int_equal(f->server.queue[0].size, FRONT_QUEUE_SIZE);
}

static void rings_need_version_1(void **state)
{
	struct front *f = *state;
	uint32_t num[2] = { 0, 16 };
	uint64_t addr[5] = { 0, FRONT_USER, FRONT_USER + 0x2000, FRONT_USER + 0x1000, 0 };

	assert_int_equal(front_ack(f, VHOST_SET_VRING_NUM, num, 8, NULL, 0), 0);
	assert_int_equal(front_ack(f, VHOST_SET_VRING_ADDR, addr, 40, NULL, 0), 1);
	assert_false(f->server.queue[0].configured);
}

static void stop_keeps_eventfds_and_position(void **state)
{
	struct front *f = *state;
	uint32_t pair[2] = { 1, 0 };

	front_start_queue(f, 1, 0);
	f->server.queue[1].next = 0x1234;
	assert_int_equal(front_send(f, VHOST_GET_VRING_BASE, 0, pair, 8, NULL, 0), 1);
	assert_int_equal(front_reply(f, VHOST_GET_VRING_BASE, pair, 8), 8);
	assert_int_equal(pair[0], 1);
	assert_int_equal(pair[1], 0x1234);
	assert_false(f->server.queue[1].configured);
	assert_true(f->server.queue[1].kick >= 0 && f->server.queue[1].call >= 0);
}

static int send_table(struct front *f, const uint64_t *regions, uint32_t count, const int *fds)
{
	uint64_t payload[1 + 4 * VHOST_REGIONS_MAX] = { count };

	memcpy(payload + 1, regions, count * sizeof(uint64_t) * 4);
	return front_send(f, VHOST_SET_MEM_TABLE, 0, payload,
			  VHOST_TABLE_HEADER + count * VHOST_REGION_SIZE, fds, count);
}

static void memory_tables(void **state)
{
	static const struct {
		int expect;
		uint32_t count;
		uint64_t regions[8];
	} table[] = {
		{ 1, 1, { 0, FRONT_RAM, 0, 0 } },
		{ 1, 1, { 0, 4096, 0, FRONT_RAM - 4096 } },
		{ 1, 1, { 0, 1000, 0, 0 } },
		{ 1, 2, { 0, 4096, 0, 0, 4096, 4096, 4096, 4096 } },
		{ -EX_MALFORMED, 1, { 0, 0, 0, 0 } },
		{ -EX_MALFORMED, 1, { 0, FRONT_RAM + 1, 0, 0 } },
		{ -EX_MALFORMED, 1, { 0, FRONT_RAM, 0, 4096 } },
		{ -EX_MALFORMED, 1, { 0, 4096, 0, 100 } },
		{ -EX_MALFORMED, 1, { 0, 4096, 0, UINT64_MAX - 4095 } },
		{ -EX_MALFORMED, 1, { 0, UINT64_MAX, 0, 0 } },
		{ -EX_MALFORMED, 1, { UINT64_MAX - 4094, 4096, 0, 0 } },
		{ -EX_MALFORMED, 1, { 0, 4096, UINT64_MAX - 4094, 0 } },
		{ -EX_MALFORMED, 2, { 0, 8192, 0, 0, 4096, 4096, 1 << 20, 0 } },
		{ -EX_MALFORMED, 2, { 0, 8192, 0, 0, 1 << 20, 4096, 4096, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct front *bench = fresh();
		int fds[2] = { bench->memfd, bench->memfd };

		if (send_table(bench, table[i].regions, table[i].count, fds) != table[i].expect)
			fail_msg("memory table %zu", i);
		assert_int_equal(bench->server.mem.count, table[i].expect == 1 ? table[i].count : 0);
		discard(bench);
	}
}

/* A file that can shrink would end the process by SIGBUS. */
static void memory_must_be_sealed(void **state)
{
	const uint64_t region[4] = { 0, 4096, 0, 0 };
	int fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(send_table(*state, region, 1, &fd), -EX_MALFORMED);
	close(fd);
}

static void copies_are_bounded(void **state)
{
	struct front *f = *state;
	const struct guest_memory *m = &f->server.mem;
	uint8_t buffer[16] = "unchanged";
	uint16_t value = 7;

	assert_false(guest_copy_in(m, buffer, FRONT_GPA + FRONT_RAM - 15, 16));
	assert_false(guest_copy_in(m, buffer, FRONT_GPA - 1, 1));
	assert_false(guest_copy_in(m, buffer, UINT64_MAX, 2));
	assert_string_equal((char *)buffer, "unchanged");
	assert_false(guest_copy_out(m, FRONT_GPA + FRONT_RAM, buffer, 1));
	assert_true(guest_copy_out(m, FRONT_GPA + FRONT_RAM - 4, "last", 4));
	assert_memory_equal(f->ram + FRONT_RAM - 4, "last", 4);
	assert_false(guest_load_le16(m, FRONT_GPA + FRONT_RAM - 1, &value));
	assert_false(guest_load_le16(m, FRONT_GPA + 1, &value));
	assert_int_equal(value, 7);
	assert_true(guest_store_le16(m, FRONT_GPA, 0x1234));
	assert_int_equal(f->ram[0], 0x34);
}

static void sealing_needs_everything(void **state)
{
	struct front *f = *state;
	uint64_t index = 0;

	assert_int_equal(vhost_server_complete(&f->server, &(struct err){ 0 }), -EX_INTERNAL);
	front_setup_before_seal(f);
	assert_int_equal(vhost_server_complete(&f->server, &(struct err){ 0 }), 0);
	f->server.sealed = true;
	/* With read() descriptors do not arrive: requests that need one are refused. */
	int before = open_count();
	assert_int_equal(front_ack(f, VHOST_SET_VRING_KICK, &index, 8, &f->kick[1], 1), 1);
	assert_int_equal(front_ack(f, VHOST_SET_VRING_CALL, &index, 8, NULL, 0), 1);
	assert_int_equal(open_count(), before);
	front_start_queue(f, 0, 0);
	assert_int_equal(front_send(f, VHOST_SET_VRING_KICK, 0, &index, 8, NULL, 0),
			 -EX_MALFORMED);
}

static void a_queue_without_eventfds_is_incomplete(void **state)
{
	struct front *f = *state;

	close(f->server.queue[1].call);
	f->server.queue[1].call = -1;
	assert_int_equal(vhost_server_complete(&f->server, &(struct err){ 0 }), -EX_INTERNAL);
}

/* A stream socket may deliver a message byte by byte. */
static void pieces_are_put_together(void **state)
{
	struct front *f = *state;
	uint8_t wire[VHOST_HEADER_SIZE + 8];
	struct writer w = writer_over(wire, sizeof(wire));

	write_le32(&w, VHOST_SET_FEATURES);
	write_le32(&w, VHOST_VERSION);
	write_le32(&w, 8);
	write_le64(&w, OWN_FEATURES);
	for (int sealed = 0; sealed < 2; sealed++) {
		f->server.sealed = sealed == 1;
		f->server.features = 0;
		for (size_t i = 0; i < sizeof(wire); i++) {
			assert_int_equal(f->server.features, 0);
			assert_int_equal(write(f->sock, wire + i, 1), 1);
			assert_int_equal(vhost_server_input(&f->server, &(struct err){ 0 }), 1);
		}
		assert_int_equal(f->server.features, OWN_FEATURES);
	}
	shutdown(f->sock, SHUT_WR);
	assert_int_equal(vhost_server_input(&f->server, &(struct err){ 0 }), 0);
}

/* A front end that asks and never reads is a broken one, and no reason to block. */
static void unread_replies_are_fatal(void **state)
{
	struct front *f = *state;
	int rc = 1;

	for (unsigned i = 0; i < 1000000 && rc == 1; i++)
		rc = front_send(f, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0);
	assert_int_equal(rc, -EX_MALFORMED);
}

#define BENCH(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)
#define READY(f) cmocka_unit_test_setup_teardown(f, bench_ready, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH(features_are_negotiated),
		BENCH(config_is_bounded),
		cmocka_unit_test(wrong_sizes_are_fatal),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(descriptors_are_counted),
		READY(unknown_requests),
		cmocka_unit_test(queue_numbers_are_fatal),
		READY(ring_values_are_not_fatal),
		READY(rings_need_version_1),
		READY(stop_keeps_eventfds_and_position),
		cmocka_unit_test(memory_tables),
		BENCH(memory_must_be_sealed),
		READY(copies_are_bounded),
		BENCH(sealing_needs_everything),
		READY(a_queue_without_eventfds_is_incomplete),
		READY(pieces_are_put_together),
		READY(unread_replies_are_fatal),
	};

	return cmocka_run_group_tests_name("vhost_server", tests, NULL, NULL);
}
