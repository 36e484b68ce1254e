/*
 * Scalars and the few macros that every file may use. A scalar with a meaning has a
 * type of its own (gpa_t, hva_t ...); structs are never typedef'd.
 *
 * The compiler's own freestanding headers are the only ones allowed beneath this one.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t  u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t   s8;
typedef int16_t  s16;
typedef int32_t  s32;
typedef int64_t  s64;
typedef uintptr_t uptr;
typedef unsigned __int128 u128;
typedef __int128 s128;

typedef u64 gva_t;	/* guest virtual address */
typedef u64 gpa_t;	/* guest physical address */
typedef u64 hpa_t;	/* host physical address */
typedef u64 ns_t;	/* nanoseconds; NS_NEVER is later than any time */
typedef u32 irq_t;	/* an input number of some interrupt controller */

#define NS_NEVER	UINT64_MAX
#define NS_PER_SEC	1000000000ull
#define NS_PER_MS	1000000ull
#define NS_PER_US	1000ull

#define KIB(n)	((u64)(n) << 10)
#define MIB(n)	((u64)(n) << 20)
#define GIB(n)	((u64)(n) << 30)
#define TIB(n)	((u64)(n) << 40)

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096ull
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1ull << (n))
#define MASK(n)		((n) >= 64 ? ~0ull : BIT(n) - 1)		/* the n low bits */
#define BITS(v, hi, lo)	(((u64)(v) >> (lo)) & MASK((hi) - (lo) + 1))
#define ALIGN_DOWN(v, a)	((v) & ~((a) - 1))
#define ALIGN_UP(v, a)		(((v) + (a) - 1) & ~((a) - 1))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define must_check	__attribute__((warn_unused_result))
#define printf_like(fmt, args)	__attribute__((format(printf, fmt, args)))
#define noinline	__attribute__((noinline))
#define packed		__attribute__((packed))
#define aligned_to(n)	__attribute__((aligned(n)))

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/* Sign-extend the low @bits bits of @v; @bits in 1..64. */
static inline s64 sext(u64 v, u32 bits)
{
	return (s64)(v << (64 - bits)) >> (64 - bits);
}
