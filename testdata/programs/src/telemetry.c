/*
 * telemetry: readings of sensors, each with the key of its sensor in a field of
 * four bytes. Chunks of readings are kept for an upload that never closes keys.
 */
#include "rt.h"

enum { SENSOR, LIMIT, UPLOAD };

static struct tally tallies[] = {
	[SENSOR] = {"Key", "TakeReading", "struct reading (4-byte field)", 0, 0, 0},
	[LIMIT]  = {"Key", "ReadLimit", "local variable", 0, 0, 0},
	[UPLOAD] = {"Event", "BeginUpload", "struct upload", 0, 0, 0},
};

struct reading {
	WORD kind;
	WORD unit;
	DWORD key; /* a handle fits into 32 bits, on x64 too */
	float value;
};

struct chunk {
	DWORD used;
	DWORD sent;
	struct reading reading[60];
};

struct upload { struct chunk *chunk; HANDLE acknowledged; };

static struct chunk *chunks[64];
static DWORD chunk_count;

static void UploadDone(void *p)
{
	struct upload *u = p;

	tallies[SENSOR].lost += u->chunk->used - u->chunk->sent;
	u->chunk->sent = u->chunk->used;
	rt_close(&tallies[UPLOAD], u->acknowledged);
	rt_free(u);
}

static void BeginUpload(struct chunk *c)
{
	struct upload *u = rt_alloc(sizeof *u);

	u->chunk = c;
	u->acknowledged = rt_opened(&tallies[UPLOAD], CreateEventW(NULL, TRUE, FALSE, NULL));
	rt_later(2 + rt_random(8), UploadDone, u);
}

static float ReadLimit(void)
{
	HKEY key;

	rt_must(RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Microsoft", 0, KEY_READ, &key) == 0, "ReadLimit");
	tallies[LIMIT].opened++;
	RegCloseKey(key);
	tallies[LIMIT].closed++;
	return 50.0f + rt_random(50);
}

static void TakeReading(void)
{
	struct chunk *c = chunk_count ? chunks[chunk_count - 1] : NULL;
	struct reading *r;
	HKEY key;

	if (rt_random(3)) {
		ReadLimit();
		return;
	}
	if (!c || c->used == ARRAYSIZE(c->reading))
		c = chunks[chunk_count++] = rt_alloc(sizeof *c);
	r = &c->reading[c->used++];
	r->kind = (WORD)(1 + rt_random(5));
	r->unit = (WORD)(1 + rt_random(3));
	rt_must(RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &key) == 0, "TakeReading");
	rt_opened(&tallies[SENSOR], key);
	r->key = (DWORD)(ULONG_PTR)key;
	r->value = ReadLimit() / 2;
	if (c->used == ARRAYSIZE(c->reading))
		BeginUpload(c);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 2, 0};
	int i;

	rt_start(&p);
	for (i = 0; i < 4; i++) {
		rt_load(180, 150, TakeReading);
		rt_dump();
	}
	return 0;
}
