/*
 * Headers of Linux kernels: the 64 bytes that arm64 and riscv share in layout
 * (Documentation/arch/{arm64/booting,riscv/boot-image-header}.rst) and x86's setup header, which
 * is only recognised, so that the wrong kernel gets a clear message.
 *
 * The header knows the memory that a kernel needs but not the length of its file. A kernel that
 * is an EFI program too tells it in its section table, which is how truncation is found.
 */
#include "guests/image.h"
#include "kernel/base/str.h"

enum {
	LINUX_TEXT_OFFSET = 8,
	LINUX_IMAGE_SIZE = 16,
	LINUX_FLAGS = 24,
	LINUX_FLAG_BIG_ENDIAN = 1,
	LINUX_MAGIC = 56,
	LINUX_PE_OFFSET = 60,
	LINUX_HEADER = 64,
	LINUX_ALIGN = 2 << 20,
	LINUX_OLD_OFFSET = 0x80000,	/* of an arm64 kernel that does not know its size: < 3.17 */
	X86_MAGIC = 0x202,		/* "HdrS" */
	X86_HEADER = 0x206,
	PE_SECTIONS = 6,
	PE_OPTIONAL_SIZE = 20,
	PE_HEADER = 24,
	PE_SECTION = 40,
	PE_RAW_SIZE = 16,
	PE_RAW_OFFSET = 20,
};

static const char *linux_arch(const u8 *head, u64 len)
{
	if (len >= LINUX_HEADER && memcmp(head + LINUX_MAGIC, "RSC\5", 4) == 0)
		return "riscv64";
	if (len >= LINUX_HEADER && memcmp(head + LINUX_MAGIC, "ARM\x64", 4) == 0)
		return "aarch64";
	if (len >= X86_HEADER && memcmp(head + X86_MAGIC, "HdrS", 4) == 0)
		return "x86_64";
	return NULL;
}

bool linux_match(const u8 *head, u64 len)
{
	return linux_arch(head, len) != NULL;
}

/* Where the last section of the EFI program ends in the file; 0 if it is none. */
static u64 linux_file_end(const u8 *head, u64 len)
{
	u64 pe = load_le32(head + LINUX_PE_OFFSET), section, end = 0;
	u32 count;

	if (memcmp(head, "MZ", 2) != 0 || pe + PE_HEADER > len || memcmp(head + pe, "PE\0", 4) != 0)
		return 0;
	count = load_le16(head + pe + PE_SECTIONS);
	section = pe + PE_HEADER + load_le16(head + pe + PE_OPTIONAL_SIZE);
	for (u32 n = 0; n < count && section + PE_SECTION <= len; n++, section += PE_SECTION)
		end = MAX(end, (u64)load_le32(head + section + PE_RAW_OFFSET) +
			       load_le32(head + section + PE_RAW_SIZE));
	return end;
}

err_t linux_parse(const u8 *head, u64 len, struct image *i)
{
	u64 end;

	i->kind = IMAGE_LINUX;
	i->arch = linux_arch(head, len);
	i->size = i->bytes;
	if (str_eq(i->arch, "x86_64"))
		return OK;
	if (load_le64(head + LINUX_FLAGS) & LINUX_FLAG_BIG_ENDIAN)
		return ERRF(E_FORMAT, "%s: a big-endian kernel cannot be run", i->file);
	end = linux_file_end(head, len);
	if (i->bytes < end)
		return ERRF(E_FORMAT, "%s: truncated: %llu of %llu bytes are there", i->file,
			    (unsigned long long)i->bytes, (unsigned long long)end);
	i->offset = load_le64(head + LINUX_TEXT_OFFSET);
	if (str_eq(i->arch, "aarch64") && !load_le64(head + LINUX_IMAGE_SIZE))
		i->offset = LINUX_OLD_OFFSET;
	i->size = MAX(i->bytes, load_le64(head + LINUX_IMAGE_SIZE));
	if (i->offset % PAGE_SIZE || (str_eq(i->arch, "riscv64") && i->offset % LINUX_ALIGN))
		return ERRF(E_FORMAT, "%s: misaligned text_offset 0x%llx in the header", i->file,
			    (unsigned long long)i->offset);
	if (i->offset > GIB(1) || i->size > GIB(1))
		return ERRF(E_FORMAT,
			    "%s: the header asks for %llu bytes at offset 0x%llx: not credible",
			    i->file, (unsigned long long)i->size, (unsigned long long)i->offset);
	return OK;
}
