/* Guest-physical places of the virtio guests' driver that host-side tests know too. */
#ifndef PAVISE_TESTS_GUEST_VIRTIO_PLACES_H
#define PAVISE_TESTS_GUEST_VIRTIO_PLACES_H

/* Descriptors of a queue, then its available ring at +0x1000, its used ring at +0x2000. */
#define RING(queue) (0x400000ull + 0x4000ull * (queue))
#define BUFFER_GPA 0x500000u
#define BLK_HEADER BUFFER_GPA
#define BLK_DATA   (BUFFER_GPA + 0x1000)
#define BLK_STATUS (BUFFER_GPA + 0x2000)

/* A test lets a waiting guest go on by this byte. */
#define GUEST_GO_GPA   (BUFFER_GPA + 0x3000)
#define GUEST_GO_VALUE 0x77

#endif
