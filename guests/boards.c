/* The boards of this build: a row each. */
#include "kernel/board.h"

#include "kernel/base/str.h"

extern const struct board virt_rv64_board, virt_a64_board, pc_x86_board;

const struct board *const boards[] = {
	&virt_rv64_board,
	&virt_a64_board,
	&pc_x86_board,
	NULL,
};

const struct board *board_find(const char *arch)
{
	for (const struct board *const *b = boards; *b; b++)
		if (str_eq((*b)->arch, arch))
			return *b;
	return NULL;
}
