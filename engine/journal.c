/* Stores of a block, noted and undone: see journal.h. */
#include "engine/journal.h"

#include "kernel/base/str.h"

void journal_begin(struct journal *j)
{
	j->on = true;
	j->final = false;
	j->count = 0;
}

void journal_note(struct journal *j, u8 *at, u32 len)
{
	for (u32 n; len; at += n, len -= n) {
		n = MIN(len, JOURNAL_PIECE);
		if (j->count == JOURNAL_MAX) {
			j->final = true;
			return;
		}
		j->piece[j->count].at = at;
		j->piece[j->count].len = (u8)n;
		memcpy(j->piece[j->count++].before, at, n);
	}
}

void journal_undo(struct journal *j)
{
	j->on = false;
	for (u32 i = 0; i < j->count; i++)
		memcpy(j->piece[i].after, j->piece[i].at, j->piece[i].len);
	journal_restore(j);
}

void journal_restore(const struct journal *j)
{
	for (u32 i = j->count; i-- > 0;)
		memcpy(j->piece[i].at, j->piece[i].before, j->piece[i].len);
}

const u8 *journal_difference(const struct journal *j)
{
	for (u32 i = 0; i < j->count; i++)
		if (memcmp(j->piece[i].at, j->piece[i].after, j->piece[i].len))
			return j->piece[i].at;
	return NULL;
}
