/* Accesses that may fault: false if they did. */
#pragma once

#include "kernel/base/types.h"

bool probe_store(void *p, u8 v);
bool probe_call(const void *code);		/* @code takes no arguments and does no harm */
