/*
 * Memory and string functions. mem* and str* have their C meaning; in the hosted
 * process libc provides mem*, on bare metal arch/bare/mem.c does.
 */
#pragma once

#include "kernel/base/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

size_t str_len(const char *s);
int str_cmp(const char *a, const char *b);
bool str_eq(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
const char *str_chr(const char *s, char c);		/* NULL if absent */
const char *str_find(const char *s, const char *needle);	/* NULL if absent */

/* Copy with termination; false if @src had to be cut. */
bool str_copy(char *dst, size_t cap, const char *src);

/* Parse an unsigned number, the whole of @s: decimal, 0x, 0o, 0b, '_' between digits. */
bool str_to_u64(const char *s, u64 *out);

/* Parse a size in bytes: a number with optional K, M, G or T (powers of 1024), "512M". */
bool str_to_size(const char *s, u64 *out);

/* Little- and big-endian loads and stores at any alignment. */
static inline u16 load_le16(const void *p) { u16 v; __builtin_memcpy(&v, p, 2); return v; }
static inline u32 load_le32(const void *p) { u32 v; __builtin_memcpy(&v, p, 4); return v; }
static inline u64 load_le64(const void *p) { u64 v; __builtin_memcpy(&v, p, 8); return v; }
static inline u16 load_be16(const void *p) { return __builtin_bswap16(load_le16(p)); }
static inline u32 load_be32(const void *p) { return __builtin_bswap32(load_le32(p)); }
static inline u64 load_be64(const void *p) { return __builtin_bswap64(load_le64(p)); }
static inline void store_le16(void *p, u16 v) { __builtin_memcpy(p, &v, 2); }
static inline void store_le32(void *p, u32 v) { __builtin_memcpy(p, &v, 4); }
static inline void store_le64(void *p, u64 v) { __builtin_memcpy(p, &v, 8); }
