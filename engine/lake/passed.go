package lake

import (
	"os"
	"path"
	"strings"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// passFolder notes what lies below a folder whose name is no value of the key in
// segment i of the path, as symbol=es where symbols are capitals. Folders that are
// called otherwise altogether are somebody else's.
func (s *sourceScan) passFolder(dir string, i int, name string) {
	seg := s.table.Path[i]
	value := strings.TrimSuffix(strings.TrimPrefix(name, seg.Prefix), seg.Suffix)
	if name[0] == '.' || name != seg.Prefix+value+seg.Suffix {
		return
	}
	why := s.table.check(s.table.key(seg.Key), value)
	if why == nil {
		return
	}
	text := strings.TrimPrefix(why.Error(), s.table.Addr.String()+": ")
	dir = path.Join(dir, name)
	for i++; i < len(s.table.Path) && s.table.Path[i].Key == ""; i++ {
		dir = path.Join(dir, s.table.Path[i].Prefix)
	}
	entries, err := os.ReadDir(s.lake.path(dir))
	if err != nil {
		return // of another source, or no folder
	}
	for _, e := range entries {
		if e.Name()[0] != '.' {
			s.passed = append(s.passed, manifest.PassedOver{Path: path.Join(dir, e.Name()), Why: text})
		}
	}
}

// passName notes a name among a series' files that leads to no file.
func (s *sourceScan) passName(dir, name, below string, keys addr.Keys, why string) {
	s.passed = append(s.passed, manifest.PassedOver{Path: path.Join(dir, name), Series: keys, Name: below + name, Why: why})
}
