/* Starting the other processors: Intel SDM volume 3, 8.4. */
#ifndef HLEOS_SMP_H
#define HLEOS_SMP_H

/* Starts those that ACPI names, up to `most` in all; threads run on them from here on. Returns how
 * many there are now; `missing` is how many did not start. Needs threads and the clock. */
unsigned smp_init(unsigned most, unsigned *missing);

#endif
