//go:build unix

package lease

import (
	"errors"

	"golang.org/x/sys/unix"
)

// alive tells whether the process exists; one of another user does.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}
