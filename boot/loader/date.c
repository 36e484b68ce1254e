/*
 * See date.h. Years are counted from March, so that the leap day comes last and the days
 * before a month are the closed form (153 m + 2) / 5.
 */
#include "boot/loader/date.h"

u64 date_to_unix(u32 year, u32 month, u32 day, u32 hour, u32 minute, u32 second)
{
	if (year < 1970 || year > 9999 || month - 1 > 11 || day - 1 > 30 || hour > 23 ||
	    minute > 59 || second > 60)
		return 0;
	u64 y = month > 2 ? year : year - 1;
	u64 m = month > 2 ? month - 3 : month + 9;
	u64 days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;

	return (days - 719468) * 86400 + hour * 3600 + minute * 60 + second;
}
