//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package output

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock marks a temporary file as being written; the mark goes with the process.
// Where a file system has no locks, nothing is ever taken for abandoned.
func lock(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// abandoned tells whether nobody writes a temporary file any more.
func abandoned(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// giveTo gives a file to the owner of the file that it replaces, if it may.
func giveTo(f *os.File, of os.FileInfo) {
	if s, ok := of.Sys().(*syscall.Stat_t); ok && (int(s.Uid) != os.Geteuid() || int(s.Gid) != os.Getegid()) {
		_ = f.Chown(int(s.Uid), int(s.Gid)) // only root may
	}
}

// mayWrite tells whether what is at a path may be written to.
func mayWrite(path string) error { return unix.Access(path, unix.W_OK) }
