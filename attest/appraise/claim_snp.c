/* Every field of a report and of its VEK, as claims. What this version of the report or of the
 * firmware does not have is no claim: an absent bit is not a bit that is off. */
#include "attest/appraise/check_snp.h"
#include "attest/snp/bits.h"

#include <stdio.h>

static void claim_mask(struct checks *c, const char *name, uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	claim_text(c, name, text);
}

static void claim_bits(struct checks *c, const char *prefix, const char *const *names,
		       const struct snp_bit *bits, uint64_t value, const struct snp_report *r)
{
	uint64_t known = 0;
	char name[48];

	for (unsigned i = 0; names[i] != NULL; i++) {
		enum snp_bit_state state = snp_bit_state(&bits[i], value, r);
		known |= 1ull << bits[i].bit;
		if (state == SNP_BIT_UNDEFINED)
			continue;
		snprintf(name, sizeof(name), "%s.%s", prefix, names[i]);
		claim_text(c, name, snp_bit_text(state));
	}
	/* Of POLICY also the ABI and the bit that must be one have a meaning. */
	if (bits == snp_guest_bits)
		known |= 0xFFFF | SNP_POLICY_ONE;
	if ((value & ~known) != 0) {
		snprintf(name, sizeof(name), "%s.unknown", prefix);
		claim_mask(c, name, value & ~known);
	}
}

static void claim_tcb(struct checks *c, const char *name, enum snp_product product,
		      const uint8_t *tcb)
{
	char text[160], text_name[48];

	claim_hex(c, name, tcb, SNP_TCB_SIZE);
	if (!snp_product_known(product))
		return;
	snp_tcb_text(product, tcb, text, sizeof(text));
	snprintf(text_name, sizeof(text_name), "%s.components", name);
	claim_text(c, text_name, text);
}

static void claim_version(struct checks *c, const char *name, struct snp_version v)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u", v.major, v.minor, v.build);
	claim_text(c, name, text);
}

static void claim_platform(struct checks *c, const struct snp_subject *s)
{
	const struct snp_report *r = &s->report;

	claim_tcb(c, "snp.reported_tcb", s->product, r->reported_tcb);
	claim_tcb(c, "snp.launch_tcb", s->product, r->launch_tcb);
	claim_tcb(c, "snp.committed_tcb", s->product, r->committed_tcb);
	claim_tcb(c, "snp.current_tcb", s->product, r->current_tcb);
	claim_version(c, "snp.current_version", r->current);
	claim_version(c, "snp.committed_version", r->committed);
	if (r->has_mitigation) {
		claim_mask(c, "snp.launch_mit_vector", r->launch_mitigation);
		claim_mask(c, "snp.current_mit_vector", r->current_mitigation);
	}
	claim_mask(c, "snp.platform_info", r->platform_info);
	claim_bits(c, "snp.platform_info", snp_platform_names, snp_platform_bits, r->platform_info,
		   r);
	if (s->product != SNP_UNKNOWN)
		claim_text(c, "snp.product", snp_product_name(s->product));
	if (r->has_cpuid) {
		claim_hex(c, "snp.cpuid_fam_id", &r->family, 1);
		claim_hex(c, "snp.cpuid_mod_id", &r->model, 1);
		claim_hex(c, "snp.cpuid_step", &r->stepping, 1);
	}
	claim_hex(c, "snp.chip_id", r->chip_id, SNP_CHIP_ID_SIZE);
}

static void claim_guest(struct checks *c, const struct snp_report *r)
{
	char abi[12];

	claim_hex(c, "snp.measurement", r->measurement, SNP_MEASUREMENT_SIZE);
	claim_hex(c, "snp.report_data", r->report_data, 64);
	claim_hex(c, "snp.host_data", r->host_data, 32);
	claim_number(c, "snp.guest_svn", r->guest_svn);
	claim_mask(c, "snp.policy", r->policy);
	snprintf(abi, sizeof(abi), "%u.%u", (unsigned)(r->policy >> 8 & 0xFF),
		 (unsigned)(r->policy & 0xFF));
	claim_text(c, "snp.policy.abi", abi);
	claim_bits(c, "snp.policy", snp_guest_names, snp_guest_bits, r->policy, r);
	claim_hex(c, "snp.family_id", r->family_id, 16);
	claim_hex(c, "snp.image_id", r->image_id, 16);
	claim_number(c, "snp.vmpl", r->vmpl);
	claim_hex(c, "snp.id_key_digest", r->id_key_digest, SNP_MEASUREMENT_SIZE);
	claim_hex(c, "snp.author_key_digest", r->author_key_digest, SNP_MEASUREMENT_SIZE);
	claim_hex(c, "snp.report_id", r->report_id, 32);
	claim_hex(c, "snp.report_id_ma", r->report_id_ma, 32);
}

static void claim_vek(struct checks *c, const struct snp_vek *v)
{
	claim_text(c, "snp.vek.kind", v->is_vlek ? "vlek" : "vcek");
	claim_text(c, "snp.vek.product_name", v->product_name);
	claim_tcb(c, "snp.vek.tcb", v->product, v->tcb);
	if (v->is_vlek)
		claim_text(c, "snp.vek.csp_id", v->csp);
	else
		claim_hex(c, "snp.vek.hwid", v->hwid, v->hwid_size);
}

void claim_snp(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char *const keys[8] = {
		[SNP_KEY_VCEK] = "vcek", [SNP_KEY_VLEK] = "vlek", [SNP_KEY_NONE] = "none"
	};
	const struct snp_report *r = &s->report;
	const char *key = keys[snp_report_signing_key(r)];
	struct checks *c = a->checks;

	claim_number(c, "snp.version", r->version);
	claim_guest(c, r);
	claim_platform(c, s);
	claim_number(c, "snp.signature_algo", r->signature_algo);
	claim_mask(c, "snp.key_info", r->key_info);
	claim_text(c, "snp.key_info.signing_key", key != NULL ? key : "reserved");
	claim_text(c, "snp.key_info.author_key_en",
		   (r->key_info & SNP_KEY_INFO_AUTHOR) != 0 ? "on" : "off");
	claim_text(c, "snp.key_info.mask_chip_key",
		   (r->key_info & SNP_KEY_INFO_MASK_CHIP) != 0 ? "on" : "off");
	claim_text(c, "snp.reserved", r->reserved_zero ? "zero" : "not zero");
	if (s->vek_ok)
		claim_vek(c, &s->vek);
}
