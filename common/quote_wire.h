/* Between the VMM and pavise-quote, which alone speaks to the quote generation service: one
 * SOCK_SEQPACKET message each way. The guest controls the TDREPORT and nothing else; every number
 * is little endian. The VMM numbers its requests; answers may come in any order. A message that
 * breaks this framing ends the connection, and the guest then hears "service unavailable". */
#ifndef PAVISE_COMMON_QUOTE_WIRE_H
#define PAVISE_COMMON_QUOTE_WIRE_H

#include <stdint.h>

#define QUOTE_MAGIC 0x54515650u   /* "PVQT" */
#define QUOTE_REPORT_SIZE 1024u   /* TDREPORT_STRUCT */
#define QUOTE_SIZE_MAX 16384u     /* bytes of a quote; today's have about 5000 */
#define QUOTE_OUTSTANDING_MAX 4u  /* requests of one VM without an answer */

struct quote_request {
	uint32_t magic;
	uint32_t id;
	uint8_t report[QUOTE_REPORT_SIZE];
};

enum quote_status {
	QUOTE_OK = 0,
	QUOTE_UNAVAILABLE = 1, /* no service, or it does not answer in time */
	QUOTE_FAILED = 2,      /* it refuses, or answers nonsense */
};

struct quote_answer {
	uint32_t magic;
	uint32_t id;
	uint32_t status; /* enum quote_status */
	uint32_t size;   /* bytes of quote that follow, 0 unless QUOTE_OK */
};

_Static_assert(sizeof(struct quote_request) == 8 + QUOTE_REPORT_SIZE, "quote request");
_Static_assert(sizeof(struct quote_answer) == 16, "quote answer");

#endif
