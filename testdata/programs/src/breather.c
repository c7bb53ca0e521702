/*
 * breather: a pool that starts threads when there is work and lets them go when
 * there is none, with a timer for each. Healthy.
 */
#include "rt.h"

enum { THREAD, STOP, TIMER, WORK };

static struct tally tallies[] = {
	[THREAD] = {"Thread", "StartHelper", "struct helper", 0, 0, 0},
	[STOP]   = {"Event", "StartHelper", "struct helper", 0, 0, 0},
	[TIMER]  = {"Timer", "StartHelper", "struct helper", 0, 0, 0},
	[WORK]   = {"Event", "Submit", "struct work", 0, 0, 0},
};

struct helper { struct helper *next; HANDLE thread, stop, timer; BOOL busy; };
struct work { struct helper *helper; HANDLE done; };

static struct helper *helpers;
static DWORD helper_count;

static DWORD WINAPI HelperMain(void *p)
{
	struct helper *h = p;

	return WaitForSingleObject(h->stop, INFINITE);
}

static struct helper *StartHelper(void)
{
	struct helper *h = rt_alloc(sizeof *h);

	h->stop = rt_opened(&tallies[STOP], CreateEventW(NULL, TRUE, FALSE, NULL));
	h->timer = rt_opened(&tallies[TIMER], CreateWaitableTimerW(NULL, FALSE, NULL));
	h->thread = rt_opened(&tallies[THREAD], CreateThread(NULL, 0, HelperMain, h, 0, NULL));
	h->next = helpers;
	helpers = h;
	helper_count++;
	return h;
}

static void StopHelper(struct helper *h)
{
	struct helper **at = &helpers;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	helper_count--;
	SetEvent(h->stop);
	WaitForSingleObject(h->thread, INFINITE);
	rt_close(&tallies[THREAD], h->thread);
	rt_close(&tallies[TIMER], h->timer);
	rt_close(&tallies[STOP], h->stop);
	rt_free(h);
}

static void MaybeStop(void *p)
{
	struct helper *h;

	for (h = helpers; h; h = h->next)
		if (h == p && !h->busy && helper_count > 4) {
			StopHelper(h);
			return;
		}
}

static void Done(void *p)
{
	struct work *w = p;

	w->helper->busy = FALSE;
	rt_later(3, MaybeStop, w->helper);
	rt_close(&tallies[WORK], w->done);
	rt_free(w);
}

static void Submit(void)
{
	struct work *w = rt_alloc(sizeof *w);
	struct helper *h;

	for (h = helpers; h && h->busy; h = h->next)
		;
	w->helper = h ? h : StartHelper();
	w->helper->busy = TRUE;
	w->done = rt_opened(&tallies[WORK], CreateEventW(NULL, TRUE, FALSE, NULL));
	rt_later(1 + rt_random(6), Done, w);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 14};
	static const DWORD rate[] = {150, 420, 100, 500, 90};
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(rate); i++) {
		rt_load(45, rate[i], Submit);
		rt_dump();
	}
	return 0;
}
