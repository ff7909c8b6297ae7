# SPDX-License-Identifier: MPL-2.0
# In a guest: makes a device of 16 MiB of zeroes whose reads take 0.7 s, and
# tells datatest of it.
modprobe -q null_blk nr_devices=0
mount -t configfs none /sys/kernel/config
slow=/sys/kernel/config/nullb/slow
mkdir $slow
for set in size=16 memory_backed=1 irqmode=2 completion_nsec=700000000 power=1
do echo ${set#*=} >$slow/${set%=*}; done
export DATATEST_SLOW=/dev/slow
[ -b $DATATEST_SLOW ] || DATATEST_SLOW=/dev/nullb$(cat $slow/index) # before 6.12
