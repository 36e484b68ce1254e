/* See bzimage.h. Offsets are the boot protocol's, from the start of the file. */
#include "guests/bzimage.h"
#include "engine/front/x86/state.h"
#include "kernel/base/str.h"

enum {
	H_SETUP_SECTS = 0x1f1, H_SYSSIZE = 0x1f4, H_BOOT_FLAG = 0x1fe, H_JUMP = 0x200,
	H_MAGIC = 0x202, H_VERSION = 0x206, H_LOADER = 0x210, H_LOADFLAGS = 0x211,
	H_RAMDISK = 0x218, H_RAMDISK_SIZE = 0x21c, H_CMDLINE = 0x228, H_INITRD_MAX = 0x22c,
	H_XLOADFLAGS = 0x236, H_CMDLINE_SIZE = 0x238, H_PREF_ADDRESS = 0x258,
	H_INIT_SIZE = 0x260, H_END = 0x264,
};
enum { VERSION_MIN = 0x20c, XLF_64 = 1 << 0, LOADED_HIGH = 1 << 0, LOADER_OTHER = 0xff };
/* In the boot parameters ("zero page"), besides the header, which lies where it did in the file. */
enum { P_RSDP = 0x70, P_E820_COUNT = 0x1e8, P_HEADER = 0x1f1, P_E820 = 0x2d0, P_SIZE = 0x1000 };
/* Where things are while the kernel starts. */
enum { AT_GDT = 0x1000, AT_PML4 = 0x2000, AT_PDPT = 0x3000, AT_PD = 0x4000, AT_PARAMS = 0x9000,
       AT_CMDLINE = 0x20000 };
#define CMDLINE_CAP	(BZIMAGE_LOW - AT_CMDLINE)
#define SIZE_MAX_TRUSTED GIB(1)

err_t bzimage_parse(const char *file, const u8 *data, u64 len, struct bzimage *out)
{
	u64 setup, code;

	*out = (struct bzimage){ .file = file };
	if (len < H_END || load_le16(data + H_BOOT_FLAG) != 0xaa55 ||
	    memcmp(data + H_MAGIC, "HdrS", 4) != 0)
		return ERRF(E_FORMAT, "%s: not a Linux kernel for x86 (bzImage)", file);
	if (load_le16(data + H_VERSION) < VERSION_MIN ||
	    !(load_le16(data + H_XLOADFLAGS) & XLF_64))
		return ERRF(E_FORMAT, "%s: a kernel without a 64-bit entry cannot be run", file);
	setup = ((data[H_SETUP_SECTS] ? data[H_SETUP_SECTS] : 4u) + 1u) * 512u;
	code = load_le32(data + H_SYSSIZE) * 16ull;
	if (setup + code > ALIGN_UP(len, (u64)16))
		return ERRF(E_FORMAT, "%s: truncated: %llu of %llu bytes are there", file,
			    (unsigned long long)len, (unsigned long long)(setup + code));
	out->header = data + H_SETUP_SECTS;
	out->header_len = H_JUMP + 2 + data[H_JUMP + 1] - H_SETUP_SECTS;
	out->code = data + setup;
	out->code_len = len - setup;
	out->wish = load_le64(data + H_PREF_ADDRESS);
	out->size = MAX(out->code_len, (u64)load_le32(data + H_INIT_SIZE));
	out->initrd_end = load_le32(data + H_INITRD_MAX) + 1ull;
	out->cmdline_max = load_le32(data + H_CMDLINE_SIZE);
	if (setup > len || out->code_len <= 0x200 || H_SETUP_SECTS + out->header_len > setup ||
	    out->header_len > P_E820 - P_HEADER || out->wish < MIB(1) || out->wish % MIB(2) ||
	    out->wish > GIB(2) || out->size > SIZE_MAX_TRUSTED)
		return ERRF(E_FORMAT, "%s: the header of the kernel is not credible", file);
	return OK;
}

/* ---- start ---- */

/* Identity for the first 4 GiB. */
static void write_tables(u8 *ram)
{
	enum { P = 1, W = 2, PS = 1 << 7 };

	memset(ram + AT_PML4, 0, AT_PD - AT_PML4);
	store_le64(ram + AT_PML4, AT_PDPT | P | W);
	for (u64 i = 0; i < 4; i++)
		store_le64(ram + AT_PDPT + 8 * i, (AT_PD + i * PAGE_SIZE) | P | W);
	for (u64 i = 0; i < 4 * 512; i++)
		store_le64(ram + AT_PD + 8 * i, i * MIB(2) | P | W | PS);
}

static void write_params(const struct bzimage_boot *b, gpa_t initrd)
{
	u8 *p = b->ram + AT_PARAMS;

	memset(p, 0, P_SIZE);
	memcpy(p + P_HEADER, b->kernel.header, b->kernel.header_len);
	p[H_LOADER] = LOADER_OTHER;
	p[H_LOADFLAGS] |= LOADED_HIGH;
	store_le32(p + H_RAMDISK, (u32)initrd);
	store_le32(p + H_RAMDISK_SIZE, (u32)b->initrd_len);
	store_le32(p + H_CMDLINE, AT_CMDLINE);
	store_le64(p + P_RSDP, b->rsdp);
	p[P_E820_COUNT] = (u8)b->e820_count;
	for (u32 i = 0; i < b->e820_count; i++) {
		u8 *e = p + P_E820 + 20 * i;

		store_le64(e, b->e820[i].base);
		store_le64(e + 8, b->e820[i].len);
		store_le32(e + 16, b->e820[i].kind);
	}
	str_copy((char *)b->ram + AT_CMDLINE, CMDLINE_CAP, b->cmdline);
}

/* 64-bit code in ring 0 with flat segments. */
static void set_registers(const struct bzimage_boot *b, struct gcpu *g)
{
	enum { SEL_CODE = 0x10, SEL_DATA = 0x18 };
	static const u64 gdt[] = { 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	struct x86_state *st = g->st;
	struct x86_seg data = { .sel = SEL_DATA, .limit = UINT32_MAX,
				.attr = 3 | X86_SEG_S | X86_SEG_P | X86_SEG_DB | X86_SEG_G };

	memcpy(b->ram + AT_GDT, gdt, sizeof(gdt));
	st->gdtr = (struct x86_table){ AT_GDT, sizeof(gdt) - 1 };
	for (u32 i = X86_ES; i <= X86_GS; i++)
		st->seg[i] = data;
	st->seg[X86_CS] = (struct x86_seg){ .sel = SEL_CODE, .limit = UINT32_MAX,
					    .attr = 11 | X86_SEG_S | X86_SEG_P | X86_SEG_L |
						    X86_SEG_G };
	st->cr0 = 0x80000031;			/* PG, NE, ET, PE */
	st->cr3 = AT_PML4;
	st->cr4 = 1 << 5;			/* PAE */
	st->efer = 1 << 8 | 1 << 10;		/* LME, LMA */
	st->gpr[X86_RSI] = AT_PARAMS;
	st->gpr[X86_RDX] = 0;
	st->rip = b->kernel.wish + 0x200;
}

err_t bzimage_start(const struct bzimage_boot *b, struct gcpu *g)
{
	const struct bzimage *k = &b->kernel;
	u64 initrd_len = ALIGN_UP(b->initrd_len, PAGE_SIZE);
	gpa_t end = ALIGN_DOWN(MIN(b->low_end, k->initrd_end), PAGE_SIZE), initrd = 0;

	if (str_len(b->cmdline) > MIN(k->cmdline_max, (u32)CMDLINE_CAP - 1))
		return ERRF(E_RANGE, "%s: the command line is longer than %u bytes", k->file,
			    MIN(k->cmdline_max, (u32)CMDLINE_CAP - 1));
	if (k->wish + k->size + initrd_len > end)
		return ERRF(E_RANGE, "%s: kernel and initrd need memory = \"%lluM\" or more",
			    k->file,
			    (unsigned long long)((k->wish + k->size + initrd_len) >> 20) + 1);
	if (b->initrd_len)
		initrd = end - initrd_len;
	memcpy(b->ram + k->wish, k->code, k->code_len);
	if (initrd)
		memcpy(b->ram + initrd, b->initrd, b->initrd_len);
	write_tables(b->ram);
	write_params(b, initrd);
	set_registers(b, g);
	return OK;
}
