#!/bin/sh
# Turns `nm -n` of a linked core (stdin; empty for the first link) into the symbol table of
# kernel/symtab.h as assembly: functions by offset from text_start, which is linked at 0.
awk '
$2 ~ /^[tT]$/ && $3 !~ /^(\.L|\$|text_start$|text_end$)/ && $1 "" != last {
	last = $1 ""
	entry = entry sprintf("\t.long 0x%s, %d\n", substr($1, length($1) - 7), used)
	name = name sprintf("\t.asciz \"%s\"\n", $3)
	used += length($3) + 1
	n++
}
END {
	printf "\t.section .rodata.symtab, \"a\"\n\t.balign 8\n"
	printf "\t.globl symtab\nsymtab:\n%s", entry
	printf "\t.globl symtab_count\nsymtab_count:\n\t.long %d\n", n
	printf "\t.globl symtab_names\nsymtab_names:\n%s\t.byte 0\n", name
	printf "\t.section .data.rel.ro.symtab, \"aw\"\n\t.balign 8\n"
	printf "\t.globl symtab_base\nsymtab_base:\n\t.quad text_start\n"
}'
