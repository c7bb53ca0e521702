/* lazyinit: what a part needs is opened when the part is used for the first time, which is soon. Healthy. */
#include "rt.h"

enum { PART_EVENT, PART_KEY, PART_SECTION, CALL };

static struct tally tallies[] = {
	[PART_EVENT]   = {"Event", "InitPart", "global array of struct part", 0, 0, 0},
	[PART_KEY]     = {"Key", "InitPart", "global array of struct part", 0, 0, 0},
	[PART_SECTION] = {"Section", "InitPart", "global array of struct part", 0, 0, 0},
	[CALL]         = {"Semaphore", "Call", "struct call", 0, 0, 0},
};

enum { PARTS = 60 };

struct part { BOOL ready; HANDLE events[6]; HKEY keys[3]; HANDLE section; };
struct call { DWORD part; HANDLE permit; };

static struct part parts[PARTS];

static void InitPart(struct part *p)
{
	SIZE_T i;

	for (i = 0; i < ARRAYSIZE(p->events); i++)
		p->events[i] = rt_opened(&tallies[PART_EVENT], CreateEventW(NULL, i % 2, FALSE, NULL));
	for (i = 0; i < ARRAYSIZE(p->keys); i++) {
		rt_must(RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &p->keys[i]) == 0, "InitPart");
		tallies[PART_KEY].opened++;
	}
	p->section = rt_opened(&tallies[PART_SECTION], CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x2000, NULL));
	p->ready = TRUE;
}

static void CallDone(void *p)
{
	struct call *c = p;

	rt_close(&tallies[CALL], c->permit);
	rt_free(c);
}

static void Call(void)
{
	struct call *c = rt_alloc(sizeof *c);

	c->part = rt_random(PARTS);
	if (!parts[c->part].ready)
		InitPart(&parts[c->part]);
	c->permit = rt_opened(&tallies[CALL], CreateSemaphoreW(NULL, 1, 1, NULL));
	rt_later(1 + rt_random(20), CallDone, c);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 9};
	static const DWORD minutes[] = {4, 40, 60, 60, 60};
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(minutes); i++) {
		rt_load(minutes[i], 240, Call);
		rt_dump();
	}
	return 0;
}
