/* Where things are: in the guest vt.S, and in the machine that it runs on. */
#pragma once

#define BASE	0x200000	/* where we are loaded: _start is 0x200 behind */
#define COM1	0x3f8
#define SCRATCH	(COM1 + 7)
#define LAPIC	0xfee00000
#define IOAPIC	0xfec00000
#define PD	0x4000		/* page directory of the first GiB */
#define LOW	0x8000		/* code for real mode and for protected mode */
#define AP	0x9000		/* ... and for another CPU */
#define USER	0x400000	/* 2 MiB page for user mode */
