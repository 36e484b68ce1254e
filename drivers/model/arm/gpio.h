/* What a board wires to the PL061. */
#pragma once

#include "kernel/base/types.h"

/* For irq_line.set: drive input @line, 0 to 7; @ctl is the struct dev, locked. */
void vpl061_input(void *ctl, u32 line, bool level);
/* Press the key at input @line for a tenth of a second; takes the lock. */
void vpl061_press(void *ctl, u32 line);
