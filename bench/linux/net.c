/*
 * Measures a guest's network. On the host:
 *
 *   net serve ADDRESS PORT                   serves clients, one after the other
 *
 * and in the guest:
 *
 *   net ADDRESS PORT send|receive MEGABYTES  one connection
 *   net ADDRESS PORT trip COUNT              COUNT times a byte there and back
 *
 * Between the lines `begin` and `end MICROSECONDS` the guest does nothing else. A client first
 * sends its request: a letter and a number.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 256 << 10, MEGABYTE = 1 << 20 };

struct order {
    char work; /* s, r, t */
    uint32_t count;
};

static char piece[PIECE];

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(int s, uint64_t size)
{
    while (size > 0) {
        ssize_t n = send(s, piece, size < PIECE ? size : PIECE, MSG_NOSIGNAL);

        if (n <= 0)
            fail("send");
        size -= (uint64_t)n;
    }
}

static void receive_all(int s, uint64_t size)
{
    while (size > 0) {
        ssize_t n = recv(s, piece, size < PIECE ? size : PIECE, 0);

        if (n <= 0)
            fail("recv");
        size -= (uint64_t)n;
    }
}

static void no_delay(int s)
{
    int on = 1;

    if (setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        fail("TCP_NODELAY");
}

static struct sockaddr_in address_of(char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[1]))};

    if (inet_pton(AF_INET, argv[0], &address.sin_addr) != 1)
        fail(argv[0]);
    return address;
}

static void serve_one(int s)
{
    struct order order = {0};

    no_delay(s);
    receive_all(s, sizeof order);
    memcpy(&order, piece, sizeof order);
    if (order.work == 's') {
        receive_all(s, (uint64_t)order.count * MEGABYTE);
        send_all(s, 1); /* all bytes have arrived */
    } else if (order.work == 'r') {
        send_all(s, (uint64_t)order.count * MEGABYTE);
    } else {
        for (uint32_t i = 0; i < order.count; i++) {
            receive_all(s, 1);
            send_all(s, 1);
        }
    }
    while (recv(s, piece, PIECE, 0) > 0) /* until the client closes */
        ;
}

static void serve(char **argv)
{
    struct sockaddr_in address = address_of(argv);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), s;

    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 1) < 0)
        fail("listen");
    printf("serving\n");
    fflush(stdout);
    while ((s = accept(listener, NULL, NULL)) >= 0) {
        serve_one(s);
        close(s);
    }
    fail("accept");
}

static void work(int s, const struct order *order)
{
    if (order->work == 's') {
        send_all(s, (uint64_t)order->count * MEGABYTE);
        receive_all(s, 1);
    } else if (order->work == 'r') {
        receive_all(s, (uint64_t)order->count * MEGABYTE);
    } else {
        for (uint32_t i = 0; i < order->count; i++) {
            send_all(s, 1);
            receive_all(s, 1);
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    struct timespec begin, end;
    struct order order = {0};
    int s;

    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        serve(argv + 2);
    if (argc != 5) {
        fprintf(stderr, "net ADDRESS PORT send|receive|trip COUNT\n");
        return 2;
    }
    order.work = argv[3][0];
    order.count = (uint32_t)atol(argv[4]);
    address = address_of(argv + 1);
    s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (const struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    no_delay(s);
    printf("begin\n");
    fflush(stdout);
    if (send(s, &order, sizeof order, MSG_NOSIGNAL) != sizeof order)
        fail("send");
    clock_gettime(CLOCK_MONOTONIC, &begin);
    work(s, &order);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("end %lld\n",
           (long long)(end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
    return 0;
}
