/*
 * Decoded x86 instructions as text, for the tables of decode_test.c: length, map and opcode,
 * operand and address size, then what there is of /reg, memory operand or register, immediates,
 * VEX.
 */
#pragma once

#include <stdio.h>

#include "engine/front/x86/decode.h"

static const char *const reg_names[] = {
	"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13",
	"r14", "r15", "ip",
};
static const char *const seg_names[] = { "es", "cs", "ss", "ds", "fs", "gs" };

static inline int text_ea(const struct x86_insn *i, char *to, size_t cap)
{
	int n = snprintf(to, cap, " w%u %s[", i->width, seg_names[i->seg]);

	if (i->base != X86_NO_REG)
		n += snprintf(to + n, cap - n, "%s", reg_names[i->base]);
	if (i->mem & X86_MEM_VSIB)
		n += snprintf(to + n, cap - n, "+v%u*%u", i->index, 1 << i->scale);
	else if (i->index != X86_NO_REG)
		n += snprintf(to + n, cap - n, "+%s*%u", reg_names[i->index], 1 << i->scale);
	if (i->disp_size)
		n += snprintf(to + n, cap - n, "%s%llx", (s64)i->disp < 0 ? "-" : "+",
			      (s64)i->disp < 0 ? -i->disp + 0ull : i->disp + 0ull);
	return n + snprintf(to + n, cap - n, "]");
}

static inline void text_of(const struct x86_insn *i, char *to, size_t cap)
{
	int n = snprintf(to, cap, "%u %u:%02x o%u a%u", i->len, i->map, i->op, i->osize, i->asize);

	if (i->has_modrm)
		n += snprintf(to + n, cap - n, " /%u", i->reg);
	if (i->mem & X86_MEM_EA)
		n += text_ea(i, to + n, cap - n);
	else if (i->mem)
		n += snprintf(to + n, cap - n, " w%u %s%s%s%s", i->width, seg_names[i->seg],
			      i->mem & X86_MEM_SI ? "[si]" : "", i->mem & X86_MEM_DI ? "[di]" : "",
			      i->mem & X86_MEM_XLAT ? "[bx+al]" : "");
	else if (i->has_modrm)
		n += snprintf(to + n, cap - n, " r%u", i->rm);
	if (i->imm_size)
		n += snprintf(to + n, cap - n, " #%llx", (unsigned long long)i->imm);
	if (i->imm2)
		n += snprintf(to + n, cap - n, ",%x", i->imm2);
	if (i->pp && i->map)
		n += snprintf(to + n, cap - n, " pp%u", i->pp);
	if (i->vex)
		snprintf(to + n, cap - n, " vex%u v%u l%u", i->vex, i->vvvv, i->vlen);
}
