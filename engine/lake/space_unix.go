//go:build unix

package lake

import "golang.org/x/sys/unix"

// space returns the free and the whole size of a path's file system; zeros where
// it does not tell.
func space(path string) (free, total int64) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize)
}
