/*
 * plugins: a list of nodes of two kinds, each with a table of functions. When
 * a script stops, its node goes; when a filter stops, its node is only marked.
 */
#include "rt.h"

enum { FILTER, SCRIPT, CONFIG };

static struct tally tallies[] = {
	[FILTER] = {"Mutant", "FilterStart", "struct node, filter_ops", 0, 0, 0},
	[SCRIPT] = {"Event", "ScriptStart", "struct node, script_ops", 0, 0, 0},
	[CONFIG] = {"Key", "ReadConfig", "local variable", 0, 0, 0},
};

struct node;

struct ops {
	void (*start)(struct node *n);
	void (*stop)(struct node *n);
};

struct node {
	const struct ops *ops;
	struct node *next;
	HANDLE object;
	DWORD stopped;
	char name[20];
};

static struct node *nodes;

static void FilterStart(struct node *n)
{
	n->object = rt_opened(&tallies[FILTER], CreateMutexW(NULL, FALSE, NULL));
	lstrcpyA(n->name, "filter");
}

static void FilterStop(struct node *n)
{
	n->stopped = rt_minute();
	tallies[FILTER].lost++;
}

static void ScriptStart(struct node *n)
{
	n->object = rt_opened(&tallies[SCRIPT], CreateEventW(NULL, FALSE, FALSE, NULL));
	lstrcpyA(n->name, "script");
}

static void ScriptStop(struct node *n)
{
	struct node **at = &nodes;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	rt_close(&tallies[SCRIPT], n->object);
	rt_free(n);
}

static const struct ops filter_ops = {FilterStart, FilterStop};
static const struct ops script_ops = {ScriptStart, ScriptStop};

static void ReadConfig(void)
{
	HKEY key;

	rt_must(RegOpenKeyExW(HKEY_CURRENT_USER, L"Software", 0, KEY_READ, &key) == 0, "ReadConfig");
	tallies[CONFIG].opened++;
	RegCloseKey(key);
	tallies[CONFIG].closed++;
}

static void StopPlugin(void *p)
{
	struct node *n = p;

	n->ops->stop(n);
}

static void StartPlugin(void)
{
	struct node *n = rt_alloc(sizeof *n);

	ReadConfig();
	n->ops = rt_random(4) ? &script_ops : &filter_ops;
	n->next = nodes;
	nodes = n;
	n->ops->start(n);
	rt_later(5 + rt_random(50), StopPlugin, n);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 11};
	int i;

	rt_start(&p);
	for (i = 0; i < 4; i++) {
		rt_load(60 + 30 * i, 200, StartPlugin);
		rt_dump();
	}
	return 0;
}
