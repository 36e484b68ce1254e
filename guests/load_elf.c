/*
 * ELF64 executables: firmware, test programs, vmlinux. System V ABI, "Program Loading". Segments
 * go to their physical addresses; nothing is relocated. The entry point, a virtual address, is
 * taken to the physical one of the segment that holds it.
 */
#include "guests/image.h"
#include "kernel/base/str.h"

enum {	/* offsets in the file header and in a program header, and values there */
	ELF_CLASS = 4, ELF_DATA = 5, ELF_TYPE = 16, ELF_MACHINE = 18, ELF_ENTRY = 24,
	ELF_PHOFF = 32, ELF_PHENTSIZE = 54, ELF_PHNUM = 56,
	ELF_HEADER = 64,
	ELF_CLASS_64 = 2, ELF_DATA_LITTLE = 1, ELF_EXEC = 2, ELF_DYN = 3,
	PH_TYPE = 0, PH_OFFSET = 8, PH_VADDR = 16, PH_PADDR = 24, PH_FILESZ = 32, PH_MEMSZ = 40,
	PH_SIZE = 56,
	PH_LOAD = 1,
};

static const struct {
	u16 machine;
	const char *arch;
} elf_arch[] = {
	{ 243, "riscv64" },
	{ 183, "aarch64" },
	{ 62, "x86_64" },
};

bool elf_match(const u8 *data, u64 len)
{
	return len >= 4 && memcmp(data, "\177ELF", 4) == 0;
}

static err_t elf_parse_header(struct image *i)
{
	const u8 *h = i->data;
	u64 phoff, phnum;

	if (i->len < ELF_HEADER)
		return ERRF(E_FORMAT, "%s: truncated ELF header", i->file);
	if (h[ELF_CLASS] != ELF_CLASS_64 || h[ELF_DATA] != ELF_DATA_LITTLE)
		return ERRF(E_FORMAT, "%s: not a 64-bit little-endian ELF file", i->file);
	if (load_le16(h + ELF_TYPE) != ELF_EXEC && load_le16(h + ELF_TYPE) != ELF_DYN)
		return ERRF(E_FORMAT, "%s: an ELF file, but no executable (type %u)", i->file,
			    load_le16(h + ELF_TYPE));
	for (u32 n = 0; n < ARRAY_LEN(elf_arch); n++)
		if (elf_arch[n].machine == load_le16(h + ELF_MACHINE))
			i->arch = elf_arch[n].arch;
	if (!i->arch)
		return ERRF(E_FORMAT, "%s: for an unknown architecture (ELF machine %u)", i->file,
			    load_le16(h + ELF_MACHINE));
	phoff = load_le64(h + ELF_PHOFF);
	phnum = load_le16(h + ELF_PHNUM);
	if (load_le16(h + ELF_PHENTSIZE) != PH_SIZE)
		return ERRF(E_FORMAT, "%s: bad ELF program header size", i->file);
	if (phoff > i->len || phnum * PH_SIZE > i->len - phoff)
		return ERRF(E_FORMAT, "%s: truncated: the ELF program headers are missing",
			    i->file);
	return OK;
}

static err_t elf_parse_segment(struct image *i, const u8 *ph, gpa_t *end)
{
	u64 from = load_le64(ph + PH_OFFSET), bytes = load_le64(ph + PH_FILESZ);
	u64 memsz = load_le64(ph + PH_MEMSZ);
	u64 entry = load_le64(i->data + ELF_ENTRY) - load_le64(ph + PH_VADDR);
	gpa_t at = load_le64(ph + PH_PADDR);

	if (from > i->len || bytes > i->len - from)
		return ERRF(E_FORMAT,
			    "%s: truncated: a segment ends at byte %llu, the file at %llu", i->file,
			    (unsigned long long)(from + bytes), (unsigned long long)i->len);
	if (bytes > memsz || at + memsz < at)
		return ERRF(E_FORMAT, "%s: an ELF segment contradicts itself", i->file);
	if (i->segments == IMAGE_SEGMENTS)
		return ERRF(E_FORMAT, "%s: more than %u ELF segments", i->file, IMAGE_SEGMENTS);
	if (entry < memsz)
		i->entry = at + entry;
	i->base = MIN(i->base, at);
	*end = MAX(*end, at + memsz);
	i->segment[i->segments++] =
		(struct image_segment){ .at = at, .from = from, .bytes = bytes };
	return OK;
}

err_t elf_parse(struct image *i)
{
	const u8 *ph;
	gpa_t end = 0;
	u32 phnum;
	err_t e;

	i->kind = IMAGE_ELF;
	e = elf_parse_header(i);
	if (e)
		return e;
	i->base = i->entry = UINT64_MAX;
	ph = i->data + load_le64(i->data + ELF_PHOFF);
	phnum = load_le16(i->data + ELF_PHNUM);
	for (u32 n = 0; e == OK && n < phnum; n++, ph += PH_SIZE)
		if (load_le32(ph + PH_TYPE) == PH_LOAD && load_le64(ph + PH_MEMSZ))
			e = elf_parse_segment(i, ph, &end);
	if (e)
		return e;
	if (i->entry == UINT64_MAX)
		return ERRF(E_FORMAT, "%s: no ELF segment holds the entry point", i->file);
	i->size = end - i->base;
	return OK;
}
