/*
 * What this machine supports and how each VM of a configuration would run on it; nothing is
 * started.
 */
#pragma once

#include "kernel/config.h"
#include "kernel/report.h"

void doctor_report(struct report *r, const struct config *c);
