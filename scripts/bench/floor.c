/* The machine's floor for bench_relay.py: recvmmsg, unprotect, and for each of a source's sinks copy, change the
 * SSRC, protect, sendmmsg; with segmentation offload (UDP_SEGMENT) where asked. Nothing that a relay must do besides. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BATCH = 64, SINKS = 2, PACKET_BYTES = 2048, SLOTS = 1 << 16, SEGMENTS = 16 };

typedef int (*srtp_function)(void *session, void *packet, int *size);

struct peer {
    struct sockaddr_in address;
    void *rx, *tx;
};
struct route {
    uint32_t source, ssrc[SINKS];
    int sink[SINKS], count;
};
struct out {
    struct peer *to;
    int size, taken;
    uint8_t bytes[PACKET_BYTES];
};
struct floor_server {
    srtp_function protect, unprotect;
    int fd, with_gso, peers_count, routes_count;
    struct peer peers[4096];
    struct route routes[8192];
    int16_t by_address[SLOTS], by_ssrc[SLOTS];
    uint8_t in[BATCH][PACKET_BYTES];
    struct out out[BATCH * SINKS];
};

static uint32_t slot_of(uint32_t key) { return key * 2654435761U >> 16; }

static struct peer *peer_at(struct floor_server *f, const struct sockaddr_in *from) {
    uint32_t at = slot_of(from->sin_port ^ from->sin_addr.s_addr);
    for (; f->by_address[at] >= 0; at = (at + 1) % SLOTS) {
        struct peer *p = &f->peers[f->by_address[at]];
        if (p->address.sin_port == from->sin_port && p->address.sin_addr.s_addr == from->sin_addr.s_addr) return p;
    }
    return NULL;
}

static struct route *route_of(struct floor_server *f, uint32_t ssrc) {
    uint32_t at = slot_of(ssrc);
    for (; f->by_ssrc[at] >= 0; at = (at + 1) % SLOTS)
        if (f->routes[f->by_ssrc[at]].source == ssrc) return &f->routes[f->by_ssrc[at]];
    return NULL;
}

static int forward(struct floor_server *f, uint8_t *packet, int size, const struct sockaddr_in *from, int queued) {
    struct peer *p = size >= 28 && packet[0] >> 6 == 2 && !(packet[1] >= 192 && packet[1] <= 223) ? peer_at(f, from) : 0;
    uint32_t ssrc;
    if (!p || f->unprotect(p->rx, packet, &size)) return queued;
    memcpy(&ssrc, packet + 8, 4);
    const struct route *r = route_of(f, ntohl(ssrc));
    for (int i = 0; r && i < r->count; i++) {
        struct out *o = &f->out[queued];
        memcpy(o->bytes, packet, size);
        ssrc = htonl(r->ssrc[i]);
        memcpy(o->bytes + 8, &ssrc, 4);
        o->to = &f->peers[r->sink[i]], o->size = size, o->taken = 0;
        if (!f->protect(o->to->tx, o->bytes, &o->size)) queued++;
    }
    return queued;
}

/* Gather packets of one size for one destination, the last may be shorter: one message each. Returns how many. */
static int gather(struct floor_server *f, int queued, struct mmsghdr *messages, struct iovec *parts, char *controls) {
    int count = 0, used = 0;
    for (int first = 0; first < queued; first++) {
        struct out *o = &f->out[first];
        if (o->taken) continue;
        struct msghdr *m = &messages[count].msg_hdr;
        *m = (struct msghdr){.msg_name = &o->to->address, .msg_namelen = sizeof o->to->address, .msg_iov = &parts[used]};
        for (int i = first; i < queued && (f->with_gso ? m->msg_iovlen < SEGMENTS : m->msg_iovlen < 1); i++) {
            struct out *next = &f->out[i];
            if (next->taken || next->to != o->to || next->size > o->size) continue;
            parts[used++] = (struct iovec){next->bytes, next->size};
            next->taken = 1, m->msg_iovlen++;
            if (next->size < o->size) break;
        }
        if (m->msg_iovlen > 1) {
            char *control = controls + count * CMSG_SPACE(sizeof(uint16_t));
            uint16_t size = o->size;
            m->msg_control = control, m->msg_controllen = CMSG_SPACE(sizeof size);
            struct cmsghdr *c = CMSG_FIRSTHDR(m);
            c->cmsg_level = SOL_UDP, c->cmsg_type = UDP_SEGMENT, c->cmsg_len = CMSG_LEN(sizeof size);
            memcpy(CMSG_DATA(c), &size, sizeof size);
        }
        count++;
    }
    return count;
}

/* Carry packets until the process is ended. The socket blocks. */
void floor_run(struct floor_server *f) {
    static struct mmsghdr in[BATCH], out[BATCH * SINKS];
    static struct iovec in_parts[BATCH], out_parts[BATCH * SINKS];
    static struct sockaddr_in from[BATCH];
    static char controls[BATCH * SINKS * CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8)));
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            in_parts[i] = (struct iovec){f->in[i], PACKET_BYTES};
            in[i].msg_hdr = (struct msghdr){
                .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &in_parts[i], .msg_iovlen = 1};
        }
        int count = recvmmsg(f->fd, in, BATCH, MSG_WAITFORONE, NULL), queued = 0;
        for (int i = 0; i < count; i++) queued = forward(f, f->in[i], in[i].msg_len, &from[i], queued);
        int left = gather(f, queued, out, out_parts, controls), done = 0;
        for (int at = 0; at < left; at += done)
            if ((done = sendmmsg(f->fd, out + at, left - at, 0)) <= 0) done = 1; /* lost, as on any network */
    }
}

struct floor_server *floor_new(int fd, void *protect, void *unprotect, int with_gso) {
    struct floor_server *f = calloc(1, sizeof *f);
    f->fd = fd, f->protect = (srtp_function)protect, f->unprotect = (srtp_function)unprotect, f->with_gso = with_gso;
    memset(f->by_address, -1, sizeof f->by_address);
    memset(f->by_ssrc, -1, sizeof f->by_ssrc);
    return f;
}

int floor_peer(struct floor_server *f, const char *host, int port, void *rx, void *tx) {
    struct peer *p = &f->peers[f->peers_count];
    p->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (f->peers_count == 4096 || inet_pton(AF_INET, host, &p->address.sin_addr) != 1) return -1;
    p->rx = rx, p->tx = tx;
    uint32_t at = slot_of(p->address.sin_port ^ p->address.sin_addr.s_addr);
    while (f->by_address[at] >= 0) at = (at + 1) % SLOTS;
    f->by_address[at] = f->peers_count;
    return f->peers_count++;
}

/* Send what comes under `source` to peer `sink` under `ssrc`. */
int floor_route(struct floor_server *f, uint32_t source, int sink, uint32_t ssrc) {
    struct route *r = route_of(f, source);
    if (!r) {
        if (f->routes_count == 8192) return -1;
        uint32_t at = slot_of(source);
        while (f->by_ssrc[at] >= 0) at = (at + 1) % SLOTS;
        f->by_ssrc[at] = f->routes_count;
        r = &f->routes[f->routes_count++];
        r->source = source;
    }
    if (r->count == SINKS) return -1;
    r->sink[r->count] = sink, r->ssrc[r->count++] = ssrc;
    return 0;
}
