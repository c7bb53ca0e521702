/*
 * relabel: every shard has a named event. At each change of epoch the events of
 * the new epoch are opened and those of the old one closed, and the number of
 * shards stays. Healthy.
 */
#include "rt.h"
#include <stdio.h>

enum { SHARD, PUT };

static struct tally tallies[] = {
	[SHARD] = {"Event", "OpenShard", "global array of struct shard", 0, 0, 0},
	[PUT]   = {"Mutant", "Put", "struct put", 0, 0, 0},
};

enum { SHARDS = 140 };

struct shard { DWORD epoch; DWORD records; HANDLE changed; };
struct put { struct shard *shard; HANDLE lock; };

static struct shard shards[SHARDS];

static HANDLE OpenShard(DWORD epoch, DWORD shard)
{
	WCHAR name[64];

	_snwprintf(name, ARRAYSIZE(name), L"Local\\epoch-%04u-shard-%03u", epoch, shard);
	return rt_opened(&tallies[SHARD], CreateEventW(NULL, TRUE, FALSE, name));
}

static void NextEpoch(void *p)
{
	DWORD i;

	(void)p;
	for (i = 0; i < SHARDS; i++) {
		HANDLE old = shards[i].changed;

		shards[i].changed = OpenShard(++shards[i].epoch, i);
		shards[i].records = 0;
		if (old)
			rt_close(&tallies[SHARD], old);
	}
	rt_later(50 + rt_random(20), NextEpoch, NULL);
}

static void PutDone(void *p)
{
	struct put *put = p;

	rt_close(&tallies[PUT], put->lock);
	rt_free(put);
}

static void Put(void)
{
	struct put *put = rt_alloc(sizeof *put);

	put->shard = &shards[rt_random(SHARDS)];
	put->shard->records++;
	put->lock = rt_opened(&tallies[PUT], CreateMutexW(NULL, FALSE, NULL));
	rt_later(1 + rt_random(15), PutDone, put);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 10};
	int i;

	rt_start(&p);
	rt_run(NextEpoch, NULL);
	for (i = 0; i < 4; i++) {
		rt_load(100, 240, Put);
		rt_dump();
	}
	return 0;
}
