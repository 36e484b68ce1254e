/* Events parked for the next entry. An exception during another one's delivery: SDM 3A, 6.15. */
#include "arch/x86_64/vt/vt.h"

enum { DE = 0, DF = 8, TS = 10, NP = 11, SS = 12 };

static bool is_contributory(u32 vector)
{
	return vector == DE || (vector >= TS && vector <= X86_V_GP);
}

static void park(struct x86_state *st, u32 vector, bool has_error, u32 error)
{
	bool exception = st->event && st->event_type == X86_EVENT_EXCEPTION;
	u32 first = st->event_vector;

	if (exception && ((is_contributory(first) && is_contributory(vector)) ||
			  (first == X86_V_PF && (is_contributory(vector) || vector == X86_V_PF)))) {
		vector = DF;
		has_error = true;
		error = 0;
	}
	st->event = true;
	st->event_type = X86_EVENT_EXCEPTION;
	st->event_vector = (u8)vector;
	st->event_has_error = has_error;
	st->event_error = error;
}

void vt_raise(struct x86_state *st, u32 vector)
{
	park(st, vector, false, 0);
}

void vt_raise_error(struct x86_state *st, u32 vector, u32 error)
{
	park(st, vector, true, error);
}
