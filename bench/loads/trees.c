/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that build binary trees, end, and leave some behind: the last tree
 * of each thread stays, until a thread that starts much later frees it. So an
 * allocator must reuse what ended threads held, on other threads.
 */
#include "bench/loads/load.h"

#include <stdlib.h>

enum {
	DEPTH = 9,
	NODES = (1 << (DEPTH + 1)) - 1,
	TREES = 8,     /* that one thread builds */
	LEFT_MAX = 48, /* trees waiting for a later thread */
};

struct node {
	struct node *left, *right;
	char *name;
};

struct worker {
	uint64_t random;
	struct node *inherited;
	struct node *left_behind;
} LOAD_OWN_LINES;

static struct node *build(uint64_t *random, unsigned depth)
{
	struct node *node = must(malloc(sizeof(*node)));

	node->name = object_new(1 + next_random(random) % 40);
	node->left = depth ? build(random, depth - 1) : NULL;
	node->right = depth ? build(random, depth - 1) : NULL;
	return node;
}

static void tear_down(struct node *node)
{
	if (!node)
		return;
	tear_down(node->left);
	tear_down(node->right);
	free(node->name);
	free(node);
}

static void *grow_trees(void *argument)
{
	struct worker *worker = argument;

	tear_down(worker->inherited);
	for (unsigned i = 1; i < TREES; i++)
		tear_down(build(&worker->random, DEPTH));
	worker->left_behind = build(&worker->random, DEPTH);
	return NULL;
}

static void run(uint64_t operations, unsigned threads)
{
	struct worker workers[LOAD_THREADS];
	struct node *waiting[LEFT_MAX] = {NULL};
	uint64_t rounds = operations / (2ull * NODES * TREES * threads) + 1;
	unsigned next = 0;

	for (uint64_t round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < threads; i++) {
			workers[i].random = random_seed((unsigned)round + i);
			workers[i].inherited = waiting[(next + i) % LEFT_MAX];
		}
		workers_run(grow_trees, workers, sizeof(workers[0]), threads);
		for (unsigned i = 0; i < threads; i++)
			waiting[(next + i) % LEFT_MAX] = workers[i].left_behind;
		next = (next + threads) % LEFT_MAX;
	}
}

const struct load trees_load = {"trees",
				"threads that end and leave trees behind", run};
