//go:build !linux || !(amd64 || arm64)

package lake

import (
	"os"

	"dag/engine/lake/index"
)

// names reads the names in a folder one after the other.
type names struct {
	dir *os.File
	all []string
	err error
}

func newNames(dir *os.File, n *names) {
	n.dir = dir
	n.all, n.err = dir.Readdirnames(-1)
}

// next returns a name; nil after the last.
func (n *names) next() ([]byte, error) {
	if n.err != nil || len(n.all) == 0 {
		return nil, n.err
	}
	name := n.all[0]
	n.all = n.all[1:]
	return []byte(name), nil
}

// stat asks for the stamp of a name, and whether it is a folder.
func (n *names) stat(name []byte) (index.Stamp, bool, error) { return statAt(n.dir, string(name)) }
