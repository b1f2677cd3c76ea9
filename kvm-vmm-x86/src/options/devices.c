/* Options that give a guest devices; see devices.h. */
#include "options/devices.h"

#include <stdio.h>
#include <string.h>

#include "abi/virtio_vsock.h"

/* Parses where a port leads; false if it is not one of those. */
static bool take_destination(const char *text, enum serial_kind *kind, const char **where)
{
    static const struct {
        const char *word;
        enum serial_kind kind;
    } kinds[] = {{"stdio", SERIAL_STDIO},
                 {"pty", SERIAL_PTY},
                 {"file:", SERIAL_FILE},
                 {"unix:", SERIAL_UNIX}};
    bool taken = false;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !taken; i++) {
        const char *path = text + strlen(kinds[i].word);
        bool has_path = kinds[i].kind == SERIAL_FILE || kinds[i].kind == SERIAL_UNIX;

        taken =
            strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0 && (*path != '\0') == has_path;
        *kind = kinds[i].kind;
        *where = has_path ? path : NULL;
    }
    return taken;
}

int devices_parse_serial(struct options *o, const char *text, struct error *error)
{
    return take_destination(text, &o->guests[0].serial, &o->guests[0].serial_path)
               ? 0
               : error_set(error, "--serial %s: expected stdio, pty, file:PATH or unix:PATH", text);
}

static int add_port(struct guest_config *guest, const struct port_config *port, struct error *error)
{
    if (guest->port_count == PORTS_MAX)
        return error_set(error, "--port, --console: at most %d", PORTS_MAX);
    guest->ports[guest->port_count++] = *port;
    return 0;
}

int devices_parse_console(struct options *o, const char *text, struct error *error)
{
    struct port_config port = {.name = text};

    if (!take_destination(text, &port.kind, &port.path))
        return error_set(error, "--console %s: expected stdio, pty, file:PATH or unix:PATH", text);
    for (unsigned i = 0; i < o->guests[0].port_count; i++)
        if (o->guests[0].ports[i].name_length == 0)
            return error_set(error, "--console %s: the guest already has a console", text);
    return add_port(&o->guests[0], &port, error);
}

int devices_parse_port(struct options *o, const char *text, struct error *error)
{
    const char *mark = strchr(text, '=');
    struct port_config port = {.name = text};

    if (mark == NULL || mark == text || !take_destination(mark + 1, &port.kind, &port.path) ||
        port.kind == SERIAL_STDIO)
        return error_set(error, "--port %s: expected NAME=pty, NAME=file:PATH or NAME=unix:PATH",
                         text);
    port.name_length = (size_t)(mark - text);
    if (port.name_length > PORT_NAME_MAX)
        return error_set(error, "--port %s: the name has more than %d bytes", text, PORT_NAME_MAX);
    for (unsigned i = 0; i < o->guests[0].port_count; i++)
        if (o->guests[0].ports[i].name_length == port.name_length &&
            memcmp(o->guests[0].ports[i].name, text, port.name_length) == 0)
            return error_set(error, "--port %s: there is already a port of that name", text);
    return add_port(&o->guests[0], &port, error);
}

/* A word of `length` bytes after a comma; true if it is valid. */
static bool take_disk_word(struct disk_config *disk, const char *word, size_t length)
{
    static const struct {
        const char *word;
        uint32_t size;
    } blocks[] = {
        {"block=512", 512}, {"block=1024", 1024}, {"block=2048", 2048}, {"block=4096", 4096}};

    if (length == 2 && memcmp(word, "ro", 2) == 0)
        disk->read_only = true;
    else if (length == 7 && memcmp(word, "overlay", 7) == 0)
        disk->overlay = true;
    else if (length > 3 && length < 3 + sizeof disk->id && memcmp(word, "id=", 3) == 0)
        memcpy(disk->id, word + 3, length - 3);
    else {
        size_t i = 0;

        while (i < sizeof blocks / sizeof blocks[0] &&
               (strlen(blocks[i].word) != length || memcmp(word, blocks[i].word, length) != 0))
            i++;
        if (i == sizeof blocks / sizeof blocks[0])
            return false;
        disk->block_size = blocks[i].size;
    }
    return true;
}

/* FILE[,WORD]...: words are taken from the end on, so that a file's name may have commas. */
int devices_parse_disk(struct options *o, const char *text, struct error *error)
{
    struct guest_config *guest = &o->guests[0];
    struct disk_config disk = {.path = text, .path_length = strlen(text)};
    const char *comma;

    if (guest->disk_count == DISKS_MAX)
        return error_set(error, "--disk %s: at most %d disks", text, DISKS_MAX);
    while ((comma = memrchr(text, ',', disk.path_length)) != NULL &&
           take_disk_word(&disk, comma + 1, disk.path_length - (size_t)(comma + 1 - text)))
        disk.path_length = (size_t)(comma - text);
    if (disk.path_length == 0)
        return error_set(error, "--disk %s: the name of a file is missing", text);
    if (disk.read_only && disk.overlay)
        return error_set(error, "--disk %s: ro and overlay exclude each other", text);
    guest->disks[guest->disk_count++] = disk;
    return 0;
}

/* A number in decimal up to `max`; the text behind it, or NULL. */
static const char *take_number(const char *text, const char *end, unsigned max, unsigned *value)
{
    const char *start = text;

    for (*value = 0; text < end && *text >= '0' && *text <= '9'; text++)
        if ((*value = *value * 10 + (unsigned)(*text - '0')) > max)
            return NULL;
    return text == start ? NULL : text;
}

/* a.b.c.d */
static const char *take_address(const char *text, const char *end, uint32_t *address)
{
    unsigned part;

    *address = 0;
    for (unsigned i = 0; i < 4 && text != NULL; i++) {
        if (i > 0 && (text == end || *text++ != '.'))
            return NULL;
        text = take_number(text, end, 255, &part);
        *address = *address << 8 | part;
    }
    return text;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* aa:bb:cc:dd:ee:ff, of one card. */
static bool take_mac(const char *text, const char *end, uint8_t mac[6])
{
    if (end - text != 17)
        return false;
    for (unsigned i = 0; i < 6; i++, text += 3) {
        if (digit(text[0]) < 0 || digit(text[1]) < 0 || (i < 5 && text[2] != ':'))
            return false;
        mac[i] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    }
    return !(mac[0] & 1);
}

/* tcp:[HOST:]PORT:PORT, on loopback unless HOST is given. */
static bool take_forward(const char *text, const char *end, struct net_config *net)
{
    struct net_forward f = {.udp = strncmp(text, "udp:", 4) == 0};
    const char *behind;
    unsigned host, guest;

    if ((!f.udp && strncmp(text, "tcp:", 4) != 0) || net->forward_count == FORWARDS_MAX)
        return false;
    text += 4;
    behind = take_address(text, end, &f.address);
    if (behind != NULL && (behind == end || *behind != ':'))
        return false;
    if (behind != NULL)
        text = behind + 1;
    else
        f.address = 0x7f000001;
    text = take_number(text, end, 65535, &host);
    if (text == NULL || text == end || *text != ':')
        return false;
    text = take_number(text + 1, end, 65535, &guest);
    if (text != end || host == 0 || guest == 0)
        return false;
    f.host_port = (uint16_t)host;
    f.guest_port = (uint16_t)guest;
    net->forwards[net->forward_count++] = f;
    return true;
}

static bool take_net_word(struct net_config *net, const char *word, const char *end)
{
    unsigned mtu;

    if (strncmp(word, "mac=", 4) == 0)
        return take_mac(word + 4, end, net->mac);
    if (strncmp(word, "mtu=", 4) == 0) {
        if (take_number(word + 4, end, NET_MTU_MAX, &mtu) != end || mtu < NET_MTU_MIN)
            return false;
        net->mtu = (uint16_t)mtu;
        return true;
    }
    if (net->kind != NET_USER)
        return false;
    if (strncmp(word, "dns=", 4) == 0)
        return take_address(word + 4, end, &net->dns) == end && net->dns != 0;
    return strncmp(word, "forward=", 8) == 0 && take_forward(word + 8, end, net);
}

/* KIND[,WORD]... */
int devices_parse_net(struct options *o, const char *text, struct error *error)
{
    struct guest_config *guest = &o->guests[0];
    struct net_config net = {.kind = NET_USER};
    const char *end = strchrnul(text, ',');

    if (strcmp(text, "none") == 0) {
        guest->net_count = 0;
        return 0;
    }
    if (guest->net_count == NETS_MAX)
        return error_set(error, "--net %s: at most %d network cards", text, NETS_MAX);
    if (strncmp(text, "passt:", 6) == 0 && end > text + 6)
        net = (struct net_config){.kind = NET_PASST, .name = text + 6};
    else if (strncmp(text, "tap=", 4) == 0 && end > text + 4)
        net = (struct net_config){.kind = NET_TAP, .name = text + 4};
    else if (end - text != 4 || strncmp(text, "user", 4) != 0)
        return error_set(error, "--net %s: expected user, passt:PATH, tap=NAME or none", text);
    if (net.name != NULL)
        net.name_length = (size_t)(end - net.name);
    while (*end == ',') {
        const char *word = end + 1;

        end = strchrnul(word, ',');
        if (!take_net_word(&net, word, end))
            return error_set(error, "--net %s: \"%.*s\" is not mac=ADDRESS, mtu=%d to %d%s", text,
                             (int)(end - word), word, NET_MTU_MIN, NET_MTU_MAX,
                             net.kind == NET_USER ? ", dns=ADDRESS or forward=tcp:[HOST:]PORT:PORT"
                                                  : "");
    }
    guest->nets[guest->net_count++] = net;
    return 0;
}

/* A word of `length` bytes after a comma; true if it is valid. */
static bool take_share_word(struct share_config *share, const char *word, size_t length)
{
    if (length == 2 && memcmp(word, "ro", 2) == 0)
        share->read_only = true;
    else if (length > 4 && length < 4 + sizeof share->tag && memcmp(word, "tag=", 4) == 0)
        memcpy(share->tag, word + 4, length - 4);
    else
        return false;
    return true;
}

/* DIR[,WORD]...: words are taken from the end on, so that a folder's name may have commas. */
int devices_parse_share(struct options *o, const char *text, struct error *error)
{
    struct guest_config *guest = &o->guests[0];
    struct share_config share = {.path = text, .path_length = strlen(text)};
    const char *comma;

    if (guest->share_count == SHARES_MAX)
        return error_set(error, "--share %s: at most %d folders", text, SHARES_MAX);
    while ((comma = memrchr(text, ',', share.path_length)) != NULL &&
           take_share_word(&share, comma + 1, share.path_length - (size_t)(comma + 1 - text)))
        share.path_length = (size_t)(comma - text);
    if (share.path_length == 0)
        return error_set(error, "--share %s: the name of a folder is missing", text);
    if (share.tag[0] == '\0')
        snprintf(share.tag, sizeof share.tag, "share%u", guest->share_count);
    for (unsigned i = 0; i < guest->share_count; i++)
        if (strcmp(guest->shares[i].tag, share.tag) == 0)
            return error_set(error, "--share %s: there is already a folder with the tag %s", text,
                             share.tag);
    guest->shares[guest->share_count++] = share;
    return 0;
}

/* CID,unix:PATH */
int devices_parse_vsock(struct options *o, const char *text, struct error *error)
{
    struct vsock_config *vsock = &o->guests[0].vsock;
    const char *comma = strchr(text, ',');
    uint64_t cid = 0;

    if (comma == NULL || comma == text || strncmp(comma, ",unix:", 6) != 0 || comma[6] == '\0' ||
        strspn(text, "0123456789") != (size_t)(comma - text))
        return error_set(error, "--vsock %s: expected CID,unix:PATH", text);
    for (const char *at = text; at < comma && cid <= VIRTIO_VSOCK_CID_MAX; at++)
        cid = cid * 10 + (uint64_t)(*at - '0');
    if (cid < VIRTIO_VSOCK_CID_MIN || cid > VIRTIO_VSOCK_CID_MAX)
        return error_set(error, "--vsock %s: the CID must be %u to %u", text,
                         (unsigned)VIRTIO_VSOCK_CID_MIN, (unsigned)VIRTIO_VSOCK_CID_MAX);
    if (vsock->cid != 0)
        return error_set(error, "--vsock %s: the guest already has one", text);
    *vsock = (struct vsock_config){.cid = cid, .path = comma + 6};
    return 0;
}
