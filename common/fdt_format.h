/* The numbers of the flattened format, shared by its reader and its writer (Devicetree
 * Specification v0.4, 5.2 and 5.4). */
#ifndef COMMON_FDT_FORMAT_H
#define COMMON_FDT_FORMAT_H

#define FDT_MAGIC    0xd00dfeedu
#define FDT_VERSION  17u
#define FDT_OLDEST   16u /* the version that 17 is readable as */
#define FDT_ALIGN(n) (((n) + 3u) & ~3u)

enum fdt_token { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };

#endif
