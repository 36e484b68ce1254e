/* Civil date (UTC, proleptic Gregorian) to Unix time, for EFI_TIME. */
#pragma once

#include "kernel/base/types.h"

/* Seconds since 1970-01-01T00:00:00Z; 0 when a field is out of range or the year is before 1970. */
u64 date_to_unix(u32 year, u32 month, u32 day, u32 hour, u32 minute, u32 second);
