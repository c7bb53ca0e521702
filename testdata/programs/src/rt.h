/*
 * What the programs share: worker threads, a clock that runs only when told to,
 * chance that is the same in every run, and "dump now".
 */
#ifndef RT_H
#define RT_H

#include "witness.h"

#ifdef __cplusplus
extern "C" {
#endif

struct program {
	struct tally *tallies;
	DWORD tally_count;
	DWORD workers; /* 1 to 8 */
	WORD hour;     /* when the process starts, on a Monday */
};

/* rt_start comes first in main. */
void rt_start(const struct program *p);

/*
 * Lets so many minutes pass. In each of them what is due runs, then work, rate
 * times an hour more or less, each time on one of the workers; the caller waits.
 */
void rt_load(DWORD minutes, DWORD rate, void (*work)(void));

/* Runs f(arg) on a worker in so many minutes. */
void rt_later(DWORD minutes, void (*f)(void *), void *arg);

/* Runs f(arg) on a worker now, from main. */
void rt_run(void (*f)(void *), void *arg);

void rt_dump(void);

DWORD rt_random(DWORD below);
DWORD rt_minute(void); /* since the start */

/* Memory of the program's heap, zeroed. Without memory the program ends. */
void *rt_alloc(SIZE_T size);
void rt_free(void *p);

/* Ends the program when ok is false. */
void rt_must(BOOL ok, const char *what);

/* Counts the opening and hands the handle on; ends the program when there is none. */
HANDLE rt_opened(struct tally *t, HANDLE h);
void rt_close(struct tally *t, HANDLE h);

#ifdef __cplusplus
}
#endif

#endif
