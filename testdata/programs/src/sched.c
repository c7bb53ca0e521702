/*
 * sched: alarms. A cancelled alarm gets the number 0 and is passed over from
 * then on; its timer stays open. The record of an alarm has no pointer in it.
 */
#include "rt.h"

enum { ALARM, TICK, LOG };

static struct tally tallies[] = {
	[ALARM] = {"Timer", "SetAlarm", "struct alarm", 0, 0, 0},
	[TICK]  = {"Event", "OneShot", "struct one_shot", 0, 0, 0},
	[LOG]   = {"File", "AppendLog", "local variable", 0, 0, 0},
};

struct alarm {
	DWORD number;
	DWORD period;
	HANDLE timer;
	ULONG64 next;
	DWORD fired;
};

struct one_shot { DWORD code; DWORD client; HANDLE done; };

static struct alarm **alarms;
static DWORD alarm_count, alarm_room;

static void AppendLog(DWORD number)
{
	HANDLE f = CreateFileW(L"C:\\app\\sched.log", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
	DWORD put;

	rt_opened(&tallies[LOG], f);
	WriteFile(f, &number, sizeof number, &put, NULL);
	rt_close(&tallies[LOG], f);
}

static void CancelAlarm(void *p)
{
	struct alarm *a = p;

	AppendLog(a->number);
	a->number = 0;
	CancelWaitableTimer(a->timer);
	tallies[ALARM].lost++;
}

static void SetAlarm(void)
{
	struct alarm *a = rt_alloc(sizeof *a);

	if (alarm_count == alarm_room) {
		struct alarm **more = rt_alloc((alarm_room + 100) * sizeof *more);

		CopyMemory(more, alarms, alarm_count * sizeof *more);
		rt_free(alarms);
		alarms = more;
		alarm_room += 100;
	}
	a->number = tallies[ALARM].opened + 1;
	a->period = 60 + rt_random(3600);
	a->timer = rt_opened(&tallies[ALARM], CreateWaitableTimerW(NULL, FALSE, NULL));
	a->next = 133450000000000000ULL + rt_minute() * 600000000ULL;
	alarms[alarm_count++] = a;
	rt_later(10 + rt_random(100), CancelAlarm, a);
}

static void Finished(void *p)
{
	struct one_shot *o = p;

	rt_close(&tallies[TICK], o->done);
	rt_free(o);
}

static void OneShot(void)
{
	struct one_shot *o = rt_alloc(sizeof *o);

	o->code = rt_random(90);
	o->client = 4 * rt_random(500); /* looks like a handle */
	o->done = rt_opened(&tallies[TICK], CreateEventW(NULL, TRUE, FALSE, NULL));
	rt_later(1 + rt_random(12), Finished, o);
}

static void Request(void)
{
	if (rt_random(6) == 0)
		SetAlarm();
	else
		OneShot();
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 5};
	int i;

	rt_start(&p);
	for (i = 0; i < 4; i++) {
		rt_load(120, 200, Request);
		rt_dump();
	}
	return 0;
}
