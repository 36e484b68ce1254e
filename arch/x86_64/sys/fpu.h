/* The calling CPU's vector registers are ready for use: SSE, and AVX where there is AVX. */
#pragma once

/* Each CPU once, after paging_init() or paging_load(). */
void fpu_load(void);
