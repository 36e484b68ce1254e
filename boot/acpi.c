/*
 * Finds and checks ACPI tables, see acpi.h. The surprising thing: the fields of a FADT that
 * an old firmware left out may still lie inside the table's length as zeroes, so a field is
 * used only if it is present and not zero.
 */
#include "boot/acpi.h"
#include "kernel/base/str.h"

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;		/* from here on: revision 2 */
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} packed;
#define RSDP_V1	20

static bool sum_is_zero(const void *p, u64 len)
{
	const u8 *b = p;
	u8 sum = 0;

	while (len--)
		sum += *b++;
	return sum == 0;
}

/* The table at @at, whole and with a good checksum, or NULL. */
static const struct acpi_header *table_at(const struct acpi *a, hpa_t at)
{
	const struct acpi_header *h = at ? a->map(at, sizeof(*h)) : NULL;
	u32 len = h ? h->length : 0;

	if (len < sizeof(*h) || len > ACPI_TABLE_MAX)
		return NULL;
	h = a->map(at, len);
	return h && h->length == len && sum_is_zero(h, len) ? h : NULL;
}

bool acpi_init(struct acpi *a, hpa_t rsdp, const void *(*map)(hpa_t at, u64 len))
{
	const struct rsdp *r;

	*a = (struct acpi){ .map = map };
	r = rsdp ? map(rsdp, RSDP_V1) : NULL;
	if (!r || memcmp(r->signature, "RSD PTR ", 8) || !sum_is_zero(r, RSDP_V1))
		return false;
	a->root = r->rsdt;
	if (r->revision >= 2 && (r = map(rsdp, sizeof(*r))) && sum_is_zero(r, sizeof(*r)) &&
	    r->xsdt) {
		a->root = r->xsdt;
		a->wide = true;
	}
	if (!table_at(a, a->root))
		a->root = 0;
	return a->root != 0;
}

const void *acpi_find(const struct acpi *a, const char *signature, u32 nth, size_t min)
{
	const struct acpi_header *root = table_at(a, a->root);
	u32 step = a->wide ? 8 : 4;

	if (!root)
		return NULL;
	for (u32 at = sizeof(*root); at + step <= root->length; at += step) {
		const u8 *entry = (const u8 *)root + at;
		const struct acpi_header *h =
			table_at(a, a->wide ? load_le64(entry) : load_le32(entry));

		if (h && !memcmp(h->signature, signature, 4) && h->length >= min && !nth--)
			return h;
	}
	return NULL;
}

const struct acpi_sub *acpi_next(const struct acpi_header *t, size_t first,
				 const struct acpi_sub *last)
{
	const u8 *end = (const u8 *)t + t->length;
	const u8 *at = last ? (const u8 *)last + last->length : (const u8 *)t + first;
	const struct acpi_sub *s = (const void *)at;

	if (at > end || (size_t)(end - at) < sizeof(*s) || s->length < sizeof(*s) ||
	    s->length > end - at)
		return NULL;
	return s;
}

const void *acpi_next_of(const struct acpi_header *t, size_t first, u32 type, size_t min,
			 const void *last)
{
	const struct acpi_sub *s = last;

	while ((s = acpi_next(t, first, s)))
		if (s->type == type && s->length >= min)
			return s;
	return NULL;
}

const struct mcfg_segment *acpi_mcfg_segment(const struct acpi_mcfg *m, u32 nth)
{
	const struct mcfg_segment *s = (const void *)(m + 1);

	return nth < (m->h.length - sizeof(*m)) / sizeof(*s) ? &s[nth] : NULL;
}

const struct acpi_header *acpi_dsdt(const struct acpi *a, const struct acpi_fadt *f)
{
	const struct acpi_header *h = NULL;

	if (ACPI_HAS(f, x_dsdt))
		h = table_at(a, f->x_dsdt);
	if (!h && ACPI_HAS(f, dsdt))
		h = table_at(a, f->dsdt);
	return h && !memcmp(h->signature, "DSDT", 4) ? h : NULL;
}

/* An AML integer of one byte at *p: ZeroOp, OneOp or BytePrefix value (ACPI 20.2.3). */
static bool aml_byte(const u8 **p, const u8 *end, u8 *value)
{
	const u8 *at = *p;

	if (at < end && *at <= 1)
		*value = *at++;
	else if (end - at >= 2 && *at == 0x0a)
		*value = at[1], at += 2;
	else
		return false;
	*p = at;
	return true;
}

bool acpi_find_s5(const struct acpi_header *aml, u8 *a, u8 *b)
{
	enum { NAME_OP = 0x08, PACKAGE_OP = 0x12 };
	const u8 *at = (const u8 *)(aml + 1), *end = (const u8 *)aml + aml->length;

	for (; end - at >= 8; at++) {
		const u8 *p = at;

		if (*p++ != NAME_OP)
			continue;
		if (*p == '\\')
			p++;
		if (end - p < 7 || memcmp(p, "_S5_", 4) || p[4] != PACKAGE_OP)
			continue;
		p += 5;
		p += 1 + (*p >> 6);	/* PkgLength: the lead byte says how many follow */
		p++;			/* number of elements */
		if (p < end && aml_byte(&p, end, a) && aml_byte(&p, end, b))
			return true;
	}
	return false;
}
