/*
 * Entry of the PE image: load the core, collect boot_info, leave boot services, enter the
 * core (UEFI 2.9, section 2.3 and chapter 7). Until memory_leave() every failure is said on
 * the firmware's console and returns to the boot manager; after it nothing here can fail.
 */
#include "boot/loader/pie.h"
#include "boot/loader/loader.h"

EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

void say(const char *text)
{
	CHAR16 line[64];
	u32 n = 0;

	if (!st->ConOut)
		return;
	while (*text) {
		if (*text == '\n')
			line[n++] = '\r';
		line[n++] = (u8)*text++;
		if (!*text || n >= ARRAY_LEN(line) - 3) {
			line[n] = 0;
			st->ConOut->OutputString(st->ConOut, line);
			n = 0;
		}
	}
}

void say_number(u64 n)
{
	char text[24];
	char *p = text + sizeof(text) - 1;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	say(p);
}

void *pages_take(u64 len, bool code)
{
	EFI_PHYSICAL_ADDRESS at = 0;
	EFI_STATUS s = bs->AllocatePages(AllocateAnyPages, code ? EfiLoaderCode : EfiLoaderData,
					 ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE, &at);

	if (EFI_ERROR(s))
		return NULL;
	bs->SetMem((void *)at, ALIGN_UP(len, PAGE_SIZE), 0);
	return (void *)at;
}

static void segments_note(const struct pie *e, u64 base, struct boot_info *info)
{
	for (u32 i = 0; i < e->segments; i++) {
		const struct pie_segment *s = &e->segment[i];

		info->segment[info->segments++] = (struct boot_segment){
			.base = base + s->vaddr,
			.len = ALIGN_UP(s->memsz, PAGE_SIZE),
			.write = s->flags & ELF_W,
			.execute = s->flags & ELF_X,
		};
	}
}

/* The core's entry in RAM, or NULL after saying why not. */
static void *core_load(struct boot_info *info)
{
	struct pie e;
	const char *why = pie_parse(&e, core_file, (u64)(core_file_end - core_file));
	u8 *base = why ? NULL : pages_take(e.size, true);

	if (!base) {
		say("FVP: cannot load the core: ");
		say(why ? why : "out of memory");
		say("\n");
		return NULL;
	}
	pie_load(&e, base);
	segments_note(&e, (u64)base, info);
	code_sync(base, e.size);
	return base + e.entry;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	struct boot_info *info;
	void (*enter)(struct boot_info *);
	const char *why;
	EFI_STATUS s;

	st = table;
	bs = st->BootServices;
	bs->SetWatchdogTimer(0, 0, 0, NULL);
	say("FVP: loading\n");
	why = host_refuse();
	if (why) {
		say("FVP: cannot run here: ");
		say(why);
		say("\n");
		return EFI_UNSUPPORTED;
	}
	info = pages_take(sizeof(*info), false);
	enter = info ? core_load(info) : NULL;
	if (!enter)
		return EFI_LOAD_ERROR;
	info->magic = BOOT_MAGIC;
	files_collect(image, info);
	platform_collect(info);
	s = memory_leave(image, info);
	if (EFI_ERROR(s)) {
		say("FVP: firmware does not let go: ExitBootServices failed\n");
		return s;
	}
	enter(info);
	__builtin_trap();
}
