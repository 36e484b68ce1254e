/* Starting the other CPUs, see smp.c. */
#pragma once

/* Interrupts that CPUs send each other. */
void smp_init(void);
