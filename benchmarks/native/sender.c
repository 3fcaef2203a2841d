/* The least that a server can do: a loop of send() over prebuilt frames. The limit that the benchmarks measure against.
 *
 * sender FILE CLIENTS paced|max|stream: prints its address, waits for so many clients, then sends. `paced` by each
 * frame's time, with all that is due joined into one send for each client; `max` as fast as the clients take it, frame
 * by frame; `stream` without looking at frames, in blocks of 256 KiB. The last two begin again at the end, for ever.
 * FILE has records: due (microseconds, 8 bytes), length of the frame, length of its head (4 bytes each), the frame.
 */
#include "common.h"

#define SEND_BUFFER (256 * 1024)
#define ANSWER                                                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                              \
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n"

struct record {
    int64_t due_us;
    uint32_t length, head;
};

static unsigned char *load(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(path);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*size);
    if (!data || fread(data, 1, *size, file) != *size) fail(path);
    fclose(file);
    return data;
}

static void send_all(int socket, const unsigned char *data, size_t length) {
    while (length) {
        ssize_t sent = send(socket, data, length, MSG_NOSIGNAL);
        if (sent < 0) exit(0); /* the clients have left */
        data += sent;
        length -= (size_t)sent;
    }
}

/* As a server does, tell when the frame was built. */
static void stamp(unsigned char *payload) {
    int64_t wall_us = now_ns(CLOCK_REALTIME) / 1000;
    if (starts_with(payload, JSON_HEAD, sizeof JSON_HEAD - 1)) {
        for (int i = 15; i >= 0; i--, wall_us /= 10) payload[sizeof JSON_HEAD - 1 + i] = (unsigned char)('0' + wall_us % 10);
    } else if (starts_with(payload, MSGPACK_HEAD, sizeof MSGPACK_HEAD - 1)) {
        for (int i = 7; i >= 0; i--, wall_us >>= 8) payload[sizeof MSGPACK_HEAD - 1 + i] = (unsigned char)wall_us;
    }
}

static void play(unsigned char *data, size_t size, unsigned char *joined, const int *clients, int count, int paced) {
    unsigned char *at = data, *end = data + size;
    int64_t start_ns = now_ns(CLOCK_MONOTONIC);
    while (at < end) {
        struct record record;
        memcpy(&record, at, sizeof record);
        if (paced) {
            int64_t due_ns = start_ns + record.due_us * 1000;
            struct timespec until = {due_ns / 1000000000, due_ns % 1000000000};
            while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {}
        }
        size_t ready = 0;
        int64_t now_us = (now_ns(CLOCK_MONOTONIC) - start_ns) / 1000;
        do {
            unsigned char *frame = at + sizeof record;
            stamp(frame + record.head);
            memcpy(joined + ready, frame, record.length);
            ready += record.length;
            at = frame + record.length;
            if (at < end) memcpy(&record, at, sizeof record);
        } while (paced && at < end && record.due_us <= now_us);
        for (int i = 0; i < count; i++) send_all(clients[i], joined, ready);
    }
}

static void stream(const char *path, int client) {
    static unsigned char block[SEND_BUFFER];
    int file = open(path, O_RDONLY);
    for (;;) {
        ssize_t got = read(file, block, sizeof block);
        if (got > 0) send_all(client, block, (size_t)got);
        else if (got < 0 || lseek(file, 0, SEEK_SET) < 0) fail(path);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int count = atoi(argv[2]), listener = socket(AF_INET, SOCK_STREAM, 0), room = SEND_BUFFER;
    int *clients = calloc((size_t)count, sizeof *clients);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    size_t size = 0;
    unsigned char *data = strcmp(argv[3], "stream") ? load(argv[1], &size) : NULL;
    fprintf(stderr, "ws://127.0.0.1:%d\n", ntohs(address.sin_port));
    for (int i = 0; i < count; i++) {
        clients[i] = accept(listener, NULL, NULL);
        no_delay(clients[i]);
        read_head(clients[i]);
        send_all(clients[i], (const unsigned char *)ANSWER, sizeof ANSWER - 1);
    }
    if (!data) stream(argv[1], clients[0]);
    int paced = strcmp(argv[3], "paced") == 0;
    unsigned char *joined = malloc(size);
    do play(data, size, joined, clients, count, paced);
    while (!paced);
    pause(); /* the last bytes are still on their way */
    return 0;
}
