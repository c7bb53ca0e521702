/* Handles that a server holds for as long as it lives: one of each kind that a reader should know. */
#ifndef HELD_H
#define HELD_H

#include <windows.h>

struct held {
	HANDLE stop;   /* inheritable */
	HANDLE lock;   /* owned by the main thread */
	HANDLE orphan; /* abandoned */
	HANDLE exited; /* of a thread that is gone */
	HANDLE pool;   /* protected from being closed */
	HANDLE cache, token, process, port, timer, job, config;
};

extern struct held held;

BOOL held_open(void);

#endif
