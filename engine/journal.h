/*
 * What a block has stored, so that it can be undone: for the audit runner, which runs each block
 * twice. The slow paths of mem.c note here; stores that do not go there are not seen.
 */
#pragma once

#include "kernel/base/types.h"

#define JOURNAL_MAX	256
#define JOURNAL_PIECE	16		/* bytes */

struct journal {
	bool on;
	bool final;		/* it cannot be undone: a device was touched, or there is no room */
	u32 count;
	struct {
		u8 *at;
		u8 len, before[JOURNAL_PIECE], after[JOURNAL_PIECE];
	} piece[JOURNAL_MAX];
};

void journal_begin(struct journal *j);
/* @len bytes at @at are about to be stored to. */
void journal_note(struct journal *j, u8 *at, u32 len);
/* Stop; memory is again what it was, and what it had become is remembered. */
void journal_undo(struct journal *j);
/* Once more to what it was, after the second run. */
void journal_restore(const struct journal *j);
/* The first piece of memory that is not what it had become, or NULL. */
const u8 *journal_difference(const struct journal *j);
