/* Hand-written. What a multishot recvmsg left in a buffer: a header, the name, control messages, the payload. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_RECVMSG_H
#define LIBURING_RECVMSG_H

#ifndef LIB_URING_H
#error "include <liburing.h>"
#endif

/* Bytes that a buffer has left after the header and the name, as laid out by msgh; negative if it's too short. */
_LIBURING_PRIVATE __s64 _io_uring_recvmsg_room(int buf_len, const struct msghdr *msgh) LIBURING_NOEXCEPT
{
    return (__s64) buf_len - (__s64) sizeof(struct io_uring_recvmsg_out) - (__s64) msgh->msg_namelen;
}

/* The header of a message that a multishot request received, or NULL if the buffer is too short. */
IOURINGINLINE struct io_uring_recvmsg_out *io_uring_recvmsg_validate(void *buf, int buf_len, struct msghdr *msgh)
    LIBURING_NOEXCEPT
{
    __s64 room = _io_uring_recvmsg_room(buf_len, msgh);

    if (room < 0 || msgh->msg_controllen > (__u64) room)
        return NULL;
    return (struct io_uring_recvmsg_out *) buf;
}

/* The sender's address of a received message. */
IOURINGINLINE void *io_uring_recvmsg_name(struct io_uring_recvmsg_out *o) LIBURING_NOEXCEPT
{
    return o + 1;
}

/* The first control message of a received message, or NULL if there is none. */
IOURINGINLINE struct cmsghdr *io_uring_recvmsg_cmsg_firsthdr(struct io_uring_recvmsg_out *o, struct msghdr *msgh)
    LIBURING_NOEXCEPT
{
    char *control = (char *) (o + 1) + msgh->msg_namelen;

    return o->controllen < sizeof(struct cmsghdr) ? NULL : (struct cmsghdr *) (void *) control;
}

/* Bytes from a control message to the next one. */
_LIBURING_PRIVATE size_t _io_uring_cmsg_step(const struct cmsghdr *cmsg) LIBURING_NOEXCEPT
{
    return (cmsg->cmsg_len + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1);
}

/* The control message after cmsg, or NULL if that is the last one. */
IOURINGINLINE struct cmsghdr *io_uring_recvmsg_cmsg_nexthdr(struct io_uring_recvmsg_out *o, struct msghdr *msgh,
                                                            struct cmsghdr *cmsg) LIBURING_NOEXCEPT
{
    char *end = (char *) (o + 1) + msgh->msg_namelen + o->controllen;
    char *next = (char *) cmsg + _io_uring_cmsg_step(cmsg);

    if (cmsg->cmsg_len < sizeof(struct cmsghdr) || next + sizeof(struct cmsghdr) > end)
        return NULL;
    cmsg = (struct cmsghdr *) (void *) next;
    return next + _io_uring_cmsg_step(cmsg) > end ? NULL : cmsg;
}

/* The payload of a received message. */
IOURINGINLINE void *io_uring_recvmsg_payload(struct io_uring_recvmsg_out *o, struct msghdr *msgh) LIBURING_NOEXCEPT
{
    return (char *) (o + 1) + msgh->msg_namelen + msgh->msg_controllen;
}

/* The number of bytes of a received message's payload. */
IOURINGINLINE unsigned int io_uring_recvmsg_payload_length(struct io_uring_recvmsg_out *o, int buf_len,
                                                           struct msghdr *msgh) LIBURING_NOEXCEPT
{
    __s64 room = _io_uring_recvmsg_room(buf_len, msgh);

    (void) o;
    if (room < 0 || msgh->msg_controllen > (__u64) room)
        return 0;
    return (unsigned int) room - (unsigned int) msgh->msg_controllen;
}

#endif
