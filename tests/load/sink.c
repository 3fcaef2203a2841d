/* Many clients of feedsim.v1.json in one process, which check every n: healthy ones, slow ones (1 KiB/s), stalled ones.
 *
 * sink PORT HEALTHY SLOW STALLED: prints "ready" when all have subscribed to l1 and trade; then obeys lines on stdin:
 *   release   slow and stalled clients read as the healthy ones do from now on
 *   report    a line for each stream of each client: kind client channel symbol received skipped first last bad; then
 *             "end". `bad` counts events and skipped records that were not the next n.
 *   leave     closes every connection, then prints "left"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEALTHY, SLOW, STALLED };
enum { STREAMS = 8, TICK_MS = 100, SLOW_BYTES = 102, PIECE = 65536 };
static const char *const KINDS[] = {"healthy", "slow", "stalled"};

struct stream { char channel[16], symbol[16]; long received, skipped, first, last, bad; };
struct client {
    int fd, kind, open, upgraded, subscribed, streams;
    char *data;
    size_t size, room;
    struct stream stream[STREAMS];
};

static void fail(const char *what) { perror(what); exit(1); }

static struct stream *stream_of(struct client *c, const char *channel, size_t cl, const char *symbol, size_t sl) {
    for (int i = 0; i < c->streams; i++) {
        struct stream *s = &c->stream[i];
        if (!strncmp(s->channel, channel, cl) && !s->channel[cl] && !strncmp(s->symbol, symbol, sl) && !s->symbol[sl])
            return s;
    }
    if (c->streams == STREAMS || cl > 15 || sl > 15) { fprintf(stderr, "an odd stream: %.40s\n", channel); exit(1); }
    struct stream *s = &c->stream[c->streams++];
    memcpy(s->channel, channel, cl);
    memcpy(s->symbol, symbol, sl);
    return s;
}

/* From n to last (the same for an event) must follow what came before. */
static void cover(struct stream *s, long n, long last) {
    if (s->last ? n != s->last + 1 : 0) s->bad++;
    if (!s->first) s->first = n;
    s->last = last;
}

/* The text between quotes behind `key`, within [p, end). */
static const char *text(const char *p, const char *end, const char *key, size_t *length) {
    const char *at = memmem(p, (size_t)(end - p), key, strlen(key));
    if (!at) { fprintf(stderr, "no %s in %.80s\n", key, p); exit(1); }
    at += strlen(key);
    *length = (size_t)((const char *)memchr(at, '"', (size_t)(end - at)) - at);
    return at;
}

static void events(struct client *c, const char *p, const char *end) {
    static const char mark[] = "{\"type\":\"";
    while ((p = memmem(p, (size_t)(end - p), mark, sizeof mark - 1))) {
        size_t cl, sl;
        const char *channel = text(p, end, mark, &cl);
        const char *symbol = text(channel, end, "\"symbol\":\"", &sl);
        size_t unused;
        const char *n = text(channel, end, ",\"n\":", &unused);
        struct stream *s = stream_of(c, channel, cl, symbol, sl);
        long number = atol(n);
        cover(s, number, number);
        s->received++;
        p = symbol;
    }
}

static void skipped(struct client *c, const char *p, const char *end) {
    size_t cl, sl, unused;
    const char *channel = text(p, end, "\"stream\":[\"", &cl);
    const char *symbol = text(channel, end, "\",\"", &sl);
    struct stream *s = stream_of(c, channel, cl, symbol, sl);
    long first = atol(text(p, end, "\"first_n\":", &unused)), last = atol(text(p, end, "\"last_n\":", &unused));
    cover(s, first, last);
    s->skipped += last - first + 1;
}

static int starts(const char *p, const char *end, const char *with) {
    size_t length = strlen(with);
    return (size_t)(end - p) >= length && !memcmp(p, with, length);
}

static void message(struct client *c, const char *p, const char *end) {
    static const char data[] = "{\"type\":\"events\"";
    if (starts(p, end, data)) events(c, p + sizeof data - 1, end);
    else if (starts(p, end, "{\"type\":\"skipped\"")) skipped(c, p, end);
    else if (starts(p, end, "{\"type\":\"subscribed\"")) c->subscribed = 1;
    else if (starts(p, end, "{\"type\":\"error\"")) { fprintf(stderr, "%.*s\n", (int)(end - p), p); exit(1); }
}

static void subscribe(struct client *c) {
    static const char ask[] = "{\"op\":\"subscribe\",\"channels\":[\"l1\",\"trade\"]}";
    unsigned char frame[6 + sizeof ask] = {0x81, 0x80 | (sizeof ask - 1), 0, 0, 0, 0}; /* masked with zeros */
    memcpy(frame + 6, ask, sizeof ask - 1);
    if (write(c->fd, frame, 6 + sizeof ask - 1) != (ssize_t)(6 + sizeof ask - 1)) fail("subscribe");
}

/* Take all whole frames from the client's data. */
static void parse(struct client *c) {
    char *p = c->data, *end = c->data + c->size;
    if (!c->upgraded) {
        char *body = memmem(p, c->size, "\r\n\r\n", 4);
        if (!body) return;
        if (!starts(p, end, "HTTP/1.1 101")) { fprintf(stderr, "%.*s\n", (int)c->size, p); exit(1); }
        c->upgraded = 1;
        p = body + 4;
        subscribe(c);
    }
    while (end - p >= 2) {
        unsigned char *h = (unsigned char *)p;
        size_t length = h[1], head = 2;
        if (length == 126) { head = 4; if (end - p < 4) break; length = (size_t)h[2] << 8 | h[3]; }
        else if (length == 127) {
            head = 10;
            if (end - p < 10) break;
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | h[i];
        }
        if ((size_t)(end - p) < head + length) break;
        if (h[0] == 0x81) message(c, p + head, p + head + length);
        p += head + length;
    }
    c->size = (size_t)(end - p);
    memmove(c->data, p, c->size);
}

static void take(struct client *c, size_t most) {
    while (most && c->open) {
        if (c->room - c->size < PIECE && !(c->data = realloc(c->data, c->room += PIECE))) fail("realloc");
        size_t want = c->room - c->size - 1 < most ? c->room - c->size - 1 : most;
        ssize_t got = read(c->fd, c->data + c->size, want);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (got <= 0) { close(c->fd); c->open = 0; break; }
        c->size += (size_t)got;
        c->data[c->size] = 0;
        most -= (size_t)got;
        parse(c);
        if ((size_t)got < want) break;
    }
}

static void start(struct client *c, int port, int kind) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->kind = kind;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    int small = 4096;
    if (c->fd < 0) fail("socket");
    if (kind != HEALTHY) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    static const char ask[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    if (write(c->fd, ask, sizeof ask - 1) != (ssize_t)(sizeof ask - 1)) fail("handshake");
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->open = 1;
    struct timespec pause = {0, 1000000};
    while (!c->subscribed && c->open) { take(c, 4096); nanosleep(&pause, NULL); }
}

static void report(struct client *all, int count) {
    for (int i = 0; i < count; i++)
        for (int k = 0; k < all[i].streams; k++) {
            struct stream *s = &all[i].stream[k];
            printf("%s %d %s %s %ld %ld %ld %ld %ld\n", KINDS[all[i].kind], i, s->channel, s->symbol, s->received,
                   s->skipped, s->first, s->last, s->bad);
        }
    puts("end");
    fflush(stdout);
}

static void watch(int polled, struct client *c) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(polled, EPOLL_CTL_ADD, c ? c->fd : 0, &wanted)) fail("epoll_ctl");
}

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
    if (argc != 5) { fprintf(stderr, "sink PORT HEALTHY SLOW STALLED\n"); return 2; }
    int counts[3] = {atoi(argv[2]), atoi(argv[3]), atoi(argv[4])}, count = 0;
    struct client *all = calloc((size_t)(counts[0] + counts[1] + counts[2]), sizeof *all);
    int polled = epoll_create1(0);
    for (int kind = 0; kind < 3; kind++)
        for (int i = 0; i < counts[kind]; i++) {
            struct client *c = &all[count++];
            start(c, atoi(argv[1]), kind);
            if (kind == HEALTHY) watch(polled, c);
        }
    watch(polled, NULL);
    puts("ready");
    fflush(stdout);
    char line[64];
    size_t typed = 0;
    long next = now_ms();
    for (;;) {
        struct epoll_event found[256];
        int ready = epoll_wait(polled, found, 256, TICK_MS);
        for (int i = 0; i < ready; i++) {
            struct client *c = found[i].data.ptr;
            if (c) { take(c, 1 << 20); continue; }
            if (read(0, line + typed, 1) != 1) return 0;
            if (line[typed] != '\n') { typed = typed < 62 ? typed + 1 : typed; continue; }
            line[typed] = 0;
            typed = 0;
            if (!strcmp(line, "report")) report(all, count);
            else if (!strcmp(line, "release")) {
                for (int k = 0; k < count; k++)
                    if (all[k].kind != HEALTHY && all[k].open) { watch(polled, &all[k]); take(&all[k], 1 << 20); }
                next = -1;
            } else if (!strcmp(line, "leave")) {
                for (int k = 0; k < count; k++) if (all[k].open) { close(all[k].fd); all[k].open = 0; }
                puts("left");
                fflush(stdout);
            }
        }
        while (next >= 0 && now_ms() >= next) {
            next += TICK_MS;
            for (int k = 0; k < count; k++) if (all[k].kind == SLOW) take(&all[k], SLOW_BYTES);
        }
    }
}
