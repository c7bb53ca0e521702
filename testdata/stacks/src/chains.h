/* What the witness and the libraries of chains share. No header of a compiler is
 * used: the libraries are built by compilers that have none for Windows. */
#define KEEP __attribute__((noinline))
#define ARRAY(a) (int)(sizeof(a) / sizeof *(a))
typedef __SIZE_TYPE__ word;

/* A chain is what one thread does: it goes through functions and waits in the last. */
struct chain {
	const char *name;
	int (*run)(int n); /* n is what is not known at compile time: 3 */
};

/* What a library exports: chains, the last without a name. A wait takes so many
 * milliseconds; the first time they are few, and the thread goes on. */
typedef const struct chain *chains_function(volatile unsigned *milliseconds);
