#include "attest/eventlog/report.h"

#include "common/bytes.h"

#include <errno.h>
#include <inttypes.h>

static void print_banks(FILE *f, const struct summary *s)
{
	char name[16];

	for (uint32_t i = 0; i < s->log.alg_count; i++)
		fprintf(f, "%s%s", i == 0 ? "" : " ", bank_name(s->log.algs[i].alg, name));
}

static void print_meaning(FILE *f, const struct summary *s, const struct event *ev)
{
	struct event_meaning m;

	event_meaning(&s->log, ev, &m);
	fprintf(f, "        %s", m.kind);
	if (m.guid[0] != '\0')
		fprintf(f, " %s", m.guid);
	if (m.text[0] != '\0')
		fprintf(f, " \"%s\"%s", m.text, m.text_cut ? " ..." : "");
	for (size_t i = 0; i < m.number_count; i++)
		fprintf(f, " %s %" PRIu64, m.number[i].name, m.number[i].value);
	fputc('\n', f);
}

static void print_event(FILE *f, const struct summary *s, const struct event *ev)
{
	char reg[24], name[16], hex[2 * TPM_DIGEST_MAX + 1];
	const char *type = event_type_name(ev->type);

	fprintf(f, "event %u %s %s (0x%08x), %u bytes, at offset %zu, digest of %s\n", ev->index,
		register_name(s->registers, ev->pcr, reg), type != NULL ? type : "unknown",
		ev->type, ev->size, ev->offset, event_match_name(event_match(&s->log, ev)));
	print_meaning(f, s, ev);
	for (uint32_t i = 0; i < s->log.alg_count; i++) {
		if (ev->digest[i] == NULL)
			continue;
		hex_encode(ev->digest[i], s->log.algs[i].size, hex);
		fprintf(f, "        %s %s\n", bank_name(s->log.algs[i].alg, name), hex);
	}
}

static void print_tail(FILE *f, const struct summary *s)
{
	switch (s->tail.kind) {
	case EVENTLOG_END_EXACT:
		fputs("end: exact\n", f);
		break;
	case EVENTLOG_END_ZEROS:
		fprintf(f, "end: at offset %zu, then %zu zeros\n", s->tail.offset, s->tail.size);
		break;
	case EVENTLOG_END_ONES:
		fprintf(f, "end: at offset %zu, then %zu bytes 0xFF\n", s->tail.offset,
			s->tail.size);
		break;
	default:
		fprintf(f, "end: opaque tail of %zu bytes at offset %zu: %s\n", s->tail.size,
			s->tail.offset, s->tail_cause);
	}
}

static void print_replay(FILE *f, const struct summary *s, uint32_t bank)
{
	char reg[24], name[16], hex[2 * TPM_DIGEST_MAX + 1];
	const struct replay *r = &s->replay[bank];

	for (uint32_t i = 0; i < TPM_PCR_COUNT; i++) {
		if ((r->touched >> i & 1) == 0)
			continue;
		hex_encode(r->pcr[i], s->log.algs[bank].size, hex);
		fprintf(f, "replay %s %s %s\n", bank_name(s->log.algs[bank].alg, name),
			register_name(s->registers, i, reg),
			(r->unknown >> i & 1) != 0 ? "unknown" : hex);
	}
}

int eventlog_text(FILE *f, const struct summary *s, struct err *e)
{
	struct eventlog log = s->log;
	struct event ev;
	struct err unused = { 0 };

	fprintf(f, "%s event log, %u events, banks ",
		s->log.crypto_agile ? "crypto-agile" : "legacy SHA-1", s->events);
	print_banks(f, s);
	fputc('\n', f);
	while (eventlog_next(&log, &ev, &unused) > 0)
		print_event(f, s, &ev);
	print_tail(f, s);
	fprintf(f, "secure boot: %s\n", secure_boot_name(s->secure_boot));
	for (uint32_t i = 0; i < s->log.alg_count; i++)
		if (s->known[i])
			print_replay(f, s, i);
	if (fflush(f) != 0 || ferror(f))
		return err_errno(e, EX_HOST, errno, "standard output: cannot write");
	return 0;
}
