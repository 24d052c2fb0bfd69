/* The load of bench_relay.py: one thread that sends what browsers would send and reads what they would be sent.
 *
 * Python has shaken hands; this takes the sockets (connected, non-blocking) and libsrtp's handles. The functions of
 * libsrtp come as pointers, so nothing is linked. Receivers are read by turns and not woken for each packet: over
 * loopback the waking would be charged to the server, which over a network it is not. */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    STREAMS = 4,
    PACKET_BYTES = 1600,
    BURST = 8, /* packets of one frame */
    PATTERN = 5,
    BATCH = 32,
    CONTROL_BYTES = 64,
    STAMP_BYTES = 16,
    MAX_SAMPLES = 1 << 20,
    SLOT_NS = 1000000,
    READ_EVERY_SLOTS = 2,
};
static const int64_t CHECK_EVERY_NS = 2500000000LL, REPORT_EVERY_NS = 1000000000LL, KEY_EVERY_FRAMES = 250;
static const uint64_t MAGIC = 0x6c61746e63793031ULL, NTP_EPOCH_S = 2208988800ULL;

typedef int (*srtp_function)(void *session, void *packet, int *size);

struct stream {
    int is_video, payload_type, packet_bytes, rate, extension_bytes, cc_at, time_at, is_key_due;
    uint8_t pattern[PATTERN]; /* packets in each of five frames */
    uint8_t extension[64];    /* the whole header extension, its four bytes of profile and length included */
    uint32_t ssrc, base, timestamp, packets, octets;
    uint16_t sequence, picture;
    uint8_t tl0;
    int64_t period_ns, phase_ns, next_ns, began_ns, frames;
};

struct peer {
    int fd, group, streams_count, check_bytes;
    void *tx, *rx;
    uint8_t check[256];
    int64_t check_ns, report_ns, last_content_ns;
    uint16_t cc;
    struct stream streams[STREAMS];
    int64_t sent, received, verified, refused, unsent, keys_asked, again_asked;
};

struct load {
    srtp_function protect, unprotect, protect_rtcp, unprotect_rtcp;
    pthread_mutex_t lock;
    pthread_t thread;
    struct peer **peers;
    int count, room, is_over, open_every;
    int64_t active, late_ns; /* a bit for each group; the worst delay of a slot */
    uint32_t *samples, reading;
    int64_t sampled;
};

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void put16(uint8_t *at, uint32_t value) { at[0] = value >> 8, at[1] = value; }
static void put24(uint8_t *at, uint32_t value) { at[0] = value >> 16, at[1] = value >> 8, at[2] = value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }

/* --- sending ------------------------------------------------------------- */

/* Write RFC 7741's descriptor (picture id of 15 bits, TL0PICIDX) and the first bytes of a frame. */
static int put_vp8(uint8_t *at, const struct stream *s, int is_first, int is_key) {
    at[0] = is_first ? 0x90 : 0x80;
    at[1] = 0xC0;
    put16(at + 2, 0x8000 | (s->picture & 0x7FFF));
    at[4] = s->tl0;
    if (!is_first) return 5;
    static const uint8_t key[] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00}; /* 320 x 180 */
    static const uint8_t delta[] = {0x31, 0, 0};
    memcpy(at + 5, is_key ? key : delta, is_key ? sizeof key : sizeof delta);
    return 5 + (int)(is_key ? sizeof key : sizeof delta);
}

static int put_packet(struct load *l, struct peer *p, struct stream *s, uint8_t *at, int place, int of, int is_key) {
    int is_last = place == of - 1, head = 12 + s->extension_bytes, size = s->packet_bytes;
    at[0] = 0x90;
    at[1] = (s->is_video && is_last ? 0x80 : 0) | s->payload_type;
    put16(at + 2, ++s->sequence);
    put32(at + 4, s->timestamp);
    put32(at + 8, s->ssrc);
    memcpy(at + 12, s->extension, s->extension_bytes);
    put16(at + 12 + s->cc_at, ++p->cc);
    memset(at + head, 0x55, size - head);
    if (s->is_video) put_vp8(at + head, s, place == 0, is_key);
    int64_t now = now_ns(CLOCK_REALTIME);
    put24(at + 12 + s->time_at, (uint32_t)((now / 1000) * 262144 / 1000000)); /* 6.18 seconds, as abs-send-time */
    memcpy(at + size - STAMP_BYTES, &MAGIC, 8);
    memcpy(at + size - 8, &now, 8);
    s->packets++, s->octets += size - head;
    if (l->protect(p->tx, at, &size)) p->refused++;
    return size;
}

static void send_frame(struct load *l, struct peer *p, struct stream *s, int64_t now) {
    static uint8_t packets[BURST][PACKET_BYTES];
    struct mmsghdr messages[BURST] = {0};
    struct iovec parts[BURST];
    int of = s->pattern[s->frames % PATTERN], is_key = s->is_key_due || s->frames % KEY_EVERY_FRAMES == 0;
    s->timestamp = s->base + (uint32_t)((s->next_ns - s->began_ns) / 1000 * s->rate / 1000000);
    s->picture++, s->tl0++, s->frames++, s->is_key_due = 0;
    for (int i = 0; i < of; i++) {
        int size = put_packet(l, p, s, packets[i], i, of, s->is_video && is_key);
        parts[i] = (struct iovec){packets[i], size};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int done = sendmmsg(p->fd, messages, of, 0);
    p->sent += done > 0 ? done : 0;
    p->unsent += of - (done > 0 ? done : 0);
    s->next_ns += s->period_ns;
    if (now - s->next_ns > 1000000000LL) s->next_ns = now; /* a second late: what it missed is not made good */
}

static void send_reports(struct load *l, struct peer *p) {
    uint8_t at[PACKET_BYTES];
    int64_t now = now_ns(CLOCK_REALTIME);
    for (int i = 0; i < (p->streams_count ? p->streams_count : 1); i++) {
        struct stream *s = p->streams_count ? &p->streams[i] : NULL;
        int size = s ? 28 : 8;
        memset(at, 0, 64);
        at[0] = 0x80, at[1] = s ? 200 : 201; /* SR with SDES, or an empty RR (RFC 3550 6.4) */
        put16(at + 2, size / 4 - 1);
        put32(at + 4, s ? s->ssrc : 1);
        if (s) {
            int64_t passed = now_ns(CLOCK_MONOTONIC) - s->began_ns;
            put32(at + 8, now / 1000000000LL + NTP_EPOCH_S);
            put32(at + 12, (uint32_t)(((uint64_t)(now % 1000000000LL) << 32) / 1000000000ULL));
            put32(at + 16, s->base + (uint32_t)(passed / 1000 * s->rate / 1000000));
            put32(at + 20, s->packets);
            put32(at + 24, s->octets);
            uint8_t *sdes = at + size;
            sdes[0] = 0x81, sdes[1] = 202, sdes[3] = 3;
            put32(sdes + 4, s->ssrc);
            memcpy(sdes + 8, "\x01\x04load", 6);
            size += 16;
        }
        if (l->protect_rtcp(p->tx, at, &size) || send(p->fd, at, size, 0) < 0) p->unsent++;
    }
}

static void send_due(struct load *l, struct peer *p, int64_t now) {
    if (p->fd < 0) return;
    if (now >= p->check_ns) {
        p->check_ns = now + CHECK_EVERY_NS;
        if (p->check_bytes && send(p->fd, p->check, p->check_bytes, 0) < 0) p->unsent++;
    }
    if (!(l->active >> p->group & 1)) return;
    if (now >= p->report_ns) {
        p->report_ns = now + REPORT_EVERY_NS;
        send_reports(l, p);
    }
    for (int i = 0; i < p->streams_count; i++) {
        struct stream *s = &p->streams[i];
        while (now >= s->next_ns) send_frame(l, p, s, now);
    }
}

/* --- receiving ----------------------------------------------------------- */

static int64_t arrival_ns(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return t.tv_sec * 1000000000LL + t.tv_nsec;
        }
    }
    return now_ns(CLOCK_REALTIME);
}

static void take_rtcp(struct load *l, struct peer *p, uint8_t *at, int size) {
    if (!p->streams_count || l->unprotect_rtcp(p->rx, at, &size)) return;
    for (int i = 0; i + 12 <= size; i += 4 + 4 * (at[i + 2] << 8 | at[i + 3])) {
        int format = at[i] & 31;
        p->again_asked += at[i + 1] == 205 && format == 1;
        if (at[i + 1] != 206 || (format != 1 && format != 4)) continue; /* PLI, FIR */
        const uint8_t *whose = at + i + (format == 1 ? 8 : 12);
        for (int s = 0; s < p->streams_count; s++) {
            uint8_t ssrc[4];
            put32(ssrc, p->streams[s].ssrc);
            if (whose + 4 <= at + size && !memcmp(whose, ssrc, 4)) p->streams[s].is_key_due = 1, p->keys_asked++;
        }
    }
}

static void take_packet(struct load *l, struct peer *p, uint8_t *at, int size, struct msghdr *message) {
    if (size < 28 || at[0] >> 6 != 2) return;
    if (at[1] >= 192 && at[1] <= 223) {
        take_rtcp(l, p, at, size);
        return;
    }
    p->received++;
    if (++l->reading % l->open_every) return;
    if (l->unprotect(p->rx, at, &size)) {
        p->refused++;
        return;
    }
    if (size < STAMP_BYTES || memcmp(at + size - STAMP_BYTES, &MAGIC, 8)) return; /* not content: a black picture */
    int64_t arrived = arrival_ns(message), stamp;
    memcpy(&stamp, at + size - 8, 8);
    p->verified++;
    if (arrived > p->last_content_ns) p->last_content_ns = arrived;
    if (l->sampled < MAX_SAMPLES && arrived > stamp && arrived - stamp < 4000000000LL)
        l->samples[l->sampled++] = (uint32_t)(arrived - stamp);
}

static void receive_all(struct load *l, struct peer *p) {
    static uint8_t packets[BATCH][PACKET_BYTES], controls[BATCH][CONTROL_BYTES];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    int count;
    do {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){packets[i], PACKET_BYTES};
            messages[i].msg_hdr = (struct msghdr){
                .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = controls[i], .msg_controllen = CONTROL_BYTES};
        }
        count = recvmmsg(p->fd, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) take_packet(l, p, packets[i], messages[i].msg_len, &messages[i].msg_hdr);
    } while (count == BATCH);
}

static void *run(void *argument) {
    struct load *l = argument;
    int64_t slot = now_ns(CLOCK_MONOTONIC), late;
    for (int64_t turn = 0; !__atomic_load_n(&l->is_over, __ATOMIC_RELAXED); turn++) {
        pthread_mutex_lock(&l->lock);
        int64_t now = now_ns(CLOCK_MONOTONIC);
        late = now - slot;
        if (late > l->late_ns) l->late_ns = late;
        for (int i = 0; i < l->count; i++) send_due(l, l->peers[i], now);
        if (turn % READ_EVERY_SLOTS == 0)
            for (int i = 0; i < l->count; i++)
                if (l->peers[i]->fd >= 0 && l->active >> l->peers[i]->group & 1) receive_all(l, l->peers[i]);
        pthread_mutex_unlock(&l->lock);
        slot += SLOT_NS;
        now = now_ns(CLOCK_MONOTONIC);
        if (now > slot) slot = now;
        struct timespec until = {slot / 1000000000LL, slot % 1000000000LL};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    return NULL;
}

/* --- what Python calls ---------------------------------------------------- */

struct load *load_new(void *protect, void *unprotect, void *protect_rtcp, void *unprotect_rtcp) {
    struct load *l = calloc(1, sizeof *l);
    l->protect = (srtp_function)protect, l->unprotect = (srtp_function)unprotect;
    l->protect_rtcp = (srtp_function)protect_rtcp, l->unprotect_rtcp = (srtp_function)unprotect_rtcp;
    l->samples = malloc(MAX_SAMPLES * sizeof *l->samples);
    l->open_every = 1;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

int load_start(struct load *l) { return pthread_create(&l->thread, NULL, run, l); }

void load_stop(struct load *l) {
    __atomic_store_n(&l->is_over, 1, __ATOMIC_RELAXED);
    pthread_join(l->thread, NULL);
}

/* Add an endpoint; it belongs to a group (0 to 63), which `load_activate` lets send. Returns its number. */
int load_peer(struct load *l, int group, int fd, void *tx, void *rx, const void *check, int check_bytes) {
    struct peer *p = calloc(1, sizeof *p);
    p->group = group, p->fd = fd, p->tx = tx, p->rx = rx;
    if (check_bytes <= (int)sizeof p->check) memcpy(p->check, check, p->check_bytes = check_bytes);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    p->check_ns = now_ns(CLOCK_MONOTONIC) + CHECK_EVERY_NS;
    pthread_mutex_lock(&l->lock);
    if (l->count == l->room) l->peers = realloc(l->peers, (l->room = l->room * 2 + 64) * sizeof *l->peers);
    l->peers[l->count] = p;
    int number = l->count++;
    pthread_mutex_unlock(&l->lock);
    return number;
}

int load_stream(struct load *l, int peer, int is_video, uint32_t ssrc, int payload_type, int packet_bytes, int rate,
                int64_t period_ns, int64_t phase_ns, const uint8_t *pattern, const uint8_t *extension,
                int extension_bytes, int cc_at, int time_at) {
    pthread_mutex_lock(&l->lock);
    struct peer *p = l->peers[peer];
    int fits = p->streams_count < STREAMS && packet_bytes + 64 < PACKET_BYTES && extension_bytes <= 64;
    if (fits) {
        struct stream *s = &p->streams[p->streams_count++];
        s->is_video = is_video, s->ssrc = ssrc, s->payload_type = payload_type, s->packet_bytes = packet_bytes;
        s->rate = rate, s->period_ns = period_ns, s->phase_ns = phase_ns;
        s->extension_bytes = extension_bytes, s->cc_at = cc_at, s->time_at = time_at;
        memcpy(s->pattern, pattern, PATTERN);
        memcpy(s->extension, extension, extension_bytes);
        s->base = ssrc * 2654435761U, s->sequence = 1000, s->began_ns = now_ns(CLOCK_MONOTONIC);
        s->next_ns = INT64_MAX / 2;
    }
    pthread_mutex_unlock(&l->lock);
    return fits ? 0 : -1;
}

/* Let exactly the groups of `bits` send and be read. */
void load_activate(struct load *l, int64_t bits) {
    pthread_mutex_lock(&l->lock);
    int64_t now = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < l->count; i++) {
        struct peer *p = l->peers[i];
        if (!(bits & ~l->active) >> p->group & 1) continue;
        p->report_ns = now + REPORT_EVERY_NS * (i % 97) / 97;
        for (int s = 0; s < p->streams_count; s++) p->streams[s].next_ns = now + p->streams[s].phase_ns;
    }
    l->active = bits;
    pthread_mutex_unlock(&l->lock);
}

/* Forget the sockets and keys of a group; whoever owns them may close them then. */
void load_drop(struct load *l, int group) {
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < l->count; i++)
        if (l->peers[i]->group == group) l->peers[i]->fd = -1;
    pthread_mutex_unlock(&l->lock);
}

/* Decrypt one packet in `n`. */
void load_open_every(struct load *l, int n) {
    pthread_mutex_lock(&l->lock);
    l->open_every = n;
    pthread_mutex_unlock(&l->lock);
}

/* Write the sums of a group: sent, received, verified, refused, unsent, key frames asked, packets asked again. */
void load_counts(struct load *l, int group, int64_t *out) {
    memset(out, 0, 7 * sizeof *out);
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < l->count; i++) {
        const struct peer *p = l->peers[i];
        if (p->group != group) continue;
        out[0] += p->sent, out[1] += p->received, out[2] += p->verified, out[3] += p->refused;
        out[4] += p->unsent, out[5] += p->keys_asked, out[6] += p->again_asked;
    }
    pthread_mutex_unlock(&l->lock);
}

/* Return when content last reached an endpoint (CLOCK_REALTIME, ns). */
int64_t load_last_content(struct load *l, int peer) {
    pthread_mutex_lock(&l->lock);
    int64_t at = l->peers[peer]->last_content_ns;
    pthread_mutex_unlock(&l->lock);
    return at;
}

/* Copy the delays (ns) measured since the last call, and the worst lateness of a slot; return how many. */
int64_t load_take_delays(struct load *l, uint32_t *out, int64_t room, int64_t *late_ns) {
    pthread_mutex_lock(&l->lock);
    int64_t count = l->sampled < room ? l->sampled : room;
    memcpy(out, l->samples, count * sizeof *out);
    l->sampled = 0;
    *late_ns = l->late_ns, l->late_ns = 0;
    pthread_mutex_unlock(&l->lock);
    return count;
}
