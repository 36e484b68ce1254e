/*
 * Files that a board starts, from configuration into the guest's RAM: firmware at its start, the
 * kernel 2 MiB above or where it wishes, the device tree at the end of the first gigabyte, the
 * initrd right below it. How CPUs enter them is the board's (virt_map.start).
 */
#include "arch/mem.h"
#include "guests/virt.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"
#include "kernel/board.h"

#define LOW_RAM	GIB(1)	/* for what early code must reach */

static bool overlap(gpa_t a, u64 a_len, gpa_t b, u64 b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* ---- files ------------------------------------------------------------------------------ */

static err_t start_open_image(struct virt_start *s, const char *path, struct file *file,
			      struct image *image)
{
	err_t e;

	if (!path[0])
		return OK;
	e = arch_file_open(path, file);
	if (e == OK)
		e = image_parse(path, file->data, file->len, image);
	if (e == OK)
		e = image_check_arch(image, virt_of(s->vm)->map->arch);
	return e;
}

static err_t start_open(struct virt_start *s)
{
	const struct vm_config *c = &s->vm->config;
	err_t e;

	if (c->firmware[0] && !virt_of(s->vm)->map->firmware)
		return ERRF(E_CONFIG, "vm %s: firmware = \"%s\": there is no place for one on %s",
			    c->name, c->firmware, s->vm->board->name);
	e = start_open_image(s, c->firmware, &s->firmware, &s->firmware_image);
	if (e == OK)
		e = start_open_image(s, c->kernel, &s->kernel, &s->kernel_image);
	if (e == OK && c->initrd[0])
		e = arch_file_open(c->initrd, &s->initrd);
	if (e == OK && c->initrd[0] && !s->initrd.len)
		e = ERRF(E_FORMAT, "%s: empty file", c->initrd);
	return e;
}

static void start_close(struct virt_start *s)
{
	struct file *files[] = { &s->firmware, &s->kernel, &s->initrd };

	for (u32 i = 0; i < ARRAY_LEN(files); i++)
		if (files[i]->data)
			arch_file_close(files[i]);
}

/* ---- places ----------------------------------------------------------------------------- */

static err_t start_too_small(const struct virt_start *s, u64 need)
{
	return ERRF(E_RANGE,
		    "vm %s: memory = \"%lluM\" is too small: kernel, initrd and device tree need "
		    "\"%lluM\"",
		    s->vm->config.name, (unsigned long long)(s->ram.len >> 20),
		    (unsigned long long)((need + MIB(1) - 1) >> 20));
}

/* From the top down: device tree, initrd; all of it above the kernel. */
static err_t start_place_rest(struct virt_start *s)
{
	gpa_t low = s->ram.base, top = low + MIN(s->ram.len, LOW_RAM);
	u64 initrd_len = ALIGN_UP(s->initrd.len, PAGE_SIZE), need;

	if (s->kernel.data)
		low = ALIGN_UP(s->kernel_at + s->kernel_image.size, PAGE_SIZE);
	if (s->firmware.data)
		low = MAX(low, ALIGN_UP(s->firmware_at + s->firmware_image.size, PAGE_SIZE));
	need = low - s->ram.base + initrd_len + VIRT_FDT_CAP;
	if (need > s->ram.len)
		return start_too_small(s, need);
	if (need > top - s->ram.base)
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

static err_t start_place(struct virt_start *s)
{
	err_t e = OK;

	if (s->firmware.data)
		e = image_place(&s->firmware_image, &s->ram, s->ram.base, &s->firmware_at);
	if (e == OK && s->kernel.data)
		e = image_place(&s->kernel_image, &s->ram, virt_of(s->vm)->map->kernel,
				&s->kernel_at);
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

static err_t start_copy(struct virt_start *s)
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
		memcpy(s->ram.host + (s->images.initrd - s->ram.base), s->initrd.data,
		       s->initrd.len);
	return virt_of(s->vm)->map->write_fdt(s->vm, &s->images,
					      s->ram.host + (s->fdt - s->ram.base), VIRT_FDT_CAP,
					      &fdt_len);
}

err_t virt_load(struct vm *vm)
{
	struct virt_start s = {
		.vm = vm, .ram = { virt_of(vm)->map->ram, vm->ram_len, vm->ram }
	};
	err_t e = start_open(&s);

	if (e == OK)
		e = start_place(&s);
	if (e == OK)
		e = start_copy(&s);
	if (e == OK)
		e = virt_of(vm)->map->start(&s);
	start_close(&s);
	return e;
}
