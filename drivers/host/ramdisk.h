/* A block of memory as a disk: on bare metal, a file that the loader read from the ESP. */
#pragma once

#include "drivers/port/blk.h"

/*
 * @data stays the caller's and must outlive the disk; writes go to it and nowhere else.
 * E_FORMAT unless @len is a positive multiple of 512, E_NOMEM.
 */
err_t ramdisk_open(const char *name, u8 *data, u64 len, bool readonly, struct blk **out);
