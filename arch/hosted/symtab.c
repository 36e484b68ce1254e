/*
 * Symbol names in the process: from the symbol table of our own executable, found through
 * /proc/self/exe. Unlike dladdr(3) it knows static functions. ELF-64, gABI chapter 4.
 * Only for panics: the file is mapped at the first question and stays mapped.
 */
#include "kernel/base/symtab.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	const Elf64_Sym *sym;
	u64 count;
	const char *names;
	uptr base;			/* where the executable is loaded */
} table;

static const u8 *exe_map(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* The executable is the first object that dl_iterate_phdr() reports. */
static int base_find(struct dl_phdr_info *info, size_t size, void *base)
{
	*(uptr *)base = info->dlpi_addr;
	return 1;
}

static void table_load(void)
{
	const u8 *exe = exe_map();
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)exe;
	const Elf64_Shdr *sh;

	if (!exe)
		return;
	sh = (const Elf64_Shdr *)(exe + eh->e_shoff);
	for (u32 i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		table.names = (const char *)exe + sh[sh[i].sh_link].sh_offset;
		table.sym = (const Elf64_Sym *)(exe + sh[i].sh_offset);
		table.count = sh[i].sh_size / sizeof(Elf64_Sym);
	}
	dl_iterate_phdr(base_find, &table.base);
}

const char *symtab_find(uptr pc, uptr *offset)
{
	static _Atomic bool loaded;
	uptr at;

	if (!atomic_exchange(&loaded, true))
		table_load();
	at = pc - table.base;
	for (u64 i = 0; i < table.count; i++) {
		const Elf64_Sym *s = &table.sym[i];

		if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && at - s->st_value < s->st_size) {
			*offset = at - s->st_value;
			return table.names + s->st_name;
		}
	}
	return NULL;
}
