/*
 * Reads and writes flattened device trees (Devicetree Specification v0.4, chapter 5: version 17).
 *
 * The bytes read may lie: fdt_open() walks the whole tree once and checks every offset, name and
 * nesting, so that all other readers may trust it. A node is named by its offset in the structure
 * block; a negative number means that it was not found. No allocation; the caller's bytes are only
 * borrowed.
 */
#ifndef COMMON_FDT_H
#define COMMON_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FDT_HEADER_SIZE = 40,
    FDT_DEPTH_MAX = 32 /* nesting that fdt_open() accepts and the writer allows */
};

enum fdt_error {
    FDT_OK = 0,
    FDT_NOT_FDT = -1,     /* no magic number */
    FDT_TRUNCATED = -2,   /* a block or a property reaches past the end */
    FDT_UNSUPPORTED = -3, /* a version that is not compatible with 17 */
    FDT_MALFORMED = -4,   /* an unknown token, an unterminated name, wrong nesting */
    FDT_NO_SPACE = -5     /* the writer's buffer or string table is full */
};

/* A device tree that passed fdt_open(). Valid as long as `bytes` is. */
struct fdt {
    const uint8_t *bytes;
    uint32_t size; /* as its header says, at most the caller's */
    uint32_t reserved, structure, structure_size, strings, strings_size;
};

struct fdt_property {
    const char *name;
    const uint8_t *value;
    uint32_t size;
};

const char *fdt_error_text(int error);

/* Total size by the header alone, 0 where there is no magic number. Reads FDT_HEADER_SIZE bytes. */
uint32_t fdt_size(const void *bytes);
int fdt_open(struct fdt *fdt, const void *bytes, size_t size) __attribute__((warn_unused_result));

/* Entry `index` of the memory reservation block; false after the last one. */
bool fdt_reservation(const struct fdt *fdt, unsigned index, uint64_t *address, uint64_t *size);

/* Each returns a node, or a negative number if there is no such node. fdt_next() goes through all
 * nodes in the order in which they are written. */
int fdt_root(const struct fdt *fdt);
int fdt_next(const struct fdt *fdt, int node);
int fdt_child(const struct fdt *fdt, int node);
int fdt_sibling(const struct fdt *fdt, int node);
int fdt_parent(const struct fdt *fdt, int node);
int fdt_find(const struct fdt *fdt, const char *path); /* "/chosen", "/soc/serial": '@...' may be
                                                          left out of a component */
int fdt_find_compatible(const struct fdt *fdt, int after, const char *compatible);
int fdt_find_phandle(const struct fdt *fdt, uint32_t phandle);

/* A node's name with its unit address, and its properties. */
const char *fdt_name(const struct fdt *fdt, int node);
bool fdt_property(const struct fdt *fdt, int node, const char *name, struct fdt_property *property);
bool fdt_is_compatible(const struct fdt *fdt, int node, const char *compatible);
uint32_t fdt_u32(const struct fdt *fdt, int node, const char *name, uint32_t otherwise);
uint64_t fdt_number(const struct fdt *fdt, int node, const char *name, uint64_t otherwise);
/* A property's text, or NULL where it is absent or not terminated. */
const char *fdt_text(const struct fdt *fdt, int node, const char *name);
/* Cell `index` of a property of 32-bit cells; false past its end. */
bool fdt_cell(const struct fdt_property *property, unsigned index, uint32_t *cell);
/* Pair `index` of `reg`, by the parent's #address-cells and #size-cells (0 to 2). */
bool fdt_reg(const struct fdt *fdt, int node, unsigned index, uint64_t *address, uint64_t *size);

/* Writes a tree front to back. Errors stick: fdt_finish() reports the first. */
struct fdt_writer {
    uint8_t *buffer;
    size_t size, used;
    char strings[1024];
    size_t strings_used;
    int depth;
    int error;
};

void fdt_start(struct fdt_writer *writer, void *buffer, size_t size);
void fdt_begin_node(struct fdt_writer *writer, const char *name);
void fdt_begin_node_at(struct fdt_writer *writer, const char *name, uint64_t address);
void fdt_end_node(struct fdt_writer *writer);
void fdt_put(struct fdt_writer *writer, const char *name, const void *value, size_t size);
void fdt_put_text(struct fdt_writer *writer, const char *name, const char *text);
void fdt_put_cells(struct fdt_writer *writer, const char *name, const uint32_t *cells,
                   size_t count);
void fdt_put_u32(struct fdt_writer *writer, const char *name, uint32_t value);
void fdt_put_u64(struct fdt_writer *writer, const char *name, uint64_t value);
void fdt_put_reg(struct fdt_writer *writer, uint64_t address, uint64_t size); /* 2 + 2 cells */
/* Closes the tree; returns its size in bytes or an fdt_error. */
int fdt_finish(struct fdt_writer *writer) __attribute__((warn_unused_result));

#endif
