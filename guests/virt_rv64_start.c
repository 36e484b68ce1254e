/*
 * What the RISC-V board starts. Two ways:
 *
 *  - direct: hart 0 enters the kernel in S-mode with a0 = its number, a1 = the device tree (Linux
 *    riscv boot.rst); the other harts are off until SBI HSM, which FVP itself answers;
 *  - firmware: all harts start in M-mode at the reset vector in ROM, as on QEMU, which jumps to
 *    the firmware with a2 = struct fw_dynamic_info (OpenSBI), naming the kernel as next stage.
 *
 * In RAM: firmware at its start, the kernel 2 MiB above or where it wishes, the device tree at
 * the end of the first gigabyte, the initrd right below it.
 */
#include "arch/io.h"
#include "arch/mem.h"
#include "engine/front/rv64/state.h"
#include "guests/virt_rv64.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define LOW_RAM_END	0xc0000000ull	/* 32-bit addresses for what early code must reach */

struct start {
	struct vm *vm;
	struct guest_ram ram;
	struct file firmware, kernel, initrd;
	struct image firmware_image, kernel_image;
	gpa_t firmware_at, kernel_at;	/* where they lie ... */
	gpa_t firmware_entry, next;	/* ... and are entered; next: 0 = no kernel */
	gpa_t fdt;
	struct virt_images images;
};

static bool overlap(gpa_t a, u64 a_len, gpa_t b, u64 b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* ---- files ------------------------------------------------------------------------------ */

static err_t start_open_image(struct start *s, const char *path, struct file *file,
			      struct image *image)
{
	err_t e;

	if (!path[0])
		return OK;
	e = arch_file_open(path, file);
	if (e == OK)
		e = image_parse(path, file->data, file->len, image);
	if (e == OK)
		e = image_check_arch(image, "riscv64");
	return e;
}

static err_t start_open(struct start *s)
{
	const struct vm_config *c = &s->vm->config;
	err_t e = start_open_image(s, c->firmware, &s->firmware, &s->firmware_image);

	if (e == OK)
		e = start_open_image(s, c->kernel, &s->kernel, &s->kernel_image);
	if (e == OK && c->initrd[0])
		e = arch_file_open(c->initrd, &s->initrd);
	if (e == OK && c->initrd[0] && !s->initrd.len)
		e = ERRF(E_FORMAT, "%s: empty file", c->initrd);
	return e;
}

static void start_close(struct start *s)
{
	struct file *files[] = { &s->firmware, &s->kernel, &s->initrd };

	for (u32 i = 0; i < ARRAY_LEN(files); i++)
		if (files[i]->data)
			arch_file_close(files[i]);
}

/* ---- places ----------------------------------------------------------------------------- */

static err_t start_too_small(const struct start *s, u64 need)
{
	return ERRF(E_RANGE,
		    "vm %s: memory = \"%lluM\" is too small: kernel, initrd and device tree need "
		    "\"%lluM\"",
		    s->vm->config.name, (unsigned long long)(s->ram.len >> 20),
		    (unsigned long long)((need + MIB(1) - 1) >> 20));
}

/* From the top down: device tree, initrd; all of it above the kernel. */
static err_t start_place_rest(struct start *s)
{
	gpa_t low = VIRT_RAM, top = MIN(s->ram.base + s->ram.len, LOW_RAM_END);
	u64 initrd_len = ALIGN_UP(s->initrd.len, PAGE_SIZE), need;

	if (s->kernel.data)
		low = ALIGN_UP(s->kernel_at + s->kernel_image.size, PAGE_SIZE);
	if (s->firmware.data)
		low = MAX(low, ALIGN_UP(s->firmware_at + s->firmware_image.size, PAGE_SIZE));
	need = low - VIRT_RAM + initrd_len + VIRT_FDT_CAP;
	if (need > s->ram.len)
		return start_too_small(s, need);
	if (need > top - VIRT_RAM)
		return ERRF(E_RANGE,
			    "vm %s: kernel and initrd do not fit into the first GiB of RAM",
			    s->vm->config.name);
	s->fdt = ALIGN_DOWN(top, PAGE_SIZE) - VIRT_FDT_CAP;
	if (initrd_len) {
		s->images.initrd = s->fdt - initrd_len;
		s->images.initrd_end = s->images.initrd + s->initrd.len;
	}
	return OK;
}

static err_t start_place(struct start *s)
{
	err_t e = OK;

	if (s->firmware.data)
		e = image_place(&s->firmware_image, &s->ram, VIRT_RAM, &s->firmware_at);
	if (e == OK && s->kernel.data)
		e = image_place(&s->kernel_image, &s->ram, VIRT_KERNEL, &s->kernel_at);
	if (e == OK && s->firmware.data && s->kernel.data &&
	    overlap(s->firmware_at, s->firmware_image.size, s->kernel_at, s->kernel_image.size))
		e = ERRF(E_RANGE, "vm %s: firmware %s and kernel %s want the same memory at 0x%llx",
			 s->vm->config.name, s->firmware_image.file, s->kernel_image.file,
			 (unsigned long long)s->kernel_at);
	if (e == OK)
		e = start_place_rest(s);
	return e;
}

/* ---- contents --------------------------------------------------------------------------- */

static err_t start_copy(struct start *s)
{
	u32 fdt_len;
	err_t e = OK;

	if (s->firmware.data)
		e = image_load(&s->firmware_image, &s->ram, s->firmware_at, &s->firmware_entry);
	if (e == OK && s->kernel.data)
		e = image_load(&s->kernel_image, &s->ram, s->kernel_at, &s->next);
	if (e)
		return e;
	if (s->images.initrd)
		memcpy(s->ram.host + (s->images.initrd - VIRT_RAM), s->initrd.data, s->initrd.len);
	return virt_write_fdt(s->vm, &s->images, s->ram.host + (s->fdt - VIRT_RAM), VIRT_FDT_CAP,
			      &fdt_len);
}

/* The reset vector. All harts run it; firmware picks one to go on. */
static err_t start_write_rom(struct start *s)
{
	static const u32 code[] = {
		0x00000297,	/* auipc t0, 0 */
		0x02828613,	/* addi a2, t0, 0x28: fw_dynamic_info */
		0xf1402573,	/* csrr a0, mhartid */
		0x0202b583,	/* ld a1, 0x20(t0) */
		0x0182b283,	/* ld t0, 0x18(t0) */
		0x00028067,	/* jr t0 */
	};
	const u64 data[] = {
		s->firmware_entry, s->fdt,
		/* fw_dynamic_info: magic, version, next address and mode, options, boot hart */
		0x4942534f, 2, s->next, PRIV_S, 0, 0,
	};
	u8 *rom = arch_ram_alloc(VIRT_ROM_LEN, NODE_ANY);

	_Static_assert(sizeof(code) == 0x18, "the code knows where the data is");
	if (!rom)
		return ERRF(E_NOMEM, "vm %s: no memory for its ROM", s->vm->config.name);
	s->vm->rom[0] = rom;
	s->vm->rom_len[0] = VIRT_ROM_LEN;
	memcpy(rom, code, sizeof(code));
	memcpy(rom + sizeof(code), data, sizeof(data));
	return space_map_rom(&s->vm->space, VIRT_ROM, VIRT_ROM_LEN, rom, "ROM");
}

static err_t start_harts(struct start *s)
{
	struct vm *vm = s->vm;
	err_t e;

	if (!s->firmware.data) {
		rv64_start(&vm->vcpu[0].g, s->next, 0, s->fdt, false);
		return vcpu_power_on(&vm->vcpu[0]);
	}
	e = start_write_rom(s);
	for (u32 i = 0; e == OK && i < vm->vcpus; i++) {
		rv64_start(&vm->vcpu[i].g, VIRT_ROM, 0, 0, true);
		e = vcpu_power_on(&vm->vcpu[i]);
	}
	return e;
}

err_t virt_load(struct vm *vm)
{
	struct start s = { .vm = vm, .ram = { VIRT_RAM, vm->ram_len, vm->ram } };
	err_t e = start_open(&s);

	if (e == OK)
		e = start_place(&s);
	if (e == OK)
		e = start_copy(&s);
	if (e == OK)
		e = start_harts(&s);
	start_close(&s);
	return e;
}
