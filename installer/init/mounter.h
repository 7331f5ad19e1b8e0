/* SPDX-License-Identifier: MIT */
/*
 * The only process of a container that may mount, where its component shows files to the host
 * (manifest `shared_mount`). It mounts nothing but FUSE on a file of one folder, and with the kind
 * `ext4` the file system in such a file on a folder of its own below; and takes that away again.
 * It follows no links, and every mount is nosuid and nodev.
 *
 * A request is one packet to MOUNTER_SOCKET, the answer is an errno in digits, "0" for success:
 *
 *   fuse NAME OPTIONS     with the descriptor of /dev/fuse: mounts it on FOLDER/NAME. Of the
 *                         options allow_other, default_permissions and max_read=N count.
 *   unmount NAME [fl]     what is mounted on FOLDER/NAME; f: also with requests under way, l: also
 *                         while it is used
 *   ext4 NAME             mounts the file system in FOLDER/NAME on FOLDER/.docker/NAME
 *   leave NAME [fl]       unmounts that
 */
#ifndef INIT_MOUNTER_H
#define INIT_MOUNTER_H

#include <sys/types.h>

#define MOUNTER_SOCKET "/run/slipway-mount"

/* Starts it when the container's variables say so, makes the root file system read-only, and gives
 * up the capability for this process and all that it starts. *pidfd: readable when the mounter has
 * ended; -1: there is none. -1: it could not be started, and this process still has the capability:
 * it must end. */
int mounter_start(int *pidfd);

#endif
