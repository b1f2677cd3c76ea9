/* Finds devices by their entries in /sys; see device.h. */
#include "initramfs/run/device.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void device_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool says(const char *folder, const char *device, const char *attribute, const char *text)
{
    char path[DEVICE_PATH], found[64] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/%.200s/%s", folder, device, attribute);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(found, sizeof found, file) == NULL)
        found[0] = '\0';
    fclose(file);
    found[strcspn(found, "\n")] = '\0';
    return strcmp(found, text) == 0;
}

bool device_find(const char *folder, const char *attribute, const char *text,
                 char path[DEVICE_PATH])
{
    DIR *devices = opendir(folder);
    struct dirent *entry;
    bool found = false;

    while (devices != NULL && !found && (entry = readdir(devices)) != NULL)
        if (entry->d_name[0] != '.' && says(folder, entry->d_name, attribute, text)) {
            snprintf(path, DEVICE_PATH, "/dev/%.200s", entry->d_name);
            found = true;
        }
    if (devices != NULL)
        closedir(devices);
    return found;
}
