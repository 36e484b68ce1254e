/*
 * Parser and loader of the core's ELF image, see pie.h. Runs inside the loader (LLP64, PE)
 * and in unit tests; every offset is checked against the file, every address against the
 * segments, so a truncated or foreign file is refused with a reason.
 */
#include "boot/loader/pie.h"

enum { PT_LOAD = 1, PT_DYNAMIC = 2, ET_DYN = 3 };
enum {
	DT_NULL = 0,
	DT_PLTRELSZ = 2,
	DT_RELA = 7,
	DT_RELASZ = 8,
	DT_RELAENT = 9,
	DT_RELSZ = 18,
	DT_RELRSZ = 35
};
enum { R_X86_64_RELATIVE = 8, R_AARCH64_RELATIVE = 1027 };

struct ehdr {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
struct dyn {
	u64 tag, value;
};
struct rela {
	u64 offset, info, addend;
};
_Static_assert(sizeof(struct ehdr) == 64 && sizeof(struct phdr) == 56 && sizeof(struct rela) == 24,
	       "ELF64");

static bool inside(u64 offset, u64 len, u64 limit)
{
	return offset <= limit && len <= limit - offset;
}

/* The file bytes behind the virtual range [@vaddr, @vaddr + @len), or NULL. */
static const u8 *file_at(const struct pie *e, u64 vaddr, u64 len)
{
	for (u32 i = 0; i < e->segments; i++) {
		const struct pie_segment *s = &e->segment[i];

		if (vaddr >= s->vaddr && inside(vaddr - s->vaddr, len, s->filesz))
			return e->file + s->offset + (vaddr - s->vaddr);
	}
	return NULL;
}

static bool in_memory(const struct pie *e, u64 vaddr, u64 len)
{
	for (u32 i = 0; i < e->segments; i++)
		if (vaddr >= e->segment[i].vaddr &&
		    inside(vaddr - e->segment[i].vaddr, len, e->segment[i].memsz))
			return true;
	return false;
}

static const char *segment_parse(struct pie *e, const struct phdr *p, u64 len)
{
	if (e->segments == PIE_SEGMENTS)
		return "too many segments";
	if (p->vaddr % PAGE_SIZE || p->vaddr < e->size)
		return "segments overlap or are not page aligned";
	if (p->filesz > p->memsz || !inside(p->offset, p->filesz, len) ||
	    !inside(p->vaddr, p->memsz, GIB(1)))
		return "segment outside the file";
	if ((p->flags & ELF_W) && (p->flags & ELF_X))
		return "segment writable and executable";
	e->segment[e->segments++] = (struct pie_segment){
		.vaddr = p->vaddr,
		.memsz = p->memsz,
		.offset = p->offset,
		.filesz = p->filesz,
		.flags = p->flags,
	};
	e->size = ALIGN_UP(p->vaddr + p->memsz, PAGE_SIZE);
	return NULL;
}

static const char *relocs_check(const struct pie *e, u16 machine)
{
	u32 relative = machine == ELF_MACHINE_X86_64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;

	for (u64 i = 0; i < e->relas; i++) {
		struct rela r;

		__builtin_memcpy(&r, e->file + e->rela + i * sizeof(r), sizeof(r));
		if (r.info != relative)
			return "relocation that is not RELATIVE";
		if (!in_memory(e, r.offset, 8))
			return "relocation outside the segments";
	}
	return NULL;
}

static const char *dynamic_parse(struct pie *e, const struct phdr *p, u64 len)
{
	u64 rela = 0, size = 0;
	struct dyn d;

	if (!inside(p->offset, p->filesz, len))
		return "dynamic section outside the file";
	for (u64 at = 0; inside(at, sizeof(d), p->filesz); at += sizeof(d)) {
		__builtin_memcpy(&d, e->file + p->offset + at, sizeof(d));
		if (d.tag == DT_NULL)
			break;
		if (d.tag == DT_RELA)
			rela = d.value;
		if (d.tag == DT_RELASZ)
			size = d.value;
		if ((d.tag == DT_RELAENT && d.value != sizeof(struct rela)) ||
		    ((d.tag == DT_PLTRELSZ || d.tag == DT_RELSZ || d.tag == DT_RELRSZ) && d.value))
			return "relocations of an unknown form";
	}
	if (!size)
		return NULL;
	const u8 *table = file_at(e, rela, size);
	if (!table || size % sizeof(struct rela))
		return "relocation table outside the file";
	e->rela = (u64)(table - e->file);
	e->relas = size / sizeof(struct rela);
	return NULL;
}

static const char *header_check(const struct ehdr *h, u64 len)
{
	static const u8 ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	if (__builtin_memcmp(h->ident, ident, sizeof(ident)) || h->phentsize != sizeof(struct phdr))
		return "not a little-endian ELF64";
	if (h->type != ET_DYN ||
	    (h->machine != ELF_MACHINE_X86_64 && h->machine != ELF_MACHINE_AARCH64))
		return "not a position independent program for this machine";
	if (!inside(h->phoff, (u64)h->phnum * sizeof(struct phdr), len))
		return "truncated program headers";
	return NULL;
}

const char *pie_parse(struct pie *e, const u8 *file, u64 len)
{
	struct phdr p, dynamic = { 0 };
	const char *why;
	struct ehdr h;

	*e = (struct pie){ .file = file };
	if (len < sizeof(h))
		return "truncated header";
	__builtin_memcpy(&h, file, sizeof(h));
	why = header_check(&h, len);
	for (u32 i = 0; !why && i < h.phnum; i++) {
		__builtin_memcpy(&p, file + h.phoff + i * sizeof(p), sizeof(p));
		if (p.type == PT_DYNAMIC)
			dynamic = p;
		if (p.type == PT_LOAD)
			why = segment_parse(e, &p, len);
	}
	if (!why)
		why = dynamic_parse(e, &dynamic, len);
	if (!why)
		why = relocs_check(e, h.machine);
	if (!why && !file_at(e, h.entry, 1))
		why = "entry outside the segments";
	e->entry = h.entry;
	return why;
}

void pie_load(const struct pie *e, u8 *base)
{
	for (u32 i = 0; i < e->segments; i++) {
		const struct pie_segment *s = &e->segment[i];

		__builtin_memcpy(base + s->vaddr, e->file + s->offset, s->filesz);
	}
	for (u64 i = 0; i < e->relas; i++) {
		struct rela r;

		__builtin_memcpy(&r, e->file + e->rela + i * sizeof(r), sizeof(r));
		u64 value = (u64)(uptr)base + r.addend;
		__builtin_memcpy(base + r.offset, &value, sizeof(value));
	}
}
