/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the clock in the kernel's image (vdso(7)) by its dynamic symbols. Owns
 * the address; trusts the image as libc does, and never reads a file.
 */
#include "config.h"

#include "liballoc/heap/vdso.h"

#include <errno.h>

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#if defined(__x86_64__) && defined(__LP64__)
# define CLOCK_NAME "__vdso_clock_gettime"
#elif defined(__aarch64__) && defined(__LP64__)
# define CLOCK_NAME "__kernel_clock_gettime"
#else
# define CLOCK_NAME ""
#endif

typedef int vdso_clock_gettime(clockid_t id, struct timespec *now);

static vdso_clock_gettime *kernel_clock;

struct image {
	uintptr_t base; /* of the header */
	uintptr_t load_bias;
	const ElfW(Dyn) * dynamic;
};

static void read_segments(struct image *image)
{
	const ElfW(Ehdr) *header = (const void *)image->base;
	const ElfW(Phdr) *segment =
		(const void *)(image->base + header->e_phoff);

	for (unsigned i = 0; i < header->e_phnum; i++, segment++) {
		if (segment->p_type == PT_LOAD && !image->load_bias)
			image->load_bias = image->base + segment->p_offset -
					   segment->p_vaddr;
		if (segment->p_type == PT_DYNAMIC)
			image->dynamic =
				(const void *)(image->base + segment->p_offset);
	}
}

static const void *table_of(const struct image *image, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *row = image->dynamic; row->d_tag; row++)
		if (row->d_tag == tag)
			return (const void *)(image->load_bias +
					      row->d_un.d_ptr);
	return NULL;
}

/* Linkers put the names right behind the symbols: so many these are. */
static const ElfW(Sym) *
	find_symbol(const struct image *image, const char *name)
{
	const ElfW(Sym) *symbol = table_of(image, DT_SYMTAB);
	const char *names = table_of(image, DT_STRTAB);

	if (!symbol || !names)
		return NULL;
	for (; (const char *)(symbol + 1) <= names; symbol++)
		if (symbol->st_shndx != SHN_UNDEF &&
		    strcmp(names + symbol->st_name, name) == 0)
			return symbol;
	return NULL;
}

__attribute__((cold)) bool vdso_boot(void)
{
	struct image image = {.base = getauxval(AT_SYSINFO_EHDR)};
	const ElfW(Sym) *clock = NULL;

	if (image.base)
		read_segments(&image);
	if (image.dynamic)
		clock = find_symbol(&image, CLOCK_NAME);
	if (clock)
		kernel_clock = (vdso_clock_gettime *)(image.load_bias +
						      clock->st_value);
	return clock != NULL;
}

/* A sandbox may refuse the system call. */
static __attribute__((cold)) void ask_kernel(clockid_t id, struct timespec *now)
{
	int kept_errno = errno;

	(void)clock_gettime(id, now);
	errno = kept_errno;
}

void vdso_clock(clockid_t id, struct timespec *now)
{
	if (!kernel_clock || kernel_clock(id, now))
		ask_kernel(id, now);
}
