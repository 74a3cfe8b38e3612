/* What the measured command line tells the guest's init: docs/PROTOCOL.image. */
#ifndef PAVISE_GUEST_PARAMS_H
#define PAVISE_GUEST_PARAMS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAM_PREFIX "pavise."
#define PARAM_ROOT_HASH PARAM_PREFIX "root_hash"
#define PARAM_ROOT_SALT PARAM_PREFIX "root_salt"
#define PARAM_ROOT_BLOCKS PARAM_PREFIX "root_blocks"
#define PARAM_DATA PARAM_PREFIX "data"
#define PARAM_RUN PARAM_PREFIX "run"

#define PARAMS_CMDLINE_MAX 4095u /* bytes, as the firmware takes them */
#define PARAMS_DIGEST 32u	 /* SHA-256 */
#define PARAMS_RUN_MAX 255u
#define PARAMS_BLOCK 4096u	 /* bytes of a data block and of a hash block */
#define PARAMS_BLOCKS_MAX (1ull << 32)

struct guest_params {
	uint8_t root_hash[PARAMS_DIGEST], root_salt[PARAMS_DIGEST];
	uint64_t root_blocks; /* data blocks; the hash tree begins behind them */
	bool has_data;
	uint8_t data_id[PARAMS_DIGEST]; /* the key that the data disk may have */
	char run[PARAMS_RUN_MAX + 1];	/* "": the root's /sbin/init */
};

/* Reads the words of a command line that begin with "pavise.": each once, none unknown, the three
 * of the root needed. Quotes are refused: the kernel has words with blanks in them, we have none.
 * -EX_MALFORMED names the word. */
int guest_params_parse(const char *cmdline, struct guest_params *out, struct err *e);

#endif
