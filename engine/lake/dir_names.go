//go:build !linux || !(amd64 || arm64)

package lake

import (
	"os"

	"dag/engine/lake/index"
)

// names reads the names in a folder one after the other.
type names struct {
	dir  *os.File
	read bool
	all  []string
}

// open goes over to a folder.
func (n *names) open(dir *os.File) { *n = names{dir: dir} }

// next returns a name; nil after the last.
func (n *names) next() ([]byte, error) {
	if !n.read {
		var err error
		if n.all, err = n.dir.Readdirnames(-1); err != nil {
			return nil, err
		}
		n.read = true
	}
	if len(n.all) == 0 {
		return nil, nil
	}
	name := n.all[0]
	n.all = n.all[1:]
	return []byte(name), nil
}

// stat asks for the stamp of a name, and whether it is a folder.
func (n *names) stat(name []byte) (index.Stamp, bool, error) { return statAt(n.dir, string(name)) }
