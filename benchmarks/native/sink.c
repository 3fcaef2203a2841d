/* Clients that only take what comes, in one epoll loop: the sink of the benchmarks.
 *
 * sink PORT CLIENTS SUBPROTOCOL SUBSCRIBE: connects, subscribes, prints "ready". Then by single letters on stdin:
 * r forgets what was counted, s prints it as one line of JSON, the end of stdin ends the program.
 * "-" for SUBPROTOCOL or SUBSCRIBE is none. Counted are bytes, frames of events, events, when the first and the last
 * came, messages of any kind, and how long frames took from their `sent` stamp (microseconds, quantiles).
 */
#include "common.h"

struct client {
    int socket;
    unsigned char head[16];  /* of the frame */
    int head_got;
    uint64_t left;           /* of the payload */
    unsigned char start[HEAD_BYTES];
    int start_got;
    int events;              /* this frame is one of events, in JSON: its braces are counted */
};

static uint64_t bytes, messages, frames, events;
static int64_t first_ns, last_ns;
static uint32_t *waits;
static size_t waits_got;
#define MOST_WAITS (1u << 23)

static void on_start(struct client *client, int64_t wall_us) {
    const unsigned char *start = client->start;
    int64_t sent = 0;
    messages++;
    if (starts_with(start, JSON_HEAD, sizeof JSON_HEAD - 1)) {
        sent = strtoll((const char *)start + sizeof JSON_HEAD - 1, NULL, 10);
        client->events = 1;
    } else if (starts_with(start, MSGPACK_HEAD, sizeof MSGPACK_HEAD - 1)) {
        const unsigned char *at = start + sizeof MSGPACK_HEAD - 1;
        for (int i = 0; i < 8; i++) sent = sent << 8 | at[i];
        at += 8 + 7;
        events += *at == 0xdc ? (uint64_t)(at[1] << 8 | at[2]) : (uint64_t)(*at & 15);
    } else {
        return;
    }
    frames++;
    if (!first_ns) first_ns = now_ns(CLOCK_MONOTONIC);
    int64_t wait = wall_us - sent;
    if (waits_got < MOST_WAITS) waits[waits_got++] = wait < 0 ? 0 : (uint32_t)wait;
}

static uint64_t braces(const unsigned char *data, size_t length) {
    uint64_t count = 0;
    for (size_t i = 0; i < length; i++) count += data[i] == '{';
    return count;
}

/* How long a frame's head is, once its first two bytes are there. */
static int head_length(const unsigned char *head) {
    return (head[1] & 127) == 126 ? 4 : (head[1] & 127) == 127 ? 10 : 2;
}

static void on_head(struct client *client) {
    const unsigned char *head = client->head;
    int extra = head_length(head) - 2;
    client->left = extra ? 0 : head[1] & 127;
    for (int i = 0; i < extra; i++) client->left = client->left << 8 | head[2 + i];
    client->head_got = client->start_got = client->events = 0;
}

static void take(struct client *client, const unsigned char *data, size_t length, int64_t wall_us) {
    while (length) {
        if (!client->left) {
            client->head[client->head_got++] = *data++;
            length--;
            if (client->head_got >= 2 && client->head_got == head_length(client->head)) on_head(client);
            continue;
        }
        size_t part = length < client->left ? length : client->left;
        size_t counted = 0;
        if (client->start_got < HEAD_BYTES) {
            size_t wanted = HEAD_BYTES - (size_t)client->start_got;
            counted = part < wanted ? part : wanted;
            memcpy(client->start + client->start_got, data, counted);
            client->start_got += (int)counted;
            if (client->start_got == HEAD_BYTES) on_start(client, wall_us);
        }
        /* The envelope's own brace is in the part that is not counted; no event begins there. */
        if (client->events) events += braces(data + counted, part - counted);
        client->left -= part;
        data += part;
        length -= part;
    }
}

static void greet(int socket, int port, const char *subprotocol, const char *subscribe) {
    char text[1024];
    int none = strcmp(subprotocol, "-") == 0;
    int length = snprintf(text, sizeof text,
                          "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                          port, none ? "" : "Sec-WebSocket-Protocol: ", none ? "" : subprotocol, none ? "" : "\r\n");
    if (write(socket, text, (size_t)length) != length) fail("handshake");
    read_head(socket);
    if (strcmp(subscribe, "-") == 0) return;
    size_t size = strlen(subscribe);
    unsigned char frame[1024] = {0x81, (unsigned char)(0x80 | 126), (unsigned char)(size >> 8), (unsigned char)size};
    if (strstr(subprotocol, "msgpack")) frame[0] = 0x82;
    memcpy(frame + 8, subscribe, size); /* masked with zeros, which changes nothing */
    if (write(socket, frame, size + 8) != (ssize_t)(size + 8)) fail("subscribe");
}

static int by_size(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

static uint32_t quantile(double share) { return waits_got ? waits[(size_t)(share * (double)(waits_got - 1))] : 0; }

static void tell(void) {
    qsort(waits, waits_got, sizeof *waits, by_size);
    printf("{\"bytes\":%lu,\"messages\":%lu,\"frames\":%lu,\"events\":%lu,\"seconds\":%.6f,\"p50_us\":%u,"
           "\"p99_us\":%u,\"p999_us\":%u}\n",
           bytes, messages, frames, events, (double)(last_ns - first_ns) / 1e9, quantile(.5), quantile(.99), quantile(.999));
    fflush(stdout);
}

/* False when stdin is at its end. */
static int obey(void) {
    char order;
    if (read(0, &order, 1) != 1) return 0;
    if (order == 's') tell();
    if (order == 'r') {
        bytes = messages = frames = events = waits_got = 0;
        first_ns = last_ns = 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int port = atoi(argv[1]), count = atoi(argv[2]);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    size_t room = 1 << 20;
    unsigned char *buffer = malloc(room);
    waits = malloc(sizeof *waits * MOST_WAITS);
    int poll = epoll_create1(0);
    struct epoll_event found[256], wanted = {.events = EPOLLIN, .data.ptr = NULL};
    if (poll < 0 || !clients || !buffer || !waits) fail("sink");
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &wanted);
    for (int i = 0; i < count; i++) {
        struct sockaddr_in address = loopback(port);
        int client = clients[i].socket = socket(AF_INET, SOCK_STREAM, 0);
        if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address)) fail("connect");
        no_delay(client);
        greet(client, port, argv[3], argv[4]);
        fcntl(client, F_SETFL, O_NONBLOCK);
        wanted.data.ptr = &clients[i];
        epoll_ctl(poll, EPOLL_CTL_ADD, client, &wanted);
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poll, found, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct client *client = found[i].data.ptr;
            if (!client) {
                if (!obey()) return 0;
                continue;
            }
            ssize_t got = read(client->socket, buffer, room);
            if (got > 0) {
                bytes += (uint64_t)got;
                take(client, buffer, (size_t)got, now_ns(CLOCK_REALTIME) / 1000);
                last_ns = now_ns(CLOCK_MONOTONIC);
            } else if (got == 0 || errno != EAGAIN) {
                epoll_ctl(poll, EPOLL_CTL_DEL, client->socket, NULL);
            }
        }
    }
}
