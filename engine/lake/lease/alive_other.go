//go:build !unix

package lease

import "os"

// alive tells whether the process exists.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }() // frees a handle; nothing to do if it fails
	return true
}
