/* The disk that guests are saved on; see store.h. */
#include "vm/store.h"

#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mem/page.h"

_Static_assert((int)SAVED_SECTORS <= (int)DISK_SECTORS, "a record is one request");

/* `active` is an atomic. Owned by the caller of store_open() until store_close(). */
static struct {
    uint32_t active; /* a whole word for the exchange */
    bool busy;
    unsigned number;
    int disk;
    uint64_t begun; /* host time */
} store;

bool store_open(unsigned number)
{
    void *pages;

    if (__atomic_exchange_n(&store.active, true, __ATOMIC_ACQ_REL)) { /* pairs with store_close() */
        print("hv: another guest is being saved or loaded: try again\n");
        return false;
    }
    pages = page_alloc(NULL, DISK_ORDER);
    store.disk = pages != NULL ? disk_open(number, pages) : -1;
    if (store.disk >= 0) {
        store.number = number;
        store.busy = false;
        store.begun = hyp_time();
        return true;
    }
    if (pages == NULL)
        print("hv: no memory for a disk's requests\n");
    else
        print("hv: this machine has no virtio disk %u, or a guest has it\n", number);
    page_free(NULL, pages, DISK_ORDER); /* no device knows them */
    __atomic_store_n(&store.active, false, __ATOMIC_RELEASE);
    return false;
}

void store_close(void)
{
    page_free(NULL, disk_close(store.disk), DISK_ORDER); /* NULL: the device keeps them */
    __atomic_store_n(&store.active, false, __ATOMIC_RELEASE);
}

unsigned store_number(void)
{
    return store.number;
}

uint64_t store_microseconds(void)
{
    return machine_nanoseconds(hyp_time() - store.begun) / 1000;
}

void *store_record(void)
{
    return disk_data(store.disk);
}

void *store_payload(void)
{
    return (uint8_t *)store_record() + SAVED_SECTOR;
}

const char *store_begin(uint64_t record, bool write)
{
    if (record >= disk_capacity(store.disk) / SAVED_SECTORS)
        return write ? "the disk is too small" : "the save reaches past the end of the disk";
    if (disk_begin(store.disk, write, record * SAVED_SECTORS, SAVED_SECTORS) != DISK_OK)
        return "a disk request failed";
    store.busy = true;
    return NULL;
}

int store_state(void)
{
    int state = store.busy ? disk_state(store.disk) : DISK_OK;

    if (state != DISK_BUSY)
        store.busy = false;
    return state;
}
