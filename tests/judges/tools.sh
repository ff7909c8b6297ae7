# SPDX-License-Identifier: MPL-2.0
# Debian packages that judges need in the guest (source: run.sh).
XFSTESTS_TOOLS=bash,coreutils,gawk,sed,grep,perl,xfsprogs,util-linux,mount
XFSTESTS_TOOLS+=,e2fsprogs,attr,acl,findutils,procps,bc,diffutils,hostname
XFSTESTS_TOOLS+=,psmisc,quota,file,tar,gzip,kmod,libcap2-bin,dmsetup,base-files
XFSTESTS_TOOLS+=,uuid-runtime,passwd,libc-bin
NFS_TOOLS=bash,coreutils,nfs-kernel-server,nfs-common,rpcbind,mount,util-linux
NFS_TOOLS+=,findutils,tar,e2fsprogs,kmod,base-files,diffutils,procps
