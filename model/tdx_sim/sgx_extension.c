#include "model/tdx_sim/sgx_extension.h"

#include "common/bytes.h"
#include "model/tdx_sim/module.h"

#include <string.h>

#define DER_INTEGER 2u
#define DER_OCTETS 4u
#define DER_OID 6u
#define DER_BOOLEAN 1u
#define DER_ENUMERATED 10u
#define DER_SEQUENCE 0x30u
#define SGX_TYPE_SCALABLE 1u

static void put_tlv(struct writer *w, uint8_t tag, const void *data, size_t n)
{
	write_u8(w, tag);
	if (n >= 0x100) {
		write_u8(w, 0x82);
		write_be16(w, (uint16_t)n);
	} else if (n >= 0x80) {
		write_u8(w, 0x81);
		write_u8(w, (uint8_t)n);
	} else {
		write_u8(w, (uint8_t)n);
	}
	write_copy(w, data, n);
}

/* SEQUENCE { OID, value }; group and member are what follows the extension's own OID, member 0: no
 * such arc. */
static void put_member(struct writer *w, uint8_t group, uint8_t member, const struct writer *value)
{
	const uint8_t oid[] = { 0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 1, 13, 1, group, member };
	uint8_t data[SGX_EXTENSION_MAX];
	struct writer pair = writer_over(data, sizeof(data));

	put_tlv(&pair, DER_OID, oid, sizeof(oid) - (member == 0));
	write_copy(&pair, value->data, value->pos);
	put_tlv(w, DER_SEQUENCE, data, pair.pos);
	w->bad |= pair.bad || value->bad;
}

static void put_value(struct writer *w, uint8_t group, uint8_t member, uint8_t tag,
		      const void *data, size_t n)
{
	uint8_t room[40];
	struct writer value = writer_over(room, sizeof(room));

	put_tlv(&value, tag, data, n);
	put_member(w, group, member, &value);
}

static void put_tcb(struct writer *w)
{
	uint8_t room[SGX_EXTENSION_MAX], inside[SGX_EXTENSION_MAX];
	const uint8_t svn = TDX_SIM_COMPONENT_SVN, pce = TDX_SIM_PCE_SVN;
	struct writer list = writer_over(inside, sizeof(inside));
	struct writer value = writer_over(room, sizeof(room));
	uint8_t cpu_svn[TDX_SIM_COMPONENTS];

	for (unsigned i = 1; i <= TDX_SIM_COMPONENTS; i++)
		put_value(&list, 2, (uint8_t)i, DER_INTEGER, &svn, 1);
	put_value(&list, 2, TDX_SIM_COMPONENTS + 1, DER_INTEGER, &pce, 1);
	memset(cpu_svn, TDX_SIM_COMPONENT_SVN, sizeof(cpu_svn));
	put_value(&list, 2, TDX_SIM_COMPONENTS + 2, DER_OCTETS, cpu_svn, sizeof(cpu_svn));
	put_tlv(&value, DER_SEQUENCE, inside, list.pos);
	put_member(w, 2, 0, &value);
	w->bad |= list.bad;
}

/* Dynamic platform, cached keys, SMT. */
static void put_configuration(struct writer *w)
{
	static const uint8_t bits[] = { 0xFF, 0xFF, 0 };
	uint8_t room[128], inside[128];
	struct writer list = writer_over(inside, sizeof(inside));
	struct writer value = writer_over(room, sizeof(room));

	for (size_t i = 0; i < sizeof(bits); i++)
		put_value(&list, 7, (uint8_t)(i + 1), DER_BOOLEAN, &bits[i], 1);
	put_tlv(&value, DER_SEQUENCE, inside, list.pos);
	put_member(w, 7, 0, &value);
	w->bad |= list.bad;
}

size_t sgx_extension_make(const uint8_t id[16], uint8_t out[SGX_EXTENSION_MAX])
{
	static const uint8_t pce_id[2] = { 0 }, type = SGX_TYPE_SCALABLE;
	uint8_t data[SGX_EXTENSION_MAX];
	struct writer w = writer_over(data, sizeof(data));
	struct writer whole = writer_over(out, SGX_EXTENSION_MAX);

	put_value(&w, 1, 0, DER_OCTETS, id, 16);
	put_tcb(&w);
	put_value(&w, 3, 0, DER_OCTETS, pce_id, sizeof(pce_id));
	put_value(&w, 4, 0, DER_OCTETS, tdx_sim_fmspc, sizeof(tdx_sim_fmspc));
	put_value(&w, 5, 0, DER_ENUMERATED, &type, 1);
	put_value(&w, 6, 0, DER_OCTETS, id, 16);
	put_configuration(&w);
	put_tlv(&whole, DER_SEQUENCE, data, w.pos);
	return w.bad || whole.bad ? 0 : whole.pos;
}
