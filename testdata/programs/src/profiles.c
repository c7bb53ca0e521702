/*
 * profiles: one helper opens keys for two callers. ReadProfile closes what it
 * gets, RefreshCache does not.
 */
#include "rt.h"

enum { LOAD, REFRESH, VISIT };

static struct tally tallies[] = {
	[LOAD]    = {"Key", "OpenSetting ReadProfile", "local variable", 0, 0, 0},
	[REFRESH] = {"Key", "OpenSetting RefreshCache", "nobody", 0, 0, 0},
	[VISIT]   = {"Mutant", "BeginVisit", "struct visit", 0, 0, 0},
};

struct visit { HANDLE lock; DWORD user; DWORD settings[6]; };

static HKEY OpenSetting(const WCHAR *name)
{
	HKEY key;

	rt_must(RegOpenKeyExW(HKEY_LOCAL_MACHINE, name, 0, KEY_READ, &key) == 0, "OpenSetting");
	return key;
}

static DWORD ReadSetting(HKEY key)
{
	DWORD subkeys = 0;

	RegQueryInfoKeyW(key, NULL, NULL, NULL, &subkeys, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	return subkeys;
}

static void ReadProfile(struct visit *v)
{
	SIZE_T i;

	for (i = 0; i < ARRAYSIZE(v->settings); i++) {
		HKEY key = OpenSetting(L"Software\\Classes");

		tallies[LOAD].opened++;
		v->settings[i] = ReadSetting(key);
		RegCloseKey(key);
		tallies[LOAD].closed++;
	}
}

static void RefreshCache(struct visit *v)
{
	HKEY key = OpenSetting(L"Software\\Classes");

	tallies[REFRESH].opened++;
	tallies[REFRESH].lost++;
	v->settings[0] = ReadSetting(key);
}

static void EndVisit(void *p)
{
	struct visit *v = p;

	rt_close(&tallies[VISIT], v->lock);
	rt_free(v);
}

static void BeginVisit(void)
{
	struct visit *v = rt_alloc(sizeof *v);

	v->user = rt_random(1000);
	v->lock = rt_opened(&tallies[VISIT], CreateMutexW(NULL, FALSE, NULL));
	ReadProfile(v);
	if (rt_random(3) == 0)
		RefreshCache(v);
	rt_later(2 + rt_random(25), EndVisit, v);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 12};
	int i;

	rt_start(&p);
	for (i = 0; i < 3; i++) {
		rt_load(100, 240, BeginVisit);
		rt_dump();
	}
	return 0;
}
