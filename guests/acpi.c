/* See acpi.h. Lengths inside AML always take three bytes, so that they can be filled in later. */
#include "guests/acpi.h"
#include "kernel/base/str.h"

#define HEADER		36
#define OEM		"FVP   "
#define RSDP_LEN	36

enum {	/* AML, 20.2 */
	AML_ZERO = 0x00, AML_NAME = 0x08, AML_BYTE = 0x0a, AML_WORD = 0x0b, AML_DWORD = 0x0c,
	AML_STRING = 0x0d, AML_QWORD = 0x0e, AML_SCOPE = 0x10, AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12, AML_EXT = 0x5b, AML_DEVICE = 0x82,
};

struct acpi_out acpi_open(void *buf, u32 cap, gpa_t base)
{
	return (struct acpi_out){ .buf = buf, .cap = cap, .base = base };
}

void acpi_bytes(struct acpi_out *a, const void *p, u32 len)
{
	a->full |= len > a->cap - a->at;
	if (a->full)
		return;
	memcpy(a->buf + a->at, p, len);
	a->at += len;
}

void acpi_zeros(struct acpi_out *a, u32 len)
{
	while (len--)
		acpi_u8(a, 0);
}

void acpi_u8(struct acpi_out *a, u8 v)
{
	acpi_bytes(a, &v, 1);
}

void acpi_u16(struct acpi_out *a, u16 v)
{
	u8 b[2];

	store_le16(b, v);
	acpi_bytes(a, b, 2);
}

void acpi_u32(struct acpi_out *a, u32 v)
{
	u8 b[4];

	store_le32(b, v);
	acpi_bytes(a, b, 4);
}

void acpi_u64(struct acpi_out *a, u64 v)
{
	acpi_u32(a, (u32)v);
	acpi_u32(a, (u32)(v >> 32));
}

void acpi_gas(struct acpi_out *a, u8 space, u8 bits, u64 address)
{
	acpi_u8(a, space);
	acpi_u8(a, bits);
	acpi_u8(a, 0);
	acpi_u8(a, (u8)(bits / 16 + 1));	/* access size: 1 byte, 2 word, 3 double word */
	acpi_u64(a, address);
}

static void align(struct acpi_out *a, u32 to)
{
	while (a->at % to && !a->full)
		acpi_u8(a, 0);
}

static u8 checksum(const u8 *p, u32 len)
{
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *p++);
	return (u8)-sum;
}

void acpi_table(struct acpi_out *a, const char signature[4], u8 revision)
{
	align(a, 16);
	a->table = a->at;
	acpi_bytes(a, signature, 4);
	acpi_u32(a, 0);				/* length */
	acpi_u8(a, revision);
	acpi_u8(a, 0);				/* checksum */
	acpi_bytes(a, OEM, 6);
	acpi_bytes(a, "FVP     ", 8);
	acpi_u32(a, 1);
	acpi_bytes(a, "FVP ", 4);
	acpi_u32(a, 1);
}

gpa_t acpi_table_end(struct acpi_out *a, bool listed)
{
	u8 *t = a->buf + a->table;

	if (a->full)
		return 0;
	store_le32(t + 4, a->at - a->table);
	t[9] = checksum(t, a->at - a->table);
	if (listed && a->tables < ACPI_TABLES)
		a->address[a->tables++] = a->base + a->table;
	else
		a->full |= listed;
	return a->base + a->table;
}

gpa_t acpi_facs(struct acpi_out *a, u32 len)
{
	u32 at;

	align(a, 64);
	at = a->at;
	acpi_bytes(a, "FACS", 4);
	acpi_u32(a, len);
	acpi_zeros(a, 24);
	acpi_u8(a, 2);				/* version */
	acpi_zeros(a, len - 33);
	return a->base + at;
}

err_t acpi_close(struct acpi_out *a, gpa_t *rsdp)
{
	gpa_t xsdt;
	u32 at;

	acpi_table(a, "XSDT", 1);
	for (u32 i = 0; i < a->tables; i++)
		acpi_u64(a, a->address[i]);
	xsdt = acpi_table_end(a, false);
	align(a, 16);
	at = a->at;
	acpi_bytes(a, "RSD PTR ", 8);
	acpi_u8(a, 0);
	acpi_bytes(a, OEM, 6);
	acpi_u8(a, 2);				/* revision */
	acpi_u32(a, 0);				/* no RSDT */
	acpi_u32(a, RSDP_LEN);
	acpi_u64(a, xsdt);
	acpi_u32(a, 0);
	if (a->full)
		return ERRF(E_RANGE, "ACPI tables need more than %u bytes", a->cap);
	a->buf[at + 8] = checksum(a->buf + at, 20);
	a->buf[at + 32] = checksum(a->buf + at, RSDP_LEN);
	*rsdp = a->base + at;
	return OK;
}

/* ---- AML ---- */

static u32 length_begin(struct acpi_out *a)
{
	u32 mark = a->at;

	acpi_zeros(a, 3);
	return mark;
}

void aml_end(struct acpi_out *a, u32 mark)
{
	u32 len = a->at - mark;

	if (a->full)
		return;
	a->full |= len >= BIT(20);
	a->buf[mark] = (u8)(2 << 6 | (len & 15));
	a->buf[mark + 1] = (u8)(len >> 4);
	a->buf[mark + 2] = (u8)(len >> 12);
}

u32 aml_scope(struct acpi_out *a, const char *path)
{
	u32 mark;

	acpi_u8(a, AML_SCOPE);
	mark = length_begin(a);
	acpi_bytes(a, path, (u32)str_len(path));
	return mark;
}

u32 aml_device(struct acpi_out *a, const char name[4])
{
	u32 mark;

	acpi_u8(a, AML_EXT);
	acpi_u8(a, AML_DEVICE);
	mark = length_begin(a);
	acpi_bytes(a, name, 4);
	return mark;
}

void aml_name(struct acpi_out *a, const char name[4])
{
	acpi_u8(a, AML_NAME);
	acpi_bytes(a, name, 4);
}

void aml_integer(struct acpi_out *a, u64 v)
{
	if (v < 2) {
		acpi_u8(a, (u8)v);		/* ZeroOp, OneOp */
	} else if (v <= UINT8_MAX) {
		acpi_u8(a, AML_BYTE);
		acpi_u8(a, (u8)v);
	} else if (v <= UINT16_MAX) {
		acpi_u8(a, AML_WORD);
		acpi_u16(a, (u16)v);
	} else if (v <= UINT32_MAX) {
		acpi_u8(a, AML_DWORD);
		acpi_u32(a, (u32)v);
	} else {
		acpi_u8(a, AML_QWORD);
		acpi_u64(a, v);
	}
}

void aml_string(struct acpi_out *a, const char *text)
{
	acpi_u8(a, AML_STRING);
	acpi_bytes(a, text, (u32)str_len(text) + 1);
}

static u32 hex_digit(char c)
{
	return (u32)(c <= '9' ? c - '0' : c - 'A' + 10);
}

void aml_eisa(struct acpi_out *a, const char id[7])
{
	u32 v = (u32)(id[0] - '@') << 26 | (u32)(id[1] - '@') << 21 | (u32)(id[2] - '@') << 16;

	for (u32 i = 0; i < 4; i++)
		v |= hex_digit(id[3 + i]) << (12 - 4 * i);
	acpi_u8(a, AML_DWORD);
	acpi_u32(a, __builtin_bswap32(v));
}

u32 aml_package(struct acpi_out *a, u8 elements)
{
	u32 mark;

	acpi_u8(a, AML_PACKAGE);
	mark = length_begin(a);
	acpi_u8(a, elements);
	return mark;
}

/* The buffer's size is a word behind its length. */
u32 aml_resources(struct acpi_out *a)
{
	u32 mark;

	acpi_u8(a, AML_BUFFER);
	mark = length_begin(a);
	acpi_u8(a, AML_WORD);
	acpi_u16(a, 0);
	return mark;
}

void aml_resources_end(struct acpi_out *a, u32 mark)
{
	acpi_u8(a, 0x79);			/* end tag; checksum 0: not used */
	acpi_u8(a, 0);
	if (!a->full)
		store_le16(a->buf + mark + 4, (u16)(a->at - mark - 6));
	aml_end(a, mark);
}

void aml_memory(struct acpi_out *a, u32 base, u32 len)
{
	acpi_u8(a, 0x86);			/* 32-bit fixed, 6.4.3.4 */
	acpi_u16(a, 9);
	acpi_u8(a, 1);				/* writable */
	acpi_u32(a, base);
	acpi_u32(a, len);
}

void aml_io(struct acpi_out *a, u16 base, u8 len)
{
	acpi_u8(a, 0x47);			/* I/O ports, 6.4.2.5 */
	acpi_u8(a, 1);				/* 16 address lines */
	acpi_u16(a, base);
	acpi_u16(a, base);
	acpi_u8(a, 1);
	acpi_u8(a, len);
}

void aml_irq(struct acpi_out *a, u32 gsi, bool level)
{
	acpi_u8(a, 0x89);			/* extended interrupt, 6.4.3.6 */
	acpi_u16(a, 6);
	acpi_u8(a, level ? 1 : 3);		/* consumer; edge */
	acpi_u8(a, 1);
	acpi_u32(a, gsi);
}
