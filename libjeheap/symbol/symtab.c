/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass over a symbol table: each function asks which addresses it covers.
 */
#include "config.h"

#include "libjeheap/symbol/symtab.h"

#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "libjeheap/symbol/symbol.h"

/* The best symbol so far of each query. */
struct candidate {
	uint64_t start, size;
	const char *name; /* NULL: none */
	int rank;
};

/* The last symbol of any kind that begins at or before a query. */
struct beginning {
	uint64_t start;
	const char *name; /* of a function without size; else NULL */
	uint32_t section;
	bool known;
};

struct matcher {
	struct queries *queries;
	struct candidate *best; /* one a query */
	struct beginning *last; /* one a query; NULL: not wanted */
};

/* Of aliases, the global name is the one that people know. */
static int symbol_rank(const GElf_Sym *symbol, const char *name)
{
	int rank = 0;

	if (GELF_ST_BIND(symbol->st_info) == STB_GLOBAL)
		rank += 4;
	else if (GELF_ST_BIND(symbol->st_info) == STB_WEAK)
		rank += 2;
	return rank + (name[0] != '_' || name[1] == 'Z' || name[1] == 'R');
}

/* Aliases: the tightest wins, then the rank, then the name's order. */
static bool better(const struct candidate *a, const struct candidate *b)
{
	if (!b->name)
		return true;
	if (a->start != b->start)
		return a->start > b->start;
	if (a->size != b->size)
		return a->size < b->size;
	if (a->rank != b->rank)
		return a->rank > b->rank;
	return strcmp(a->name, b->name) < 0;
}

static bool is_function(const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC) &&
	       symbol->st_shndx != SHN_UNDEF && symbol->st_size > 0 &&
	       symbol->st_value + symbol->st_size > symbol->st_value;
}

static void match(struct matcher *m, const GElf_Sym *symbol, const char *name)
{
	struct candidate c = {symbol->st_value, symbol->st_size, name,
			      symbol_rank(symbol, name)};
	size_t i = queries_from(m->queries, c.start);

	for (; i < m->queries->count &&
	       m->queries->items[i].address - c.start < c.size;
	     i++)
		if (!m->queries->items[i].innermost && better(&c, &m->best[i]))
			m->best[i] = c;
}

/* "memcpy@@GLIBC_2.14" is memcpy: binutils puts versions into .symtab. */
static struct str without_version(const char *name)
{
	const char *at = name[0] ? strchr(name + 1, '@') : NULL;

	return (struct str){name, at ? (size_t)(at - name) : strlen(name)};
}

/* Gives each query its candidate's name, one function_name a symbol. */
static void finish(struct matcher *m)
{
	struct arena *arena = m->queries->arena;
	const struct candidate *last = NULL;
	struct function_name *function = NULL;

	for (size_t i = 0; i < m->queries->count; i++) {
		struct query *q = &m->queries->items[i];
		const struct candidate *c = &m->best[i];

		if (!c->name || q->innermost)
			continue;
		if (!last || last->name != c->name) {
			struct str name = without_version(c->name);

			function = ARENA_NEW(arena, struct function_name);
			function->system_name = str_copy(arena, name);
			function->name = demangle(arena, function->system_name);
			last = c;
		}
		q->innermost = ARENA_NEW(arena, struct frame);
		q->innermost->function = function;
	}
}

static struct matcher matcher_new(struct queries *queries)
{
	return (struct matcher){.queries = queries,
				.best = ARENA_ARRAY(queries->arena,
						    queries->count,
						    struct candidate)};
}

/*
 * Functions written in assembly may say that they are functions and not how
 * long. By the assembler's convention they end where anything else begins, or
 * their section ends, so all symbols are asked where they begin.
 */
static void note_beginning(struct matcher *m, const GElf_Sym *symbol,
			   const char *name)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	bool sizeless = type == STT_FUNC && symbol->st_size == 0;
	size_t i = queries_from(m->queries, symbol->st_value);
	struct beginning *last;

	if (symbol->st_shndx == SHN_UNDEF ||
	    symbol->st_shndx >= SHN_LORESERVE || type > STT_FUNC ||
	    i == m->queries->count)
		return;
	last = &m->last[i];
	if (last->known && (last->start > symbol->st_value ||
			    (last->start == symbol->st_value && !sizeless)))
		return;
	*last = (struct beginning){symbol->st_value, sizeless ? name : NULL,
				   symbol->st_shndx, true};
}

static bool is_code_of(const struct image *image, uint32_t section,
		       uint64_t address)
{
	GElf_Shdr header;

	return gelf_getshdr(elf_getscn(image->elf, section), &header) &&
	       header.sh_flags & SHF_EXECINSTR &&
	       address - header.sh_addr < header.sh_size;
}

static void match_sizeless(struct matcher *m, const struct image *image)
{
	for (size_t i = 0; i < m->queries->count; i++) {
		struct beginning *last = &m->last[i];

		/* What began before an earlier query began before this one. */
		if (i && !last->known)
			*last = last[-1];
		if (last->name && !m->best[i].name &&
		    is_code_of(image, last->section,
			       m->queries->items[i].address))
			m->best[i].name = last->name;
	}
}

bool symtab_resolve(const struct image *image, uint32_t type,
		    struct queries *queries)
{
	struct matcher m;
	GElf_Shdr header;
	Elf_Scn *section = image_section(image, NULL, type, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	size_t count;

	if (!data || !header.sh_entsize)
		return false;
	m = matcher_new(queries);
	if (type == SHT_SYMTAB)
		m.last = ARENA_ARRAY(queries->arena, queries->count,
				     struct beginning);
	count = data->d_size / header.sh_entsize;
	for (size_t i = 0; i < count && i <= INT32_MAX; i++) {
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol))
			break;
		if (!m.last && !is_function(&symbol))
			continue;
		name = elf_strptr(image->elf, header.sh_link, symbol.st_name);
		if (!name || !*name)
			continue;
		if (m.last)
			note_beginning(&m, &symbol, name);
		if (is_function(&symbol))
			match(&m, &symbol, name);
	}
	if (m.last)
		match_sizeless(&m, image);
	finish(&m);
	return count > 1;
}

/* libdwfl, which unpacks .gnu_debugdata, is given nothing else to find. */
static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name,
			     Dwarf_Addr base, const char *file,
			     const char *link, GElf_Word crc, char **path)
{
	(void)module, (void)data, (void)name, (void)base;
	(void)file, (void)link, (void)crc, (void)path;
	return -1;
}

static const Dwfl_Callbacks no_files = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = find_no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static void match_module(struct matcher *m, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);

	for (int i = 1; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		const char *name = dwfl_module_getsym_info(
			module, i, &symbol, &address, NULL, NULL, NULL);

		if (name && *name && is_function(&symbol))
			match(m, &symbol, name);
	}
	finish(m);
}

bool minidebug_resolve(const struct image *image, struct queries *queries)
{
	struct matcher m;
	Dwfl_Module *module;
	GElf_Shdr header;
	bool found;
	Dwfl *dwfl;
	int fd;

	if (image->fd < 0 ||
	    !image_section(image, ".gnu_debugdata", 0, &header))
		return false;
	dwfl = dwfl_begin(&no_files);
	if (!dwfl)
		return false;
	fd = dup(image->fd);
	m = matcher_new(queries);
	module = dwfl_report_elf(dwfl, "image", image->path.ptr, fd, 0, true);
	if (!module && fd >= 0)
		close(fd);
	found = module && dwfl_module_getsymtab(module) > 1;
	if (found)
		match_module(&m, module);
	dwfl_end(dwfl);
	return found;
}
