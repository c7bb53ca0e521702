/* lrucache: keeps the sections of the most recently used tiles, 360 of them; the oldest gives way. Healthy. */
#include "rt.h"

enum { TILE, FETCH, INDEX };

static struct tally tallies[] = {
	[TILE]  = {"Section", "MakeTile", "struct tile", 0, 0, 0},
	[FETCH] = {"Event", "BeginFetch", "struct fetch", 0, 0, 0},
	[INDEX] = {"File", "MakeTile", "local variable", 0, 0, 0},
};

enum { CAPACITY = 360, TILES = 1500 };

struct tile {
	struct tile *older, *newer;
	DWORD number;
	HANDLE section;
};

struct fetch { HANDLE ready; DWORD tile; };

static struct tile *newest, *oldest;
static DWORD cached;

static void Unlink(struct tile *t)
{
	*(t->newer ? &t->newer->older : &newest) = t->older;
	*(t->older ? &t->older->newer : &oldest) = t->newer;
	t->newer = t->older = NULL;
}

static void PutFirst(struct tile *t)
{
	t->older = newest;
	*(newest ? &newest->newer : &oldest) = t;
	newest = t;
}

static void Evict(void)
{
	struct tile *t = oldest;

	Unlink(t);
	rt_close(&tallies[TILE], t->section);
	rt_free(t);
	cached--;
}

static void MakeTile(DWORD number)
{
	struct tile *t = rt_alloc(sizeof *t);
	HANDLE index = CreateFileW(L"C:\\app\\tiles.idx", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
	                           NULL, OPEN_ALWAYS, 0, NULL);

	rt_opened(&tallies[INDEX], index);
	rt_close(&tallies[INDEX], index);
	if (cached == CAPACITY)
		Evict();
	t->number = number;
	t->section = rt_opened(&tallies[TILE], CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x8000, NULL));
	PutFirst(t);
	cached++;
}

static void FindTile(DWORD number)
{
	struct tile *t;

	for (t = newest; t; t = t->older)
		if (t->number == number) {
			Unlink(t);
			PutFirst(t);
			return;
		}
	MakeTile(number);
}

static void Fetched(void *p)
{
	struct fetch *f = p;

	rt_close(&tallies[FETCH], f->ready);
	rt_free(f);
}

static void BeginFetch(void)
{
	struct fetch *f = rt_alloc(sizeof *f);

	/* Some tiles are wanted more than others. */
	f->tile = rt_random(1 + rt_random(TILES));
	f->ready = rt_opened(&tallies[FETCH], CreateEventW(NULL, TRUE, FALSE, NULL));
	FindTile(f->tile);
	rt_later(1 + rt_random(8), Fetched, f);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 8};
	static const DWORD minutes[] = {40, 60, 60, 120, 120, 120};
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(minutes); i++) {
		rt_load(minutes[i], 240, BeginFetch);
		rt_dump();
	}
	return 0;
}
