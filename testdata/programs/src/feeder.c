/*
 * feeder: reads from a partner. While the partner is away, it tries again and
 * again; each failed try is put into the history with its event open.
 */
#include "rt.h"

enum { TRY, FAILED, ITEM, STORE };

static struct tally tallies[] = {
	[TRY]    = {"Event", "Connect", "local variable", 0, 0, 0},
	[FAILED] = {"Event", "Connect", "struct attempt, heap array", 0, 0, 0},
	[ITEM]   = {"Event", "TakeItem", "struct item", 0, 0, 0},
	[STORE]  = {"File", "StoreItem", "local variable", 0, 0, 0},
};

struct attempt { DWORD minute; DWORD error; HANDLE answered; };
struct item { struct item *next; HANDLE stored; DWORD size; };

static struct attempt *history;
static DWORD attempts;
static BOOL away;

static void Remember(HANDLE answered, DWORD error)
{
	if (attempts % 128 == 0) {
		struct attempt *more = rt_alloc((attempts + 128) * sizeof *more);

		CopyMemory(more, history, attempts * sizeof *more);
		rt_free(history);
		history = more;
	}
	history[attempts].minute = rt_minute();
	history[attempts].error = error;
	history[attempts++].answered = answered;
	tallies[TRY].opened--; /* the history has it */
	tallies[FAILED].opened++;
	tallies[FAILED].lost++;
}

static BOOL Connect(void)
{
	HANDLE answered = rt_opened(&tallies[TRY], CreateEventW(NULL, FALSE, FALSE, NULL));

	if (away || rt_random(150) == 0) {
		Remember(answered, 10060);
		return FALSE;
	}
	rt_close(&tallies[TRY], answered);
	return TRUE;
}

static void StoreItem(void *p)
{
	struct item *i = p;
	HANDLE f = CreateFileW(L"C:\\app\\feed.dat", GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_ALWAYS, 0, NULL);

	rt_opened(&tallies[STORE], f);
	rt_close(&tallies[STORE], f);
	rt_close(&tallies[ITEM], i->stored);
	rt_free(i);
}

static void TakeItem(void)
{
	struct item *i;

	if (!Connect())
		return;
	i = rt_alloc(sizeof *i);
	i->size = 4 * rt_random(400);
	i->stored = rt_opened(&tallies[ITEM], CreateEventW(NULL, TRUE, FALSE, NULL));
	rt_later(1 + rt_random(20), StoreItem, i);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 6};
	static const DWORD outage[] = {0, 12, 0, 17, 0, 9}; /* minutes, of each two hours */
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(outage); i++) {
		rt_load(50, 180, TakeItem);
		away = outage[i] != 0;
		rt_load(outage[i], 900, TakeItem);
		away = FALSE;
		rt_load(70 - outage[i], 180, TakeItem);
		rt_dump();
	}
	return 0;
}
