/*
 * What the ISA tests share: bare-metal C for the RISC-V `virt` machine, in M-mode at
 * 0x80000000. A test is one file with isa_main(); each CHECK that fails prints a line, and
 * the program ends through sifive,test0 with 0 or 1. The same ELF runs under FVP and QEMU.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(n) (1ull << (n))
#define PAGE 4096ull

enum { U = 0, S = 1, M = 3 };
enum {
	FETCH_ACCESS = 1, ILLEGAL = 2, BREAKPOINT = 3, LOAD_MISALIGNED = 4, LOAD_ACCESS = 5,
	STORE_MISALIGNED = 6, STORE_ACCESS = 7, ECALL_U = 8, ECALL_S = 9, ECALL_M = 11,
	FETCH_PAGE = 12, LOAD_PAGE = 13, STORE_PAGE = 15, NO_TRAP = 99,
};
#define IRQ (BIT(63))

/* mstatus */
#define SIE BIT(1)
#define MIE BIT(3)
#define SPIE BIT(5)
#define MPIE BIT(7)
#define SPP BIT(8)
#define MPP (3 * BIT(11))
#define FS (3 * BIT(13))
#define MPRV BIT(17)
#define SUM BIT(18)
#define MXR BIT(19)
#define TVM BIT(20)
#define TW BIT(21)
#define TSR BIT(22)

#define read_csr(csr) ({ u64 v_; __asm__ volatile("csrr %0, " #csr : "=r"(v_)); v_; })
#define write_csr(csr, v) __asm__ volatile("csrw " #csr ", %0" : : "r"((u64)(v)) : "memory")
#define set_csr(csr, v) __asm__ volatile("csrs " #csr ", %0" : : "r"((u64)(v)) : "memory")
#define clear_csr(csr, v) __asm__ volatile("csrc " #csr ", %0" : : "r"((u64)(v)) : "memory")
#define swap_csr(csr, v) ({ u64 v_; __asm__ volatile("csrrw %0, " #csr ", %1" : "=r"(v_) \
			    : "r"((u64)(v)) : "memory"); v_; })
#define INSN(w) __asm__ volatile(".4byte " #w : : : "memory")
#define INSN16(w) __asm__ volatile(".2byte " #w : : : "memory")

/* The newest trap that any handler took; the handlers skip the instruction and go on. */
struct trap {
	u64 cause, epc, tval;
	u64 status;		/* xstatus in the handler */
	u64 handler;		/* M or S */
	u64 vector;		/* 4 * number of the vector taken */
	u64 count;
};
extern volatile struct trap trap;
void m_vectors(void), s_vectors(void);		/* 64-byte aligned, for xtvec | 1; or | 0 */

/* Cause of the trap that @code meets, or NO_TRAP. */
#define TRAP_OF(code) ({ trap.cause = NO_TRAP; code; trap.cause; })

/* Run @fn in a lower privilege; returns its result. */
u64 run_in(u64 priv, u64 (*fn)(u64), u64 arg);

void check(const char *file, int line, const char *text, u64 got, u64 want);
#define CHECK(cond) check(__FILE__, __LINE__, #cond, !!(cond), 1)
#define CHECK_EQ(got, want) check(__FILE__, __LINE__, #got, (u64)(got), (u64)(want))
/* What QEMU 7.2 is known to do otherwise, or not to have. */
extern bool on_qemu;

/* An access as @priv would make it (MPRV); the trap's cause, or NO_TRAP. */
u64 load_as(u64 priv, u64 va);
u64 store_as(u64 priv, u64 va, u64 v);
extern u64 loaded;

/* Identity Sv39 plus a table of 4 KiB pages at TEST_VA, level 0 of it at pte[]. */
#define TEST_VA 0x40000000ull
#define PTE_V BIT(0)
#define PTE_R BIT(1)
#define PTE_W BIT(2)
#define PTE_X BIT(3)
#define PTE_U BIT(4)
#define PTE_G BIT(5)
#define PTE_A BIT(6)
#define PTE_D BIT(7)
#define PTE_RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)
#define PTE(pa, flags) ((u64)(pa) >> 12 << 10 | (flags))
extern u64 root[512], middle[512], pte[512];
void paging_on(void);
void paging_off(void);
extern u8 page[4][4096];			/* to map, page-aligned */
static inline void sfence(void) { __asm__ volatile("sfence.vma" : : : "memory"); }

void isa_main(void);				/* hart 0 */
void hart_main(u64 hart);			/* the others; see harts.h */
