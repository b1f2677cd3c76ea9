/* The version of this program: --version, and what it writes for later ones. */
#ifndef VERSION_H
#define VERSION_H

#define VMM_VERSION "0.1"

#endif
