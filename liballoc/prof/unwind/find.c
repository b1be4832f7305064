/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the object by _dl_find_object, which takes no lock, and the entry by
 * binary search in .eh_frame_hdr (LSB Core 10.6.2), or, in a static program
 * that has none, by going through .eh_frame. Reads only the segment that holds
 * them.
 */
#include "config.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "liballoc/prof/unwind/find.h"

/* An object with unwind tables: its code, and where the tables are. */
struct object {
	const uint8_t *low, *high; /* readable round the header */
	const uint8_t *header;	   /* .eh_frame_hdr */
	const void *map;	   /* the dynamic linker's, or NULL */
};

/* Narrows [low, high) to the segment that holds the header. */
static void narrow_to_segment(struct object *object)
{
	const ElfW(Ehdr) *file = (const void *)object->low;
	const uint8_t *base = object->low;
	const ElfW(Phdr) * segments;
	ElfW(Addr) first = 0;

	if (object->high - object->low < (ptrdiff_t)sizeof(*file) ||
	    memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 ||
	    file->e_phentsize != sizeof(*segments) ||
	    file->e_phoff + file->e_phnum * sizeof(*segments) > 4096)
		return;
	segments = (const void *)(base + file->e_phoff);
	for (unsigned i = file->e_phnum; i-- > 0;)
		if (segments[i].p_type == PT_LOAD)
			first = segments[i].p_vaddr & -segments[i].p_align;
	for (unsigned i = 0; i < file->e_phnum; i++) {
		const uint8_t *at = base + (segments[i].p_vaddr - first);

		if (segments[i].p_type != PT_LOAD || object->header < at ||
		    object->header >= at + segments[i].p_filesz)
			continue;
		object->low = at;
		object->high = at + segments[i].p_filesz;
		return;
	}
}

/* Is pc in one of the segments, which lie bias above their addresses? */
static bool is_in(const ElfW(Phdr) * segments, unsigned count, uint64_t bias,
		  uint64_t pc, struct object *object)
{
	bool found = false;

	*object = (struct object){NULL, NULL, NULL, NULL};
	for (unsigned i = 0; i < count; i++) {
		const ElfW(Phdr) *p = &segments[i];
		const uint8_t *at =
			(const uint8_t *)(uintptr_t)(bias + p->p_vaddr);

		if (p->p_type == PT_GNU_EH_FRAME)
			object->header = at;
		if (p->p_type != PT_LOAD)
			continue;
		if (!object->low)
			object->low = at;
		object->high = at + p->p_memsz;
		found = found || pc - (uintptr_t)at < p->p_memsz;
	}
	return found;
}

/* The program's segments, or none, and what lies between them and memory. */
static const ElfW(Phdr) * program(unsigned *count, uint64_t *bias)
{
	const ElfW(Phdr) *segments = (const void *)getauxval(AT_PHDR);

	*count = segments ? (unsigned)getauxval(AT_PHNUM) : 0;
	*bias = 0;
	/* The headers lie in the first page of the first segment. */
	for (unsigned i = *count; i-- > 0;)
		if (segments[i].p_type == PT_LOAD)
			*bias = ((uintptr_t)segments & ~UINT64_C(4095)) -
				(segments[i].p_vaddr & ~UINT64_C(4095));
	return segments;
}

static bool is_in_program(uint64_t pc, struct object *object)
{
	unsigned count;
	uint64_t bias;
	const ElfW(Phdr) *segments = program(&count, &bias);

	return is_in(segments, count, bias, pc, object);
}

#if defined(HAVE__DL_FIND_OBJECT)
/* A shared library is never part of one, and need not ask for each frame. */
# if defined(PIC)
static bool is_static(void)
{
	return false;
}
# else
static bool is_static(void)
{
	const ElfW(Phdr) *segments = (const void *)getauxval(AT_PHDR);
	unsigned count = (unsigned)getauxval(AT_PHNUM);

	for (unsigned i = 0; segments && i < count; i++)
		if (segments[i].p_type == PT_INTERP)
			return false;
	return true;
}
# endif

static bool lies_in(const struct dl_find_object *found, const void *address)
{
	return address >= found->dlfo_map_start &&
	       address < found->dlfo_map_end;
}

static bool find_object(uint64_t pc, struct object *object)
{
	struct dl_find_object found;

	/*
	 * In static programs _dl_find_object does not know where those lie,
	 * and crashes on what lies elsewhere (glibc 2.36).
	 */
	if (is_static())
		return is_in_program(pc, object);
	if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0 ||
	    !found.dlfo_map_start)
		return false;
	object->header = found.dlfo_eh_frame;
	object->map = found.dlfo_link_map;
	/* Of a program with gaps between its segments it knows the pieces. */
	if (object->header && !lies_in(&found, object->header) &&
	    (_dl_find_object((void *)(uintptr_t)object->header, &found) != 0 ||
	     !lies_in(&found, object->header)))
		return false;
	object->low = found.dlfo_map_start;
	object->high = found.dlfo_map_end;
	return true;
}
#else
static bool is_in_image(uint64_t base, uint64_t pc, struct object *object)
{
	const ElfW(Ehdr) *file = (const void *)(uintptr_t)base;

	return base && memcmp(file->e_ident, ELFMAG, SELFMAG) == 0 &&
	       is_in((const void *)(uintptr_t)(base + file->e_phoff),
		     file->e_phnum, base, pc, object);
}

/*
 * Without _dl_find_object: the program by its auxiliary vector, the rest by
 * the debugger's list of link maps, which is whole while its state says so.
 */
static bool find_object(uint64_t pc, struct object *object)
{
	const struct link_map *map;

	if (is_in_program(pc, object) ||
	    is_in_image(getauxval(AT_SYSINFO_EHDR), pc, object))
		return true;
	if (_r_debug.r_state != RT_CONSISTENT)
		return false;
	for (map = _r_debug.r_map; map; map = map->l_next) {
		if (!is_in_image(map->l_addr, pc, object))
			continue;
		object->map = map;
		return true;
	}
	return false;
}
#endif

static struct reader reader_at(uint64_t address, const uint8_t *low,
			       const uint8_t *high)
{
	struct reader reader = {(const uint8_t *)(uintptr_t)address, high,
				false};

	if (reader.at < low || reader.at >= high)
		reader.bad = true;
	return reader;
}

/* Reads an entry's length and cuts the reader to the entry. */
static bool enter_entry(struct reader *reader, unsigned *id_bytes)
{
	uint64_t length = read_unsigned(reader, 4);

	*id_bytes = 4;
	if (length == UINT32_MAX) {
		length = read_unsigned(reader, 8);
		*id_bytes = 8;
	}
	if (reader->bad || length == 0 ||
	    length > (uint64_t)(reader->end - reader->at))
		return false;
	reader->end = reader->at + length;
	return true;
}

static bool read_augmentation(struct reader *reader, const char *letters,
			      struct fde *fde)
{
	const uint8_t *end;
	uint64_t bytes;

	if (letters[0] == 0)
		return true;
	/* Without 'z' nobody can know what follows. */
	if (letters[0] != 'z')
		return false;
	fde->augmented = 1;
	bytes = read_uleb(reader);
	if (reader->bad || bytes > (uint64_t)(reader->end - reader->at))
		return false;
	end = reader->at + bytes;
	while (*++letters) {
		if (*letters == 'R')
			fde->encoding = read_byte(reader);
		else if (*letters == 'L')
			read_skip(reader, 1);
		else if (*letters == 'P')
			read_pointer(reader, read_byte(reader), 0);
		else if (*letters == 'S')
			fde->signal_frame = true;
		else if (*letters != 'B' && *letters != 'G')
			break;
	}
	reader->at = end;
	return !reader->bad;
}

static bool read_cie(struct reader reader, struct fde *fde)
{
	const char *letters;
	unsigned id_bytes;
	uint8_t version;

	if (!enter_entry(&reader, &id_bytes) ||
	    read_unsigned(&reader, id_bytes) != 0)
		return false;
	version = read_byte(&reader);
	if (version != 1 && version != 3 && version != 4)
		return false;
	letters = (const char *)reader.at;
	while (read_byte(&reader) != 0)
		;
	if (reader.bad)
		return false;
	if (version == 4)
		read_skip(&reader, 2);
	fde->code_align = read_uleb(&reader);
	fde->data_align = read_sleb(&reader);
	fde->return_column =
		version == 1 ? read_byte(&reader) : read_uleb(&reader);
	if (!read_augmentation(&reader, letters, fde))
		return false;
	fde->initial = reader;
	return !reader.bad;
}

/*
 * Fills in fde from the CIE there, unless it has been from *cie already; that
 * is 0 where it has been from none, which no entry has as its CIE's place.
 */
static bool take_cie(uint64_t place, const uint8_t *low, const uint8_t *high,
		     uint64_t *cie, struct fde *fde)
{
	if (*cie && place == *cie)
		return true;
	*cie = 0;
	memset(fde, 0, sizeof(*fde));
	if (!read_cie(reader_at(place, low, high), fde))
		return false;
	*cie = place;
	return true;
}

/* Reads the FDE there; false where it is a CIE, the end, or garbled. */
static bool read_fde(struct reader reader, const uint8_t *low,
		     const uint8_t *high, uint64_t data_base, uint64_t *cie,
		     struct fde *fde)
{
	uint64_t place, back, bytes;
	unsigned id_bytes;

	if (!enter_entry(&reader, &id_bytes))
		return false;
	place = (uintptr_t)reader.at;
	back = read_unsigned(&reader, id_bytes);
	if (reader.bad || back == 0 ||
	    !take_cie(place - back, low, high, cie, fde))
		return false;
	fde->pc_begin = read_pointer(&reader, fde->encoding, data_base);
	bytes = read_pointer(&reader, fde->encoding & 0x0f, 0);
	fde->pc_end = fde->pc_begin + bytes;
	if (fde->augmented)
		read_skip(&reader, read_uleb(&reader));
	fde->instructions = reader;
	return !reader.bad;
}

/* The last table row whose code begins at or before pc; rows of two int32. */
static uint64_t search(const uint8_t *table, uint64_t rows, uint64_t base,
		       uint64_t pc)
{
	uint64_t low = 0, high = rows;
	int32_t row[2];

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		memcpy(row, table + middle * sizeof(row), sizeof(row));
		if (base + (uint64_t)(int64_t)row[0] <= pc)
			low = middle;
		else
			high = middle;
	}
	memcpy(row, table + low * sizeof(row), sizeof(row));
	return base + (uint64_t)(int64_t)row[1];
}

/* Without a table: from entry to entry; where it stands. NULL: nowhere. */
static const uint8_t *scan(uint64_t pc, struct reader reader,
			   const uint8_t *low, uint64_t data_base,
			   struct fde *fde)
{
	const uint8_t *high = reader.end;
	uint64_t cie = 0;
	unsigned id_bytes;

	while (!reader.bad) {
		struct reader entry = reader;

		if (!enter_entry(&entry, &id_bytes))
			return NULL;
		if (read_fde(reader, low, high, data_base, &cie, fde) &&
		    pc >= fde->pc_begin && pc < fde->pc_end)
			return reader.at;
		reader.at = entry.end;
	}
	return NULL;
}

bool find_fde_in(uint64_t pc, const uint8_t *header, const uint8_t *low,
		 const uint8_t *high, struct fde *fde)
{
	struct reader reader = reader_at((uintptr_t)header, low, high);
	uint64_t base = (uintptr_t)header, frames, rows, entry, cie = 0;
	uint8_t encodings[4];

	for (unsigned i = 0; i < 4; i++)
		encodings[i] = read_byte(&reader);
	frames = read_pointer(&reader, encodings[1], base);
	rows = read_pointer(&reader, encodings[2], base);
	if (reader.bad || encodings[0] != 1)
		return false;
	if (encodings[3] != (ENCODING_DATA_RELATIVE | ENCODING_S4) || rows == 0)
		return scan(pc, reader_at(frames, low, high), low, base, fde) !=
		       NULL;
	if (rows > (uint64_t)(reader.end - reader.at) / 8)
		return false;
	entry = search(reader.at, rows, base, pc);
	return read_fde(reader_at(entry, low, high), low, high, base, &cie,
			fde) &&
	       pc >= fde->pc_begin && pc < fde->pc_end;
}

#if defined(PIC)
static bool find_fde_without_header(uint64_t pc, struct fde *fde)
{
	(void)pc, (void)fde;
	return false;
}
#else
/*
 * Where .eh_frame begins in a segment of this program: a run of entries that
 * leads to this very code's. It is aligned to 4 bytes at least.
 */
static const uint8_t *find_frames(const uint8_t *low, const uint8_t *high)
{
	const uint8_t *at = low + (-(uintptr_t)low & 3);
	struct fde fde;

	for (; high - at >= 16; at += 4) {
		struct reader reader = {at, high, false};

		if (read_cie(reader, &fde) &&
		    scan((uintptr_t)find_fde, reader, low, 0, &fde))
			return at;
	}
	return NULL;
}

/* The program's .eh_frame, and the segment that holds it. */
static bool find_program_frames(struct object *object)
{
	static const uint8_t *frames;
	static bool missing;
	unsigned count;
	uint64_t bias;
	const ElfW(Phdr) *segments = program(&count, &bias);

	object->header = __atomic_load_n(&frames, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++) {
		const ElfW(Phdr) *p = &segments[i];

		if (p->p_type != PT_LOAD ||
		    (p->p_flags & (PF_R | PF_W)) != PF_R ||
		    __atomic_load_n(&missing, __ATOMIC_RELAXED))
			continue;
		object->low = (const uint8_t *)(uintptr_t)(bias + p->p_vaddr);
		object->high = object->low + p->p_filesz;
		if (!object->header)
			object->header = find_frames(object->low, object->high);
		if (object->header >= object->low &&
		    object->header < object->high) {
			__atomic_store_n(&frames, object->header,
					 __ATOMIC_RELAXED);
			return true;
		}
	}
	__atomic_store_n(&missing, true, __ATOMIC_RELAXED);
	return false;
}

/* What was found for some places, and some for which there is nothing. */
# define PLACES 128u
static const uint8_t *entries[PLACES];
static uint64_t without[PLACES];

/*
 * gcc -static asks the linker for no .eh_frame_hdr: entry by entry then, from
 * where .eh_frame is found to begin.
 */
static bool find_fde_without_header(uint64_t pc, struct fde *fde)
{
	unsigned place = (unsigned)(pc / 4 % PLACES);
	const uint8_t *entry;
	struct object object;
	uint64_t cie = 0;

	if (__atomic_load_n(&without[place], __ATOMIC_RELAXED) == pc ||
	    !is_in_program(pc, &object) || object.header ||
	    !find_program_frames(&object))
		return false;
	entry = __atomic_load_n(&entries[place], __ATOMIC_RELAXED);
	if (entry &&
	    read_fde(reader_at((uintptr_t)entry, object.low, object.high),
		     object.low, object.high, 0, &cie, fde) &&
	    pc >= fde->pc_begin && pc < fde->pc_end)
		return true;
	entry = scan(
		pc,
		reader_at((uintptr_t)object.header, object.low, object.high),
		object.low, 0, fde);
	if (entry)
		__atomic_store_n(&entries[place], entry, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&without[place], pc, __ATOMIC_RELAXED);
	return entry != NULL;
}
#endif

static struct image image_of(const struct object *object)
{
	return (struct image){object->map, (uintptr_t)object->low,
			      (uintptr_t)object->high};
}

bool find_image(uint64_t pc, struct image *image)
{
	struct object object = {0};

	if (!find_object(pc, &object))
		return false;
	*image = image_of(&object);
	return true;
}

bool find_fde(uint64_t pc, struct fde *fde)
{
	struct object object = {0};
	struct image image;

	if (!find_object(pc, &object))
		return false;
	image = image_of(&object);
	if (object.header) {
		narrow_to_segment(&object);
		if (!find_fde_in(pc, object.header, object.low, object.high,
				 fde))
			return false;
	} else if (!find_fde_without_header(pc, fde)) {
		return false;
	}
	fde->image = image;
	fde->tables = object.header;
	fde->segment_end = object.high;
	return true;
}
