/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options: one row each, with jemalloc's names and types. conf.c fills
 * them once, at boot, from the built-in defaults, the malloc_conf symbol,
 * /etc/malloc.conf (a symlink's target or a file's lines), MALLOC_CONF and
 * the malloc_conf_2_conf_harder symbol, the later winning. Read-only after
 * that; the values that can change at run time (prof.active and so on) live
 * with their owners.
 */
#ifndef LIBALLOC_CTL_OPTIONS_H
#define LIBALLOC_CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTION_PATH_BYTES 1024
#define OPTION_DUMPS_KEPT_MAX 256
#define OPTION_TCACHE_MAX_BYTES (8 << 20) /* as with jemalloc */
#define OPTION_TCACHE_MAX_SLOTS 8191	  /* the same */

enum zero_realloc { /* what realloc(ptr, 0) does */
		    ZERO_REALLOC_ALLOC,
		    ZERO_REALLOC_FREE,
		    ZERO_REALLOC_ABORT,
};

enum percpu_arena { /* by what threads choose their arena */
		    PERCPU_ARENA_DISABLED, /* by load, once */
		    PERCPU_ARENA_CPU,	   /* by the CPU that they run on now */
		    PERCPU_ARENA_PHYSICAL, /* the same, hyperthreads sharing one
					    */
};

enum thp {		/* huge pages, as the kernel is asked for them */
	   THP_DEFAULT, /* it is not asked */
	   THP_ALWAYS,
	   THP_NEVER,
	   THP_FILLED, /* for large objects that come to be filled: huge.h */
};

/* A number of bytes, or a part of what the control groups allow. */
struct option_amount {
	char text[24];	  /* as it was given; "": none */
	uint64_t bytes;	  /* 0: none, or a part */
	unsigned percent; /* 1 to 100; 0: bytes */
};

enum junk { /* what memory is filled with a pattern */
	    JUNK_NONE,
	    JUNK_BOTH,
	    JUNK_ALLOC, /* what is handed out: 0xa5 */
	    JUNK_FREE,	/* what is freed: 0x5a */
};

struct options {
	bool abort;
	bool abort_conf;
	bool confirm_conf;
	bool xmalloc;
	bool zero;
	unsigned junk; /* enum junk */
	/* Objects of a cache that a free compares with its own. */
	unsigned debug_double_free_max_scan;
	unsigned prof_guard;		  /* one of so many samples; 0: none */
	unsigned prof_guard_max;	  /* objects at once, freed ones too */
	bool experimental_infallible_new; /* operator new aborts, never throws
					   */
	bool stats_print;
	char stats_print_opts[16]; /* letters, each once */
	int64_t stats_interval;	   /* bytes allocated; -1: never */
	char stats_interval_opts[16];
	unsigned zero_realloc;	/* enum zero_realloc */
	int64_t mutex_max_spin; /* before sleeping; -1: no end */

	unsigned dss;		/* 0: disabled, which is all there is */
	unsigned percpu_arena;	/* enum percpu_arena */
	unsigned narenas;	/* automatic ones; default: 1 per 2 CPUs */
	ssize_t dirty_decay_ms; /* -1: never, 0: at once; default 10,000 */
	ssize_t muzzy_decay_ms;
	ssize_t memory_limit;	   /* bytes; -1: none, 0: the control groups' */
	char cgroup_root[256];	   /* put before the paths of control groups */
	ssize_t dirty_limit;	   /* bytes; -1: none, 0: automatic */
	size_t oversize_threshold; /* of new arenas: bytes; 0: none */
	unsigned thp;		   /* enum thp */
	bool background_thread;
	size_t max_background_threads;
	bool trust_madvise; /* that MADV_DONTNEED zeroes, untested */
	bool retain;	    /* keep address space rather than munmap */
	bool tcache;
	size_t tcache_max;		  /* largest size cached, bytes */
	unsigned tcache_nslots_small_min; /* least a bin may come to hold .. */
	unsigned tcache_nslots_small_max; /* .. and most, in objects */
	unsigned tcache_nslots_large;	  /* the same of whole pages */
	ssize_t lg_tcache_nslots_mul; /* bytes of a bin; 1: as we find fit */
	size_t tcache_gc_incr_bytes;  /* between trims; 0: as events come */
	size_t tcache_gc_delay_bytes; /* excess that is seen before one goes */
	unsigned lg_tcache_flush_small_div; /* share of a full bin to go */
	unsigned lg_tcache_flush_large_div;

	bool prof;
	bool prof_active;
	bool prof_thread_active_init;
	size_t lg_prof_sample; /* default 19: one per 512 KiB */
	bool prof_accum;
	char prof_prefix[OPTION_PATH_BYTES]; /* default "jeprof"; "": no file */
	bool prof_pid_namespace; /* its number is in the names of files */
	bool prof_final;
	struct option_amount prof_dump_above; /* dump from there on .. */
	struct option_amount prof_dump_step;  /* .. each so much more */
	bool prof_dump_tight;	      /* dump where memory becomes tight */
	size_t prof_dump_interval_ms; /* at least, between two of each */
	unsigned prof_dump_keep;      /* files of each kind that stay; 0: all */
	unsigned prof_signal;	      /* which of its row's words; 0: none */
	ssize_t lg_prof_interval;     /* -1: none */
	bool prof_gdump;
	bool prof_peak;	      /* the profile at the peak is kept */
	bool prof_peak_final; /* and dumped at exit */
	bool prof_leak;
	bool prof_leak_error;
	bool prof_stats;	       /* prof.stats.* may be read */
	bool prof_sys_thread_name;     /* threads have the system's names */
	bool prof_unbias;	       /* columns of dumps are corrected */
	unsigned prof_time_resolution; /* which of its row's words; told in
					  logs, and no more */
	bool prof_log;		       /* log frees of samples from the start */
	ssize_t prof_recent_alloc_max; /* allocations kept; -1: all there is
					  room for */
	bool prof_control;	       /* requests from outside are heeded */
	unsigned prof_bt_max;	       /* frames kept of a stack; default 128 */
	bool prof_frame_pointers;      /* hold throughout the program */
	size_t prof_seed; /* 0: unpredictable; else same samples each run */
	size_t prof_ledger_bytes; /* address space of the ledger; 64 MiB */
	bool ledger_export;	  /* a copy of the figures in a memfd */
};

/* The options in force. conf.c alone writes it. */
extern struct options opt;

/*
 * The texts that the options were taken from, as opt.malloc_conf.* tells
 * them; empty where there was none. Read-only after boot.
 */
struct option_sources {
	const char *global_var;	  /* the variable malloc_conf */
	const char *symlink;	  /* /etc/malloc.conf */
	const char *env_var;	  /* MALLOC_CONF */
	const char *global_var_2; /* the variable malloc_conf_2_conf_harder */
};

extern struct option_sources option_sources;

/*
 * The environment where libc has not set environ yet, as the constructor of a
 * library that comes before all others is given it; NULL: none is known.
 */
extern char **conf_environment;

/*
 * Reads all sources into opt, once, before the first allocation is served;
 * allocates nothing, calls nothing that might. Reports each unknown or
 * malformed pair on stderr and goes on; with abort_conf it ends the process.
 * After it, opt.narenas is the number in force, never 0.
 */
void conf_boot(void);
/* How many arenas it takes to have one for each CPU, or each core. */
unsigned conf_cpu_arenas(unsigned percpu_arena);

#endif
