/* Firmware's frame buffer, if it is linear, as a second screen for the console. */
#include "arch/io.h"
#include "arch/mem.h"
#include "boot/boot.h"
#include "drivers/host/fbcon.h"
#include "kernel/base/log.h"

struct chr *arch_display(void)
{
	const struct boot_fb *f = &boot->fb;
	struct chr *c;
	void *fb;

	if (!f->base)
		return NULL;
	fb = arch_mmio_map(f->base, f->len, PROT_R | PROT_W | PROT_WC);
	c = fb ? fbcon_open(fb, f->width, f->height, f->stride, f->bgr) : NULL;
	if (!c)
		log_warn("display: %ux%u frame buffer at %#llx cannot be used", f->width, f->height,
			 (unsigned long long)f->base);
	return c;
}
