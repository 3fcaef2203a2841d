/* Round trips. asker PORT CONNECTIONS: on each connection sends ping requests of feedsim.v1, each when the one before
 * it was answered by a message with its id. Prints p50 and p99 in microseconds.
 */
#include "common.h"

#define ASKED 180 /* a connection; 200 requests at once are allowed */
#define WARM 20   /* of them not counted */

static void greet(int socket) {
    static const char text[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    if (write(socket, text, sizeof text - 1) != sizeof text - 1) fail("handshake");
    read_head(socket);
}

static double ask(int socket, int id) {
    char frame[64] = {0}, wanted[16], got[65536];
    int length = snprintf(frame + 6, sizeof frame - 6, "{\"op\":\"ping\",\"id\":%d}", 1000 + id);
    snprintf(wanted, sizeof wanted, "\"id\":%d", 1000 + id);
    frame[0] = (char)0x81;
    frame[1] = (char)(0x80 | length); /* masked with zeros, which changes nothing */
    int64_t started = now_ns(CLOCK_MONOTONIC);
    if (write(socket, frame, (size_t)length + 6) != length + 6) fail("ping");
    for (size_t have = 0; have < sizeof got;) {
        ssize_t more = read(socket, got + have, sizeof got - have);
        if (more <= 0) fail("no answer");
        have += (size_t)more;
        if (memmem(got, have, wanted, strlen(wanted))) return (double)(now_ns(CLOCK_MONOTONIC) - started) / 1e3;
    }
    fail("no answer");
    return 0;
}

static int by_size(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int connections = atoi(argv[2]), count = 0;
    double *took = malloc(sizeof *took * (size_t)connections * ASKED);
    for (int i = 0; i < connections; i++) {
        struct sockaddr_in address = loopback(atoi(argv[1]));
        int client = socket(AF_INET, SOCK_STREAM, 0);
        if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address)) fail("connect");
        no_delay(client);
        greet(client);
        for (int id = 0; id < ASKED; id++) {
            double us = ask(client, id);
            if (id >= WARM) took[count++] = us;
        }
        close(client);
    }
    qsort(took, (size_t)count, sizeof *took, by_size);
    printf("%.1f %.1f\n", took[count / 2], took[count * 99 / 100]);
    return 0;
}
