/* witness.dll: records handle operations and writes dumps, with the truth beside them. No part of a program under test. */
#ifndef WITNESS_H
#define WITNESS_H

#include <windows.h>

#ifdef WITNESS_BUILD
#define WITNESS_API __declspec(dllexport)
#else
#define WITNESS_API __declspec(dllimport)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* One way in which a program treats handles, as it counts it itself. */
struct tally {
	const char *type;    /* of the object, as the handle stream spells it */
	const char *opener;  /* the function that opens */
	const char *holder;  /* what holds the handles while they are open */
	DWORD opened;
	DWORD closed;
	DWORD lost;          /* of those open, the ones that nobody will ever close */
};

struct witness_thread {
	DWORD id;
	HANDLE thread;
	const WCHAR *name;
};

struct witness_order {
	const struct tally *tallies;
	DWORD tally_count;
	const struct witness_thread *threads;
	DWORD thread_count;
	HANDLE heap;       /* the program's own, of fixed size */
};

/* The time the dumps show: 100 ns since 1601. It stands still until it is set again. */
WITNESS_API void witness_time(ULONG64 now);

/* witness_begin notes which handles there are before the program opens its own, and records from then on. */
WITNESS_API BOOL witness_begin(void);

/*
 * witness_dump writes N.dmp, counting from 1, and adds to counts.tsv a line for
 * each tally. It fails when the system's table of handles has more or fewer of
 * a type than the tallies make it.
 */
WITNESS_API BOOL witness_dump(const struct witness_order *order);

#ifdef __cplusplus
}
#endif

#endif
