//go:build linux && (amd64 || arm64)

package lake

import (
	"bytes"
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"dag/engine/lake/index"
)

// names reads the names in a folder one after the other. A listing meets every
// partition of a lake, and this is what is left of its time: neither reading a
// name nor asking for its stamp allocates.
type names struct {
	dir *os.File
	buf []byte
	end int // of what buf holds
	at  int
	st  unix.Stat_t
}

const direntName = 19 // where the name begins in a struct linux_dirent64

// open goes over to a folder.
func (n *names) open(dir *os.File) { n.dir, n.end, n.at = dir, 0, 0 }

// next returns a name, good until the next call; nil after the last.
func (n *names) next() ([]byte, error) {
	if n.buf == nil {
		n.buf = make([]byte, 64<<10)
	}
	for {
		if n.at >= n.end {
			got, err := unix.ReadDirent(int(n.dir.Fd()), n.buf)
			if err != nil {
				return nil, os.NewSyscallError("readdirent", err)
			}
			if got <= 0 {
				return nil, nil
			}
			n.at, n.end = 0, got
		}
		size := int(binary.NativeEndian.Uint16(n.buf[n.at+16:]))
		entry := n.buf[n.at : n.at+size]
		n.at += size
		inode := binary.NativeEndian.Uint64(entry)
		name := entry[direntName:]
		name = name[:bytes.IndexByte(name, 0)]
		if inode != 0 && string(name) != "." && string(name) != ".." {
			return name, nil
		}
	}
}

// stat asks for the stamp of a name, and whether it is a folder. A NUL follows the
// name in memory, as it does where next returns one. Symbolic links are followed.
func (n *names) stat(name []byte) (s index.Stamp, folder bool, err error) {
	_, _, errno := unix.Syscall6(sysFstatat, n.dir.Fd(), uintptr(unsafe.Pointer(unsafe.SliceData(name))), uintptr(unsafe.Pointer(&n.st)), 0, 0, 0)
	if errno != 0 {
		return s, false, &os.PathError{Op: "stat", Path: n.dir.Name() + "/" + string(name), Err: errno}
	}
	return index.Stamp{Inode: uint64(n.st.Ino), ModTime: n.st.Mtim.Nano()}, n.st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}
