/* The build-time measurement (TDX Module ABI, TDH.MEM.PAGE.ADD, TDH.MR.EXTEND, TDH.MR.FINALIZE).
 * Page states are the model's; here only what changes the register. */
#include "model/tdx_sim/module.h"

#include "common/bytes.h"

#include <string.h>

#define PAGE 4096ull
#define CHUNK 256ull
#define BLOCK 128u
#define NAME 16u

/* Private memory ends at the shared bit, the highest of a guest-physical address. */
static bool is_private(const struct tdx_td *td, uint64_t gpa, uint64_t unit)
{
	return gpa % unit == 0 && gpa >> (td->params.gpaw - 1) == 0;
}

/* 16 bytes of name, the address, zeros. */
static bool feed_block(struct tdx_td *td, const char *name, uint64_t gpa)
{
	uint8_t block[BLOCK] = { 0 };
	struct writer w = writer_over(block, sizeof(block));

	write_copy(&w, name, strlen(name));
	w.pos = NAME;
	write_le64(&w, gpa);
	return EVP_DigestUpdate(td->measuring, block, sizeof(block)) == 1;
}

uint64_t tdx_td_page_add(struct tdx_td *td, uint64_t gpa)
{
	if (td->state != TDX_TD_INITIALIZED)
		return TDX_ST_OP_STATE;
	if (!is_private(td, gpa, PAGE))
		return TDX_ST_OPERAND_INVALID | TDX_OP_RCX;
	return feed_block(td, "MEM.PAGE.ADD", gpa) ? TDX_ST_SUCCESS : TDX_ST_OPERAND_BUSY;
}

uint64_t tdx_td_extend(struct tdx_td *td, const struct tdx_mr_extend *chunk)
{
	if (td->state != TDX_TD_INITIALIZED)
		return TDX_ST_OP_STATE;
	if (!is_private(td, chunk->gpa, CHUNK))
		return TDX_ST_OPERAND_INVALID | TDX_OP_RCX;
	if (!feed_block(td, "MR.EXTEND", chunk->gpa) ||
	    EVP_DigestUpdate(td->measuring, chunk->data, sizeof(chunk->data)) != 1)
		return TDX_ST_OPERAND_BUSY;
	return TDX_ST_SUCCESS;
}

uint64_t tdx_td_finalize(struct tdx_td *td)
{
	if (td->state != TDX_TD_INITIALIZED)
		return TDX_ST_OP_STATE;
	if (EVP_DigestFinal_ex(td->measuring, td->mrtd, NULL) != 1)
		return TDX_ST_OPERAND_BUSY;
	td->state = TDX_TD_RUNNABLE;
	return TDX_ST_SUCCESS;
}
