/* Reads untrusted flattened device trees; see fdt.h. The writer is in fdt_write.c. */
#include "common/fdt.h"
#include "common/fdt_format.h"

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t read64(const uint8_t *at)
{
    return (uint64_t)read32(at) << 32 | read32(at + 4);
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

const char *fdt_error_text(int error)
{
    switch (error) {
    case FDT_OK:
        return "no error";
    case FDT_NOT_FDT:
        return "not a device tree";
    case FDT_TRUNCATED:
        return "a block or a property reaches past the end";
    case FDT_UNSUPPORTED:
        return "a device tree of an unsupported version";
    case FDT_NO_SPACE:
        return "no space left to write the device tree";
    default:
        return "a malformed device tree";
    }
}

/* ---- The structure block, token by token ---- */

/* One token; for FDT_BEGIN_NODE `name` is the node's, for FDT_PROP the property is filled. */
struct token {
    uint32_t kind;
    uint32_t next; /* offset of the token after it */
    const char *name;
    struct fdt_property property;
};

/* The length of the string at `at`, with `limit` bytes left; `limit` if it has no end. */
static uint32_t text_length(const uint8_t *at, uint32_t limit)
{
    uint32_t n = 0;

    while (n < limit && at[n] != '\0')
        n++;
    return n;
}

static int read_begin(const uint8_t *at, uint32_t left, struct token *token, uint32_t offset)
{
    uint32_t length = text_length(at + 4, left - 4);

    if (length >= left - 4)
        return FDT_MALFORMED;
    token->name = (const char *)at + 4;
    token->next = offset + 4 + FDT_ALIGN(length + 1);
    return FDT_OK;
}

static int read_property(const struct fdt *fdt, const uint8_t *at, uint32_t left,
                         struct token *token, uint32_t offset)
{
    uint32_t size, name;

    if (left < 12)
        return FDT_TRUNCATED;
    size = read32(at + 4);
    name = read32(at + 8);
    if (size > left - 12 || name >= fdt->strings_size)
        return FDT_TRUNCATED;
    if (text_length(fdt->bytes + fdt->strings + name, fdt->strings_size - name) >=
        fdt->strings_size - name)
        return FDT_MALFORMED;
    token->property = (struct fdt_property){
        .name = (const char *)fdt->bytes + fdt->strings + name, .value = at + 12, .size = size};
    token->next = offset + 12 + FDT_ALIGN(size);
    return FDT_OK;
}

/* Reads the token at `offset` of the structure block, skipping FDT_NOP. */
static int read_token(const struct fdt *fdt, uint32_t offset, struct token *token)
{
    const uint8_t *block = fdt->bytes + fdt->structure;

    for (;; offset += 4) {
        uint32_t left = offset <= fdt->structure_size ? fdt->structure_size - offset : 0;

        if (left < 4)
            return FDT_TRUNCATED;
        *token = (struct token){.kind = read32(block + offset), .next = offset + 4};
        switch (token->kind) {
        case FDT_NOP:
            continue;
        case FDT_BEGIN_NODE:
            return read_begin(block + offset, left, token, offset);
        case FDT_PROP:
            return read_property(fdt, block + offset, left, token, offset);
        case FDT_END_NODE:
        case FDT_END:
            return FDT_OK;
        default:
            return FDT_MALFORMED;
        }
    }
}

/* Walks all tokens once. Requires one root, properties before children, an end for each node, and
 * nothing after the root. */
static int check_structure(const struct fdt *fdt)
{
    bool after_child[FDT_DEPTH_MAX + 1] = {false};
    uint32_t offset = 0;
    int depth = 0;

    for (;;) {
        struct token token;
        int error = read_token(fdt, offset, &token);

        if (error != FDT_OK)
            return error;
        if (depth == 0 && (token.kind != FDT_BEGIN_NODE || offset != 0))
            return token.kind == FDT_END && offset != 0 ? FDT_OK : FDT_MALFORMED;
        if (token.kind == FDT_BEGIN_NODE) {
            after_child[depth] = true;
            if (++depth > FDT_DEPTH_MAX)
                return FDT_MALFORMED;
            after_child[depth] = false;
        } else if (token.kind == FDT_END_NODE) {
            depth--;
        } else if (token.kind == FDT_END || after_child[depth]) {
            return FDT_MALFORMED;
        }
        offset = token.next;
    }
}

uint32_t fdt_size(const void *bytes)
{
    return read32(bytes) == FDT_MAGIC ? read32((const uint8_t *)bytes + 4) : 0;
}

static bool block_fits(const struct fdt *fdt, uint32_t offset, uint32_t size)
{
    return offset <= fdt->size && size <= fdt->size - offset;
}

int fdt_open(struct fdt *fdt, const void *bytes, size_t size)
{
    const uint8_t *b = bytes;

    *fdt = (struct fdt){.bytes = b};
    if (size < 4 || read32(b) != FDT_MAGIC)
        return FDT_NOT_FDT;
    if (size < FDT_HEADER_SIZE || read32(b + 4) > size || read32(b + 4) < FDT_HEADER_SIZE)
        return FDT_TRUNCATED;
    if (read32(b + 20) < FDT_VERSION || read32(b + 24) > FDT_VERSION)
        return FDT_UNSUPPORTED;
    fdt->size = read32(b + 4);
    fdt->structure = read32(b + 8);
    fdt->strings = read32(b + 12);
    fdt->reserved = read32(b + 16);
    fdt->strings_size = read32(b + 32);
    fdt->structure_size = read32(b + 36);
    if (!block_fits(fdt, fdt->structure, fdt->structure_size) ||
        !block_fits(fdt, fdt->strings, fdt->strings_size) || !block_fits(fdt, fdt->reserved, 16))
        return FDT_TRUNCATED;
    return check_structure(fdt);
}

bool fdt_reservation(const struct fdt *fdt, unsigned index, uint64_t *address, uint64_t *size)
{
    if (index >= (fdt->size - fdt->reserved) / 16)
        return false;
    *address = read64(fdt->bytes + fdt->reserved + (size_t)index * 16);
    *size = read64(fdt->bytes + fdt->reserved + (size_t)index * 16 + 8);
    return *address != 0 || *size != 0;
}

/* ---- Nodes. The tree has been checked, so read_token() cannot fail on these offsets. ---- */

int fdt_root(const struct fdt *fdt)
{
    return fdt->structure_size > 0 ? 0 : -1;
}

/* The next FDT_BEGIN_NODE after `node`; *depth is its depth relative to the node's. */
static int next_begin(const struct fdt *fdt, int node, int *depth)
{
    struct token token;
    uint32_t offset = (uint32_t)node;

    *depth = 0;
    if (read_token(fdt, offset, &token) != FDT_OK)
        return -1;
    for (offset = token.next; read_token(fdt, offset, &token) == FDT_OK; offset = token.next) {
        if (token.kind == FDT_BEGIN_NODE) {
            ++*depth;
            return (int)offset;
        }
        if (token.kind == FDT_END_NODE)
            --*depth;
        else if (token.kind == FDT_END)
            return -1;
    }
    return -1;
}

int fdt_next(const struct fdt *fdt, int node)
{
    int depth;

    return next_begin(fdt, node, &depth);
}

int fdt_child(const struct fdt *fdt, int node)
{
    int depth, child = next_begin(fdt, node, &depth);

    return depth == 1 ? child : -1;
}

int fdt_sibling(const struct fdt *fdt, int node)
{
    int relative = 0, depth;

    while ((node = next_begin(fdt, node, &depth)) >= 0) {
        relative += depth;
        if (relative <= 0)
            return relative == 0 ? node : -1;
    }
    return -1;
}

int fdt_parent(const struct fdt *fdt, int node)
{
    int path[FDT_DEPTH_MAX + 2] = {-1};
    int level = 0, depth;

    for (int at = fdt_root(fdt); at >= 0; at = next_begin(fdt, at, &depth), level += depth) {
        if (level < 0 || level > FDT_DEPTH_MAX)
            return -1;
        path[level] = at;
        if (at == node)
            return level > 0 ? path[level - 1] : -1;
    }
    return -1;
}

const char *fdt_name(const struct fdt *fdt, int node)
{
    struct token token;

    if (node < 0 || read_token(fdt, (uint32_t)node, &token) != FDT_OK || token.name == NULL)
        return "";
    return token.name;
}

/* True if `name` is the path's first component, whose length is `length`; a unit address may be
 * missing from the path. */
static bool component_matches(const char *name, const char *path, size_t length)
{
    size_t i = 0;

    while (i < length && name[i] == path[i] && name[i] != '\0')
        i++;
    return i == length && (name[i] == '\0' || name[i] == '@');
}

int fdt_find(const struct fdt *fdt, const char *path)
{
    int node = fdt_root(fdt);

    while (node >= 0 && *path != '\0') {
        size_t length = 0;

        while (*path == '/')
            path++;
        if (*path == '\0')
            break;
        while (path[length] != '\0' && path[length] != '/')
            length++;
        for (node = fdt_child(fdt, node); node >= 0; node = fdt_sibling(fdt, node))
            if (component_matches(fdt_name(fdt, node), path, length))
                break;
        path += length;
    }
    return node;
}

int fdt_find_compatible(const struct fdt *fdt, int after, const char *compatible)
{
    for (int node = after < 0 ? fdt_root(fdt) : fdt_next(fdt, after); node >= 0;
         node = fdt_next(fdt, node))
        if (fdt_is_compatible(fdt, node, compatible))
            return node;
    return -1;
}

int fdt_find_phandle(const struct fdt *fdt, uint32_t phandle)
{
    struct fdt_property p;

    for (int node = fdt_root(fdt); node >= 0; node = fdt_next(fdt, node))
        if (fdt_property(fdt, node, "phandle", &p) && p.size == 4 && read32(p.value) == phandle)
            return node;
    return -1;
}

/* ---- Properties ---- */

bool fdt_property(const struct fdt *fdt, int node, const char *name, struct fdt_property *property)
{
    struct token token;

    if (node < 0 || read_token(fdt, (uint32_t)node, &token) != FDT_OK)
        return false;
    while (read_token(fdt, token.next, &token) == FDT_OK && token.kind == FDT_PROP) {
        if (same(token.property.name, name)) {
            *property = token.property;
            return true;
        }
    }
    return false;
}

bool fdt_is_compatible(const struct fdt *fdt, int node, const char *compatible)
{
    struct fdt_property p;
    uint32_t length;

    if (!fdt_property(fdt, node, "compatible", &p))
        return false;
    for (uint32_t at = 0; at < p.size; at += length + 1) {
        length = text_length(p.value + at, p.size - at);
        if (length < p.size - at && same((const char *)p.value + at, compatible))
            return true;
    }
    return false;
}

bool fdt_cell(const struct fdt_property *property, unsigned index, uint32_t *cell)
{
    if (index >= property->size / 4)
        return false;
    *cell = read32(property->value + (size_t)index * 4);
    return true;
}

uint32_t fdt_u32(const struct fdt *fdt, int node, const char *name, uint32_t otherwise)
{
    struct fdt_property p;

    return fdt_property(fdt, node, name, &p) && p.size == 4 ? read32(p.value) : otherwise;
}

uint64_t fdt_number(const struct fdt *fdt, int node, const char *name, uint64_t otherwise)
{
    struct fdt_property p;

    if (!fdt_property(fdt, node, name, &p))
        return otherwise;
    return p.size == 4 ? read32(p.value) : p.size == 8 ? read64(p.value) : otherwise;
}

const char *fdt_text(const struct fdt *fdt, int node, const char *name)
{
    struct fdt_property p;

    if (!fdt_property(fdt, node, name, &p) || text_length(p.value, p.size) >= p.size)
        return NULL;
    return (const char *)p.value;
}

bool fdt_reg(const struct fdt *fdt, int node, unsigned index, uint64_t *address, uint64_t *size)
{
    int parent = fdt_parent(fdt, node);
    uint32_t address_cells = fdt_u32(fdt, parent, "#address-cells", 2);
    uint32_t size_cells = fdt_u32(fdt, parent, "#size-cells", 1);
    struct fdt_property p;
    size_t at;

    if (address_cells == 0 || address_cells > 2 || size_cells > 2 ||
        !fdt_property(fdt, node, "reg", &p))
        return false;
    at = (size_t)index * (address_cells + size_cells) * 4;
    if (at + (address_cells + size_cells) * 4 > p.size)
        return false;
    *address = address_cells == 2 ? read64(p.value + at) : read32(p.value + at);
    at += address_cells * 4;
    *size = size_cells == 2 ? read64(p.value + at) : size_cells == 1 ? read32(p.value + at) : 0;
    return true;
}
