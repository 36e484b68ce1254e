/* Text console on a linear frame buffer of 32-bit pixels (UEFI's GOP). */
#pragma once

#include "drivers/port/chr.h"

/*
 * Take over the frame buffer at @fb, mapped for writing. @bgr: bytes B G R x, else R G B x.
 * NULL if it is smaller than one character or memory is out (see err_recent()).
 */
struct chr *fbcon_open(void *fb, u32 width, u32 height, u32 stride_pixels, bool bgr);
void fbcon_close(struct chr *c);
