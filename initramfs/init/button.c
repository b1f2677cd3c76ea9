/* ACPI's events by generic netlink; see button.h. Linux, drivers/acpi/event.c, which has no header
 * for programs; netlink(7), Documentation/userspace-api/netlink/intro.rst. */
#include "initramfs/init/button.h"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY "acpi_event"
#define GROUP  "acpi_mc_group"
#define BUTTON "button/power"
enum { ACPI_CMD_EVENT = 1, ACPI_ATTR_EVENT = 1, BUFFER = 4096 };

static int events = -1;

/* Takes the first of the attributes in `size` bytes; NULL if they have no complete one. */
static const struct nlattr *take(const char **from, size_t *size)
{
    const struct nlattr *a = (const struct nlattr *)*from;
    size_t length;

    if (*size < sizeof *a || a->nla_len < sizeof *a || a->nla_len > *size)
        return NULL;
    length = (size_t)NLA_ALIGN(a->nla_len);
    length = length < *size ? length : *size;
    *from += length;
    *size -= length;
    return a;
}

/* The content and size of the first attribute of this kind; NULL if not found. */
static const char *find(const char *from, size_t *size, unsigned kind)
{
    const struct nlattr *a;

    while ((a = take(&from, size)) != NULL)
        if ((a->nla_type & NLA_TYPE_MASK) == kind) {
            *size = a->nla_len - sizeof *a;
            return (const char *)(a + 1);
        }
    return NULL;
}

/* The attributes behind a message's two headers; NULL if it is too short to have any. */
static const char *attributes(const struct nlmsghdr *message, size_t *size)
{
    if (message->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN))
        return NULL;
    *size = message->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
    return (const char *)NLMSG_DATA(message) + GENL_HDRLEN;
}

/* The number of the ACPI event group in a family's description; 0 if it is not listed. */
static uint32_t group_in(const struct nlmsghdr *message)
{
    size_t size;
    const char *all = attributes(message, &size);
    const char *groups = all != NULL ? find(all, &size, CTRL_ATTR_MCAST_GROUPS) : NULL;
    const struct nlattr *group;
    uint32_t number = 0;

    while (groups != NULL && (group = take(&groups, &size)) != NULL) {
        size_t inner = group->nla_len - sizeof *group, length = inner;
        const char *name = find((const char *)(group + 1), &length, CTRL_ATTR_MCAST_GRP_NAME);
        const char *id = find((const char *)(group + 1), &inner, CTRL_ATTR_MCAST_GRP_ID);

        if (name != NULL && id != NULL && length == sizeof GROUP && inner == sizeof number &&
            memcmp(name, GROUP, sizeof GROUP) == 0)
            memcpy(&number, id, sizeof number);
    }
    return number;
}

static uint32_t ask_for_group(int fd)
{
    struct {
        struct nlmsghdr header;
        struct genlmsghdr order;
        struct nlattr attribute;
        char name[NLA_ALIGN(sizeof FAMILY)];
    } question = {
        .header = {.nlmsg_len = sizeof question,
                   .nlmsg_type = GENL_ID_CTRL,
                   .nlmsg_flags = NLM_F_REQUEST},
        .order = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
        .attribute = {.nla_len = NLA_HDRLEN + sizeof FAMILY, .nla_type = CTRL_ATTR_FAMILY_NAME},
        .name = FAMILY};
    union {
        struct nlmsghdr header;
        char bytes[BUFFER];
    } answer;
    ssize_t size;

    if (send(fd, &question, sizeof question, 0) < 0)
        return 0;
    size = recv(fd, &answer, sizeof answer, 0); /* the answer is there already */
    return size > 0 && NLMSG_OK(&answer.header, (size_t)size) ? group_in(&answer.header) : 0;
}

void button_listen(void)
{
    const struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
    uint32_t group;

    if (fd < 0)
        return;
    if (bind(fd, (const struct sockaddr *)&self, sizeof self) == 0 &&
        (group = ask_for_group(fd)) != 0 && fcntl(fd, F_SETOWN, getpid()) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0 &&
        setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0) {
        events = fd;
        return;
    }
    close(fd);
}

static bool is_press(const struct nlmsghdr *message)
{
    const struct genlmsghdr *order = NLMSG_DATA(message);
    size_t size;
    const char *all = attributes(message, &size), *event;

    if (all == NULL || order->cmd != ACPI_CMD_EVENT)
        return false;
    event = find(all, &size, ACPI_ATTR_EVENT); /* begins with the device's class */
    return event != NULL && size >= sizeof BUTTON && memcmp(event, BUTTON, sizeof BUTTON) == 0;
}

bool button_was_pressed(void)
{
    union {
        struct nlmsghdr header;
        char bytes[BUFFER];
    } message;
    bool pressed = false;
    ssize_t size;

    while (events >= 0 && (size = recv(events, &message, sizeof message, 0)) > 0)
        pressed |= NLMSG_OK(&message.header, (size_t)size) && is_press(&message.header);
    return pressed;
}
