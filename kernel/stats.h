/* Figures of a VM's run: what `stats` shows and `fvp run --stats` prints at the end. */
#pragma once

#include "kernel/report.h"
#include "kernel/vm.h"

void stats_report(struct report *r, const struct vm *vm);
