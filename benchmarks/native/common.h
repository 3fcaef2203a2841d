/* What sink.c and sender.c share: time, and where a frame of feedsim.v1 has its `sent` stamp. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE_END "\r\n\r\n"
#define JSON_HEAD "{\"type\":\"events\",\"sent\":"
#define MSGPACK_HEAD "\x83\xa4type\xa6" "events\xa4sent\xcf"
#define HEAD_BYTES 48 /* of a payload: enough for the stamp and, in MessagePack, the number of events */

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static int starts_with(const unsigned char *data, const char *head, size_t length) {
    return memcmp(data, head, length) == 0;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void no_delay(int socket) {
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Read an HTTP head, byte by byte so that nothing of what follows is taken. */
static void read_head(int socket) {
    char last[4] = {0};
    while (memcmp(last, HANDSHAKE_END, 4) != 0) {
        memmove(last, last + 1, 3);
        if (read(socket, last + 3, 1) != 1) fail("handshake");
    }
}
